"""What a user can mend, in a corpus or a pipeline, is one clear line."""

import re

import pytest
import spacy
import srsly
from command_line import mended_by_user, ramie, words


def test_bad_records_are_listed_one_a_line(tmp_path):
    bad = [{"id": f"r{i}", "text": None} for i in range(3)]
    srsly.write_jsonl(tmp_path / "x.jsonl", bad)

    result = ramie("convert", tmp_path / "x.jsonl", tmp_path / "x.spacy")

    assert mended_by_user(result)
    assert "3 bad record(s)" in words(result.output)
    lines = [line for line in result.output.splitlines() if "[R101]" in line]
    assert [re.search(r"line (\d), record (r\d)", x).groups() for x in lines] == [
        ("1", "r0"),
        ("2", "r1"),
        ("3", "r2"),
    ]
    assert not (tmp_path / "x.spacy").exists()


def test_unknown_schema_is_answered_with_the_known_ones(corpus_files):
    result = ramie("check", corpus_files["dev"], "--schema", "drugs")

    assert mended_by_user(result)
    assert "R009" in result.output
    assert "phee, supplements, supplements_paper" in words(result.output)


@pytest.mark.parametrize("command", ["extract", "report"])
def test_missing_pipeline_is_one_clear_error(command, tmp_path):
    files = ["a note"] if command == "extract" else ["x.spacy", "x.json", "x.html"]

    result = ramie(command, tmp_path / "none", *files)

    assert mended_by_user(result)
    assert "[R010]" in result.output


def test_pipeline_without_the_component_is_one_clear_error(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "model")

    result = ramie("extract", tmp_path / "model", "a note")

    assert mended_by_user(result)
    assert "[R011]" in result.output


def test_own_labels_without_an_adapter_are_one_clear_error(tmp_path):
    nlp = spacy.blank("en")
    labels = {"schema": {"@misc": "spacy_ramie.PHEE.v1"}}
    nlp.add_pipe("ramie_extractor", config=labels)
    nlp.to_disk(tmp_path / "model")

    result = ramie("extract", tmp_path / "model", "Takes garlic.")

    assert mended_by_user(result)
    assert "[R201]" in result.output
