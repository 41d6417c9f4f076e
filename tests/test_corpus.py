"""The corpus that comes along: no record twice or nearly so, and every label in it."""

from collections import Counter
from itertools import combinations

import pytest
from command_line import ramie
from conftest import ROOT

from spacy_ramie.corpus.alike import near_duplicates, same_skeletons
from spacy_ramie.corpus.records import read_records
from spacy_ramie.schema import make_supplements

CORPUS = ROOT / "corpus"
SPLITS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def splits():
    return {
        name: read_records(CORPUS / f"{name}.jsonl", make_supplements())
        for name in SPLITS
    }


def without_blanks(text):
    return " ".join(text.lower().split())


def test_corpus_passes_the_check():
    result = ramie("check", *(CORPUS / f"{name}.jsonl" for name in SPLITS))

    assert result.exit_code == 0, result.output


def test_corpus_has_no_id_and_no_text_twice(splits):
    records = [record for split in splits.values() for record in split]

    assert len(records) >= 300
    assert len({record["id"] for record in records}) == len(records)
    assert len({without_blanks(r["text"]) for r in records}) == len(records)


def test_corpus_has_no_skeletons(splits):
    assert same_skeletons(r for split in splits.values() for r in split) == []


@pytest.mark.parametrize(("one", "other"), combinations(SPLITS, 2))
def test_no_record_of_a_split_is_nearly_one_of_another(splits, one, other):
    assert near_duplicates(splits[one], splits[other]) == []


@pytest.mark.parametrize("name", SPLITS)
def test_every_split_has_every_label_and_records_without(splits, name):
    records = splits[name]
    labels = {
        item["label"]
        for record in records
        for kind in ("entities", "relations", "usage")
        for item in record[kind]
    }
    schema = make_supplements()

    assert labels == {*schema.entities, *schema.relations, *schema.usage}
    supplements = [sum(e["label"] == "DS" for e in r["entities"]) for r in records]
    assert 0.1 <= supplements.count(0) / len(records) <= 0.3
    assert any(not r["entities"] for r in records)
    assert any(r["entities"] and not r["relations"] for r in records)
    # Every mention of a supplement has a usage class.
    assert supplements == [len(r["usage"]) for r in records]


def test_test_split_has_ingredients_that_training_never_saw(splits):
    ingredients = {
        name: {
            e["ingredient"] for r in records for e in r["entities"] if "ingredient" in e
        }
        for name, records in splits.items()
    }

    assert len(ingredients["test"] - ingredients["train"] - ingredients["dev"]) >= 20


def test_table_of_the_corpus_readme_is_right(splits):
    rows = {
        cells[1].strip(): [int(c.replace(",", "")) for c in cells[2:-1]]
        for line in (CORPUS / "README.md").read_text().splitlines()
        if (cells := line.split("|"))[0] == ""
        and cells[1:2]
        and cells[1].strip() in SPLITS
    }

    for name, records in splits.items():
        counts = Counter(
            item["label"]
            for record in records
            for kind in ("entities", "relations", "usage")
            for item in record[kind]
        )
        without = sum(all(e["label"] != "DS" for e in r["entities"]) for r in records)
        schema = make_supplements()
        labels = (*schema.entities, *schema.relations, *schema.usage)
        assert rows[name] == [len(records), without, *(counts[x] for x in labels)]
