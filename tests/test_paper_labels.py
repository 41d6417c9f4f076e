"""The paper's labels name the ingredient of a supplement, and drop the others."""

from collections import Counter

import pytest
import srsly
from command_line import ramie
from conftest import ROOT
from good_record import DS

from spacy_ramie.corpus.paper_labels import to_paper_labels
from spacy_ramie.schema import make_supplements_paper

CORPUS = ROOT / "corpus"


def test_paper_labels_name_the_ingredient_and_drop_the_others():
    text = "Melatonin and fish oil for sleep and gout."
    fish_oil = {"id": "T2", "start": 14, "end": 22, "label": "DS"}
    given = {
        "id": "x",
        "text": text,
        "entities": [
            {
                "id": "T1",
                "start": 0,
                "end": 9,
                "label": "DS",
                "ingredient": "melatonin",
            },
            {**fish_oil, "ingredient": "fish_oil"},
            {"id": "T3", "start": 27, "end": 32, "label": "EVENT"},
        ],
        "relations": [
            {"head": "T1", "tail": "T3", "label": "POSITIVE"},
            {"head": "T2", "tail": "T3", "label": "NOT_RELATED"},
        ],
        "usage": [
            {"entity": "T1", "label": "START"},
            {"entity": "T2", "label": "CONTINUE"},
        ],
        "source": "clinic b",
    }

    made = to_paper_labels(given, make_supplements_paper())

    assert [(e["id"], e["label"]) for e in made["entities"]] == [
        ("T1", "melatonin"),
        ("T3", "event"),
    ]
    assert made["relations"] == [{"head": "T1", "tail": "T3", "label": "POSITIVE"}]
    assert made["usage"] == [{"entity": "T1", "label": "START"}]
    assert (made["id"], made["text"], made["source"]) == ("x", text, "clinic b")


@pytest.mark.parametrize(
    "given",
    [
        {"id": "x", "text": "Nothing."},
        {"id": "x", "text": "Takes melatonin.", "entities": [DS]},
    ],
)
def test_paper_labels_of_a_record_with_little_in_it(given):
    made = to_paper_labels(given, make_supplements_paper())

    assert (made["entities"], made["relations"], made["usage"]) == ([], [], [])


def test_corpus_with_paper_labels_passes_their_check(tmp_path):
    paper = ("--schema", "supplements_paper")
    made = tmp_path / "paper.jsonl"

    converted = ramie(
        "convert", CORPUS / "dev.jsonl", made, "--form", "supplements", *paper
    )
    checked = ramie("check", made, *paper)

    assert (converted.exit_code, checked.exit_code) == (0, 0)
    labels = Counter(e["label"] for r in srsly.read_jsonl(made) for e in r["entities"])
    assert labels["event"] > 300
    assert len(labels) > 10
