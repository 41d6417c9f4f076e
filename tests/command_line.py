"""The commands called as a user calls them, and what they print, made comparable."""

import os
import re
import subprocess
import sys

from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli


def ramie(*arguments):
    return CliRunner().invoke(ramie_cli, [*map(str, arguments)])


def words(text):
    """Without colours and the line breaks of a narrow screen."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", text).split())


def spacy_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "spacy", *map(str, arguments)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )


def mended_by_user(result):
    """Whether a command left with one message and status 1."""
    stopped = isinstance(result.exception, SystemExit)
    return stopped and result.exit_code == 1 and "Traceback" not in result.output


def table_rows(output):
    return [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in output.splitlines()
        if line.startswith("│")
    ]
