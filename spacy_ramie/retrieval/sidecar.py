"""The sidecar of an index file: what it must be, checked before it is opened.

Annoy files have no header: one of another dimension is read without a word.
"""

import hashlib
from pathlib import Path
from typing import Any

import srsly

from ..errors import Errors, RetrievalError


def write_sidecar(
    file: Path, shape: tuple[int, ...], encoder: str, **settings: Any
) -> None:
    """Write the sidecar of an index file.

    file (Path): The index file, already written.
    shape (tuple): Number and dimension of its vectors.
    encoder (str): Identity of the encoder that made them.
    **settings: What the kind of index needs: metric, seed, trees.
    """
    meta = {
        **settings,
        "count": shape[0],
        "dimension": shape[1],
        "encoder": encoder,
        "sha256": checksum(file),
    }
    srsly.write_json(file.with_suffix(".json"), meta)


def check_sidecar(file: Path, **expected: Any) -> dict[str, Any]:
    """Check an index file against its sidecar.

    file (Path): The index file.
    **expected: What the sidecar must say.
    RETURNS (dict): The sidecar.
    """
    sidecar = file.with_suffix(".json")
    for path in (sidecar, file):
        if not path.is_file():
            raise _error(file, f"there is no {path.name}")
    meta = read_sidecar(sidecar)
    for key, value in expected.items():
        if meta.get(key) != value:
            raise _error(file, f"{key} is {meta.get(key)!r} and not {value!r}")
    if meta.get("sha256") != checksum(file):
        raise _error(file, "the checksum differs")
    return meta


def read_sidecar(sidecar: Path) -> dict[str, Any]:
    """Read a sidecar.

    sidecar (Path): Its file.
    RETURNS (dict): What it says, the size of the index at least.
    """
    try:
        meta = srsly.read_json(sidecar)
    except ValueError as error:
        raise _error(sidecar, f"{sidecar.name} is not JSON") from error
    if not isinstance(meta, dict) or not {"count", "dimension"} <= meta.keys():
        raise _error(sidecar, f"{sidecar.name} is no sidecar")
    return meta


def checksum(file: Path) -> str:
    """Give the SHA-256 of a file as a hexadecimal string."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _error(file: Path, problem: str) -> RetrievalError:
    return RetrievalError(Errors.R301.format(path=file, problem=problem))
