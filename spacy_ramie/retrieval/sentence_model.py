"""Models of sentence-transformers: found, told apart and loaded on this machine."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import Errors, RetrievalError, first_line
from ..files import model_folder


def load_sentence_model(name: str, device: str) -> Any:
    """Load a model of sentence-transformers as it was saved, never from the network.

    name (str): Folder or Hub name.
    device (str): Where to.
    RETURNS (Any): The model.
    """
    from sentence_transformers import SentenceTransformer

    folder = str(sentence_folder(name))
    try:
        return SentenceTransformer(folder, device=device, local_files_only=True)
    except Exception as error:
        # The libraries raise a dozen kinds for a folder that is no model.
        raise unloadable(name, error) from error


def fingerprint_of(model: str) -> str:
    """Give a short hash that changes with the files of a model.

    model (str): Folder or Hub name.
    RETURNS (str): Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(sentence_folder(model).rglob("*")):
        if file.suffix in (".json", ".txt"):
            digest.update(file.read_bytes())
        elif file.suffix in (".safetensors", ".bin"):
            for piece in _sample(file):
                digest.update(piece)
    return digest.hexdigest()[:16]


def _sample(file: Path) -> Iterator[bytes]:
    """Give the size of a weight file and 256 pieces from all over it.

    Two models of one shape differ in their numbers alone; to read all of them
    would take as long as to load them.
    """
    size = file.stat().st_size
    yield str(size).encode()
    with file.open("rb") as stream:
        for i in range(256):
            stream.seek(i * size // 256)
            yield stream.read(4096)


def sentence_folder(model: str) -> Path:
    """Find the folder of a model on this machine.

    model (str): Folder or Hub name.
    RETURNS (Path): The folder.
    """
    folder = model_folder(model)
    if folder is None:
        problem = "it is neither a folder nor in the Hugging Face cache"
        raise RetrievalError(Errors.R304.format(encoder=model, problem=problem))
    return folder


def unloadable(name: str, error: Exception) -> RetrievalError:
    """Say in one line why a model cannot be loaded.

    name (str): Folder or Hub name.
    error (Exception): What the library raised.
    RETURNS (RetrievalError): To be raised.
    """
    problem = f"{type(error).__name__}: {first_line(error)}"
    return RetrievalError(Errors.R304.format(encoder=name, problem=problem))
