"""Bad records are refused with place and reason, by the check all of them at once."""

import re

import pytest
from command_line import ramie
from good_record import DS, EVENT, RELATION, USAGE, record, said, write_lines

from spacy_ramie.corpus.records import read_records
from spacy_ramie.errors import CorpusError
from spacy_ramie.schema import make_supplements

# What is changed in a good record, and what is said of it.
BAD = {
    "ends outside": (
        {"entities": [DS, {**EVENT, "end": 99}]},
        "entity T2: offsets 20:99 lie outside the text of 26 characters",
    ),
    "starts outside": (
        {"entities": [{**DS, "start": -1}, EVENT]},
        "entity T1: offsets -1:15 lie outside",
    ),
    "empty span": ({"entities": [DS, {**EVENT, "end": 20}]}, "or are empty"),
    "blank before": (
        {"entities": [{**DS, "start": 5}, EVENT]},
        "entity T1: ' melatonin' has a blank at its edge",
    ),
    "blank behind": (
        {"entities": [{**DS, "end": 16}, EVENT]},
        "entity T1: 'melatonin ' has a blank at its edge",
    ),
    "entity label": (
        {"entities": [DS, {**EVENT, "label": "DRUG"}], "relations": []},
        "entity T2: unknown label 'DRUG', known are: DS, EVENT",
    ),
    "relation label": (
        {"relations": [{**RELATION, "label": "CAUSES"}]},
        "relation T1-T2: unknown label 'CAUSES', known are: POSITIVE, NEGATIVE",
    ),
    "usage label": (
        {"usage": [{**USAGE, "label": "STOP"}]},
        "usage of T1: unknown label 'STOP', known are: CONTINUE, DISCONTINUE",
    ),
    "relation to nothing": (
        {"relations": [{**RELATION, "tail": "T9"}]},
        "relation T1-T9: there is no entity T9",
    ),
    "usage of nothing": (
        {"usage": [{**USAGE, "entity": "T9"}]},
        "usage of T9: there is no entity T9",
    ),
    "own task of nothing": (
        {"dose": [{"entity": "T9", "value": "3 mg"}]},
        "dose: there is no entity T9",
    ),
    "relation the wrong way": (
        {"relations": [{**RELATION, "head": "T2", "tail": "T1"}]},
        "relation T2-T1: the schema allows none from EVENT to DS",
    ),
    "usage of an event": (
        {"usage": [{**USAGE, "entity": "T2"}]},
        "usage of T2: the schema gives none to EVENT",
    ),
    "entity id twice": (
        {"entities": [DS, {**EVENT, "id": "T1"}], "relations": []},
        "two entities have the same id",
    ),
    "pair twice": (
        {"relations": [RELATION, {**RELATION, "label": "NEGATIVE"}]},
        "two relations have the same head and tail",
    ),
    "usage twice": (
        {"usage": [USAGE, {**USAGE, "label": "START"}]},
        "two usage classes for one entity",
    ),
    "offset as text": (
        {"entities": [{**DS, "start": "6"}, EVENT]},
        "entities.0.start: Input should be a valid integer",
    ),
    "offset as fraction": (
        {"entities": [{**DS, "start": 6.0}, EVENT]},
        "entities.0.start: Input should be a valid integer",
    ),
    "text missing": ({"text": None}, "text: Input should be a valid string"),
    "half a character": (
        {"text": "\ud83dakes melatonin for sleep."},
        "text: it holds half of a surrogate pair",
    ),
    "entities as object": (
        {"entities": {"T1": DS}},
        "entities: Input should be a valid list",
    ),
    "entity as text": ({"entities": ["DS"]}, "entities.0: Input should be a valid"),
    "misspelt key": (
        {"entities": [{**DS, "ingredients": "melatonin"}, EVENT]},
        "entities.0.ingredients: Extra inputs are not permitted",
    ),
}


@pytest.mark.parametrize(("changed", "reason"), BAD.values(), ids=BAD)
def test_bad_record_is_refused_with_its_place_and_the_reason(tmp_path, changed, reason):
    bad = record(**changed)
    path = write_lines(tmp_path / "x.jsonl", record("a"), "", bad, record("c"))

    with pytest.raises(CorpusError) as caught:
        read_records(path, make_supplements())

    assert f"{path}, line 3, record b: " in str(caught.value)
    assert reason in str(caught.value)
    assert "record a" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "id", "reason"),
    [
        ('{"id": "b", "text": ', "?", "not JSON: Expecting value"),
        ("[]", "?", "Input should be a valid dictionary"),
        ('"b"', "?", "Input should be a valid dictionary"),
        (record(id=7), "7", "id: Input should be a valid string"),
        (record(id=["b"]), "['b']", "id: Input should be a valid string"),
        ({"id": "b"}, "b", "text: Field required"),
        (record(id="a"), "a", "the id was used before"),
    ],
)
def test_line_that_is_no_record_of_its_own_is_refused(tmp_path, line, id, reason):
    path = write_lines(tmp_path / "x.jsonl", record("a"), line)

    with pytest.raises(CorpusError, match=re.escape(f"line 2, record {id}: {reason}")):
        read_records(path, make_supplements())


def test_line_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes('{"id": "a", "text": "Kräuter"}'.encode("latin-1"))

    with pytest.raises(CorpusError, match="line 1, record .: not JSON: 'utf-8' codec"):
        read_records(path, make_supplements())


def test_check_lists_every_problem_of_every_file_at_once(tmp_path):
    bad = [record(f"b{i}", **changed) for i, (changed, _) in enumerate(BAD.values())]
    first = write_lines(tmp_path / "first.jsonl", record("a"), *bad, "[]", "no JSON")
    second = write_lines(tmp_path / "second.jsonl", record("a"), record("c"))

    result = ramie("check", first, second)

    assert result.exit_code == 1
    output = said(result)
    for line, (_, reason) in enumerate(BAD.values(), start=2):
        assert f"{first}, line {line}, record b{line - 2}: " in output
        assert reason in output
    assert f"{second}, record a: the id is also in {first}" in output
    # A good record is said nothing of.
    assert "record c" not in output
    assert f" {output.count('[R101]') + 1} problem(s)" in output


def test_check_counts_records_and_labels_of_good_files(tmp_path):
    path = write_lines(tmp_path / "x.jsonl", record("a"), record("b", usage=[]))

    result = ramie("check", path)

    assert result.exit_code == 0
    counts = "2 records, 2 DS, 2 EVENT, 2 POSITIVE, 1 CONTINUE"
    assert f"{path}: {counts}" in said(result)


def test_error_about_a_hopeless_file_stays_readable(tmp_path):
    bad = [record(str(i), text="") for i in range(100)]
    path = write_lines(tmp_path / "x.jsonl", *bad)

    with pytest.raises(CorpusError, match="200 bad record") as caught:
        read_records(path, make_supplements())

    assert len(str(caught.value).splitlines()) < 30
