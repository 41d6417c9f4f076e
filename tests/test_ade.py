"""ADE as published becomes records: sentences, spans and the direction of a relation."""

import json
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.ade import convert_ade, convert_tokens
from spacy_ramie.errors import CorpusError
from spacy_ramie.training.config import load_setup


def sentence(text, *entities, relations=(), number=7):
    """A sentence as ADE publishes them: tokens, and spans counted in tokens."""
    tokens = text.split(" ")
    spans = []
    for kind, words in entities:
        pieces = words.split(" ")
        start = next(
            i for i in range(len(tokens)) if tokens[i : i + len(pieces)] == pieces
        )
        spans.append({"type": kind, "start": start, "end": start + len(pieces)})
    pairs = [
        {"type": "Adverse-Effect", "head": head, "tail": tail}
        for head, tail in relations
    ]
    return {
        "tokens": tokens,
        "entities": spans,
        "relations": pairs,
        "orig_id": number,
    }


CONFIG = Path(__file__).parent.parent / "configs/ade.cfg"
EFFECT, DRUG = "Adverse-Effect", "Drug"
RASH = sentence("Rash after lithium .", (EFFECT, "Rash"), (DRUG, "lithium"))


@pytest.mark.parametrize(
    ("published", "text"),
    [
        ("Rash after lithium .", "Rash after lithium."),
        ("A 34-year - old man : rash , fever .", "A 34-year-old man: rash, fever."),
        ("sero - negative ( RF ) arthritis", "sero-negative (RF) arthritis"),
        ("( a ) 5 % of IV / IM doses ; why ?", "(a) 5% of IV/IM doses; why?"),
        ("Graves 's disease -- again", "Graves's disease--again"),
    ],
)
def test_tokens_become_a_sentence(published, text):
    assert convert_tokens(sentence(published))["text"] == text


def test_spans_lie_in_the_sentence_and_relations_go_from_the_drug():
    data = sentence(
        "Severe ( grade 3 ) rash and methotrexate - induced fever .",
        (EFFECT, "Severe ( grade 3 ) rash"),
        (DRUG, "methotrexate"),
        (EFFECT, "fever"),
        relations=[(0, 1), (2, 1)],
    )

    record = convert_tokens(data)

    texts = {
        e["id"]: (record["text"][e["start"] : e["end"]], e["label"])
        for e in record["entities"]
    }
    assert list(texts.values()) == [
        ("Severe (grade 3) rash", "EFFECT"),
        ("methotrexate", "DRUG"),
        ("fever", "EFFECT"),
    ]
    assert [
        (texts[r["head"]][0], r["label"], texts[r["tail"]][0])
        for r in record["relations"]
    ] == [
        ("methotrexate", "ADVERSE_EFFECT", "Severe (grade 3) rash"),
        ("methotrexate", "ADVERSE_EFFECT", "fever"),
    ]


def test_what_overlaps_is_kept_and_what_is_said_twice_is_not():
    data = sentence(
        "Lithium tremor .",
        (EFFECT, "Lithium tremor"),
        (DRUG, "Lithium"),
        (DRUG, "Lithium"),
        relations=[(0, 1), (0, 2)],
    )

    record = convert_tokens(data)

    assert len(record["entities"]) == 2
    assert len(record["relations"]) == 1


def test_published_file_becomes_a_corpus_for_its_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sentences = [
        {**sentence(f"Rash after lithium , case {i} ."), "orig_id": i} for i in range(3)
    ]
    related = {**RASH, "relations": [{"type": EFFECT, "head": 0, "tail": 1}]}
    published = tmp_path / "ade_split_0_train.json"
    published.write_text(json.dumps([*sentences, {**related, "orig_id": 3}]))
    made, spacy_form = "corpus/ade/train.jsonl", "corpus/ade/train.spacy"

    for source, target, *form in (
        (str(published), made, "--form", "ade"),
        (made, spacy_form),
    ):
        result = CliRunner().invoke(
            ramie_cli, ["convert", source, target, *form, "--schema", "ade"]
        )
        assert result.exit_code == 0, result.output

    setup = load_setup(CONFIG, {})
    docs = setup.docs("train")
    assert [doc.text for doc in docs][-1] == "Rash after lithium."
    assert {ent.label_ for ent in docs[-1].ents} == {"DRUG", "EFFECT"}
    # It has pairs of one kind only, and nothing in place of usage.
    assert list(setup.component.extraction.tasks) == ["ner", "te"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no JSON", "not JSON"),
        (json.dumps([RASH, {"tokens": ["a"]}]), "record 2.*as ADE has them"),
        (
            json.dumps([{**RASH, "relations": [{"head": 0, "tail": 5}]}]),
            "record 1.*as ADE has them",
        ),
    ],
)
def test_file_that_is_not_ade_is_refused(tmp_path, content, said):
    path = tmp_path / "x.json"
    path.write_text(content)

    with pytest.raises(CorpusError, match=rf"\[R101\].*{said}"):
        convert_ade(path)


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="R102"):
        convert_ade(tmp_path / "x.json")


def test_its_schema_is_registered():
    schema = spacy.registry.misc.get("spacy_ramie.ADE.v1")()

    assert list(schema.entities) == ["DRUG", "EFFECT"]
    assert schema.can_relate("DRUG", "EFFECT")
    assert not schema.can_relate("EFFECT", "DRUG")
    assert not schema.usage
