"""The commands hang under spaCy's, say what they take, and fail without a traceback."""

import re

import pytest
from command_line import ramie, spacy_process, words

COMMANDS = (
    *("audit", "base", "baseline", "check", "compare", "convert", "experiment"),
    *("extract", "neighbours", "report", "train", "variants"),
)


def test_commands_hang_under_those_of_spacy():
    result = spacy_process("ramie", "--help")

    assert result.returncode == 0
    listed = re.findall(r"^\W*(\w+)\s{2,}", result.stdout, re.M)
    assert set(COMMANDS) <= set(listed)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("audit", ["MODEL", "TEST", "OTHERS", "--released"]),
        ("base", ["CONFIG", "--code", "[ramie.base]"]),
        ("check", ["PATHS", "--schema", "supplements_paper"]),
        ("baseline", ["CONFIG", "OUTPUT", "--training.max_steps"]),
        ("compare", ["MODEL", "BASELINE", "CORPUS", "OUTPUT"]),
        ("convert", ["SOURCE", "TARGET", "--form", "phee"]),
        ("experiment", ["CONFIG", "OUTPUT", "--code", "--gpu-id"]),
        ("neighbours", ["MODEL", "CORPUS", "OUTPUT"]),
        ("variants", ["MODEL", "CORPUS", "OUTPUT", "--seed", "--gpu-id"]),
        ("extract", ["MODEL", "TEXT"]),
        ("report", ["MODEL", "CORPUS", "METRICS", "OUTPUT", "--experiments"]),
        ("train", ["CONFIG", "--gpu-id", "--code", "--ramie.training.max_steps"]),
    ],
)
def test_help_names_arguments_and_options(command, said):
    result = ramie(command, "--help")

    assert result.exit_code == 0
    assert all(word.lower() in result.output.lower() for word in said)


def test_error_of_the_installed_command_has_no_traceback(tmp_path):
    result = spacy_process("ramie", "check", tmp_path / "none.jsonl")

    assert result.returncode == 1
    said = words(result.stdout + result.stderr)
    assert said == (
        f"✘ [R102] {tmp_path / 'none.jsonl'}: no such file."
        " Give the path of a .jsonl or .spacy corpus."
    )
