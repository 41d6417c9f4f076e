"""Retrieval is measured by answers, and a gold answer in the query is found out."""

import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.experiments.neighbours import discounted, overlap

answers = st.frozensets(st.sampled_from("abcdef"), min_size=1)
gains = st.lists(st.floats(0, 1), min_size=2, max_size=8)


@given(answers, answers)
def test_overlap_is_1_for_equal_answers_alone(one, other):
    assert overlap(one, other) == overlap(other, one)
    assert (overlap(one, other) == 1) == (one == other)
    assert (overlap(one, other) == 0) == (not one & other)


@given(gains)
def test_gains_are_discounted_as_sklearn_does(found):
    ideal = discounted(sorted(found, reverse=True))
    if ideal:
        places = [list(range(len(found), 0, -1))]
        expected = ndcg_score([found], places)
        assert discounted(found) / ideal == pytest.approx(expected)


def record(number, text, supplement, event, label):
    start, end = text.index(supplement), text.index(event)
    return {
        "id": f"n{number}",
        "text": text,
        "entities": [
            {
                "id": "T1",
                "start": start,
                "end": start + len(supplement),
                "label": "DS",
            },
            {"id": "T2", "start": end, "end": end + len(event), "label": "EVENT"},
        ],
        "relations": [{"head": "T1", "tail": "T2", "label": label}],
        "usage": [{"entity": "T1", "label": "CONTINUE"}],
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory, tiny_base):
    """Notes about one supplement whose words do not tell the relation."""
    import spacy

    folder = tmp_path_factory.mktemp("neighbours")
    labels = ("POSITIVE", "NEGATIVE", "NOT_RELATED")
    events = ("rash", "cough", "fever", "nausea", "edema", "pain")
    notes = [
        record(i, f"Garlic and {event} in {year}.", "Garlic", event, labels[i % 3])
        for i, (event, year) in enumerate((e, y) for y in range(10) for e in events)
    ]
    # The label of a test note is that of no note about the same event.
    test = [
        record(f"t{i}", f"Garlic and {e} in 99.", "Garlic", e, labels[(i + 1) % 3])
        for i, e in enumerate(events)
    ]
    srsly.write_jsonl(folder / "train.jsonl", notes)
    srsly.write_jsonl(folder / "test.jsonl", test)
    nlp = spacy.blank("en")
    component = nlp.add_pipe(
        "ramie_extractor", config={"engine": {"base": str(tiny_base)}}
    )
    component.initialize(lambda: [], nlp=nlp, exemplars=str(folder / "train.jsonl"))
    nlp.to_disk(folder / "model")
    output = folder / "new" / "neighbours.json"
    result = CliRunner().invoke(
        ramie_cli,
        ["neighbours", *map(str, (folder / "model", folder / "test.jsonl", output))],
    )
    assert result.exit_code == 0, result.output
    return srsly.read_json(output), result.output


def test_the_sentence_alone_finds_the_same_event(found):
    scores = found[0]["ner"]["sentence"]

    assert scores["copied"] == scores["precision@1"] == scores["ndcg@1"] == 1


def test_a_gold_answer_in_the_query_gives_itself_away(found):
    relations = found[0]["re"]

    assert relations["sentence"]["copied"] == 0
    assert relations["with answer"]["copied"] > 0.5
    assert relations["with answer"]["recall@5"] >= relations["with answer"]["recall@1"]


def test_every_task_and_both_queries_are_printed(found):
    scores, printed = found

    assert set(scores) == {"ner", "re", "te", "uc"}
    assert all(
        set(queries) == {"sentence", "with answer"} for queries in scores.values()
    )
    assert "copied" in printed
