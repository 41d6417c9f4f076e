"""Exemplars as they lie on disk: checked when they are read, parsed when one is shown.

A bank of 50,000 takes a third of a second to parse, and a note is shown a handful.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import overload

import srsly

from ..errors import Errors, RetrievalError
from ..types import Exemplar
from .sidecar import checksum

EXEMPLARS = "exemplars.jsonl"
# Says how many there are of each task, in the order of the file, and its checksum.
COUNTS = "exemplars.json"


class StoredExemplars(Sequence[Exemplar]):
    """Exemplars of one task, each parsed when it is asked for.

    lines (Sequence[bytes]): Their JSON.
    """

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        """How many they are."""
        return len(self._lines)

    @overload
    def __getitem__(self, at: int) -> Exemplar: ...

    @overload
    def __getitem__(self, at: slice) -> "StoredExemplars": ...

    def __getitem__(self, at: int | slice) -> "Exemplar | StoredExemplars":
        """Parse one; of a slice none."""
        if isinstance(at, slice):
            return StoredExemplars(self._lines[at])
        return Exemplar(**srsly.json_loads(self._lines[at]))


def write_exemplars(path: Path, banks: Mapping[str, Sequence[Exemplar]]) -> None:
    """Write the exemplars of all tasks into one file, and its sidecar.

    path (Path): A folder.
    banks (Mapping): Exemplars by task.
    """
    file = path / EXEMPLARS
    srsly.write_jsonl(file, map(asdict, chain.from_iterable(banks.values())))
    counts = {task: len(exemplars) for task, exemplars in banks.items()}
    srsly.write_json(path / COUNTS, {"tasks": counts, "sha256": checksum(file)})


def read_exemplars(path: Path) -> dict[str, StoredExemplars]:
    """Read what `write_exemplars` wrote.

    path (Path): The folder.
    RETURNS (dict): Exemplars by task.
    """
    file, sidecar = path / EXEMPLARS, path / COUNTS
    if not file.is_file():
        raise RetrievalError(Errors.R306.format(path=path))
    try:
        meta = srsly.read_json(sidecar)
        counts, expected = meta["tasks"], meta["sha256"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        problem = f"{COUNTS} beside it cannot be read"
        raise _damaged(file, problem) from error
    if checksum(file) != expected:
        raise _damaged(file, f"its checksum is not that of {COUNTS}")
    # By line feeds alone: JSON escapes those within a string.
    lines = file.read_bytes().split(b"\n")
    found, at = {}, 0
    for task, count in counts.items():
        found[task] = StoredExemplars(lines[at : at + count])
        at += count
    return found


def _damaged(file: Path, problem: str) -> RetrievalError:
    return RetrievalError(Errors.R307.format(path=file, problem=problem))
