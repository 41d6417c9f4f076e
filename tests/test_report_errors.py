"""A report that cannot be made of the files at hand says which one, and why."""

import sys

import pytest
import srsly
from command_line import mended_by_user, ramie, words
from report_files import LABELLED, METRICS


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "R404", id="missing"),
        pytest.param(b"\xff\xfe{", "R40", id="no text"),
        pytest.param(b"not json", "R404", id="no JSON"),
        pytest.param(b"{}", "R402", id="of something else"),
        pytest.param(b"[]", "R402", id="a list"),
    ],
)
def test_metrics_that_are_none_are_one_clear_error(model, tmp_path, content, expected):
    srsly.write_jsonl(tmp_path / "test.jsonl", [LABELLED])
    if content is not None:
        (tmp_path / "test.json").write_bytes(content)
    files = tmp_path / "test.jsonl", tmp_path / "test.json", tmp_path / "report.html"
    result = ramie("report", model, *files)
    assert mended_by_user(result)
    assert f"[{expected}" in result.output


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--experiments", {"strict": {}}, "[R402]"),
        ("--neighbours", METRICS, "[R402]"),
    ],
)
def test_file_of_another_command_is_one_clear_error(
    model, option, content, said, tmp_path
):
    srsly.write_json(tmp_path / "x.json", content)
    srsly.write_json(tmp_path / "test.json", METRICS)
    files = (model, "x.spacy", tmp_path / "test.json", "x.html")

    result = ramie("report", *files, option, tmp_path / "x.json")

    assert mended_by_user(result), result.exception
    assert said in result.output


def test_report_without_matplotlib_says_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    srsly.write_jsonl(tmp_path / "test.jsonl", [LABELLED])
    srsly.write_json(tmp_path / "test.json", METRICS)

    result = ramie(
        *("report", model, tmp_path / "test.jsonl", tmp_path / "test.json"),
        tmp_path / "report.html",
    )

    assert mended_by_user(result), result.exception
    assert 'pip install "spacy-ramie[report]"' in words(result.output)
