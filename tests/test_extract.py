"""`ramie extract`: a note, as text or in a file; what was found and what failed."""

import re

import pytest
from command_line import mended_by_user, ramie, table_rows, words

NOTE = "Started melatonin for insomnia. No nausea"


@pytest.mark.parametrize("source", ["text", "file"])
def test_extract_prints_what_was_found_in_a_note(model, source, tmp_path):
    (tmp_path / "note.txt").write_text(NOTE)
    given = NOTE if source == "text" else tmp_path / "note.txt"

    result = ramie("extract", model, given)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(NOTE)
    rows = table_rows(result.stdout)
    supplement = next(row for row in rows if row[0] == "melatonin")
    # Text, label, ingredient, usage, confidence.
    assert supplement[1:3] == ["DS", "melatonin"]
    assert supplement[3] in {"CONTINUE", "DISCONTINUE", "START", "UNCERTAIN"}
    assert ["insomnia", "EVENT", "", "", ""] in rows
    (relation,) = [row for row in rows if row[2] == "insomnia" and row[3] == "re"]
    assert relation[0] == "melatonin"
    assert re.fullmatch(r"\d+%", relation[4])


def test_extract_prints_failures(model):
    result = ramie("extract", model, NOTE)

    assert "unasked: the entity crosses a sentence border" in words(result.output)


def test_extract_takes_a_note_too_long_for_a_file_name(model):
    note = NOTE + ". Slept well." * 400

    result = ramie("extract", model, note)

    assert result.exit_code == 0, result.output
    assert ["insomnia", "EVENT", "", "", ""] in table_rows(result.output)


def test_a_note_in_a_file_that_is_not_there_is_no_note(model):
    result = ramie("extract", model, "missing.txt")
    assert mended_by_user(result)
    assert "missing.txt" in words(result.output)


def test_a_note_in_another_encoding_is_one_clear_error(model, tmp_path):
    (tmp_path / "note.txt").write_bytes("naïve".encode("latin-1"))
    result = ramie("extract", model, tmp_path / "note.txt")
    assert mended_by_user(result)
    assert "[R403]" in result.output


def test_a_pipeline_with_a_task_of_a_user_is_given_its_code(model, tmp_path):
    (tmp_path / "own.py").write_text("print('own code')")
    result = ramie("extract", model, "No melatonin.", "--code", tmp_path / "own.py")
    assert result.exit_code == 0
    assert "melatonin" in result.output
