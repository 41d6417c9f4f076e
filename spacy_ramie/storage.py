"""What of a component is saved, as folders and as bytes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import srsly

from .files import folder_bytes

if TYPE_CHECKING:
    from .component import RamieExtractor

TEMPERATURES = "temperatures.json"
FLOORS = "floors.json"

# Names of parts, with what writes or reads them.
Parts = dict[str, Callable[..., Any]]


def disk_writers(component: "RamieExtractor") -> Parts:
    """Give what writes each part into a file or folder.

    component (RamieExtractor): The component to save.
    RETURNS (Parts): Functions of a path.
    """
    extraction = component.extraction
    return {
        "retriever": extraction.retriever.to_disk,
        "engine": partial(_write_folder, extraction.engine.to_disk),
        "ingredients.json": partial(_write_json, component.ingredients),
        TEMPERATURES: partial(_write_json, extraction.temperatures),
        FLOORS: partial(_write_json, extraction.floors),
    }


def disk_readers(component: "RamieExtractor") -> Parts:
    """Give what reads each part back.

    component (RamieExtractor): The component to fill.
    RETURNS (Parts): Functions of a path.
    """
    extraction = component.extraction
    return {
        "retriever": extraction.retriever.from_disk,
        "engine": extraction.engine.from_disk,
        "ingredients.json": partial(_read_json, component, "ingredients"),
        TEMPERATURES: partial(_read_json, extraction, "temperatures"),
        FLOORS: partial(_read_json, extraction, "floors"),
    }


def bytes_writers(component: "RamieExtractor") -> Parts:
    """Give what serialises each part.

    component (RamieExtractor): The component to save.
    RETURNS (Parts): Functions that give data for msgpack.
    """
    extraction = component.extraction
    return {
        "retriever": extraction.retriever.to_bytes,
        "engine": partial(folder_bytes, extraction.engine.to_disk),
        "ingredients": lambda: component.ingredients,
        "temperatures": lambda: extraction.temperatures,
        "floors": lambda: extraction.floors,
    }


def bytes_readers(component: "RamieExtractor") -> Parts:
    """Give what takes each serialised part in.

    component (RamieExtractor): The component to fill.
    RETURNS (Parts): Functions of what `bytes_writers` gave.
    """
    extraction = component.extraction
    return {
        "retriever": extraction.retriever.from_bytes,
        "engine": component.restore_engine,
        "ingredients": partial(setattr, component, "ingredients"),
        "temperatures": partial(setattr, extraction, "temperatures"),
        "floors": partial(setattr, extraction, "floors"),
    }


def _write_folder(write: Callable[[Path], None], path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    write(path)


def _write_json(data: Any, path: Path) -> None:
    srsly.write_json(path, data)


def _read_json(owner: object, name: str, path: Path) -> None:
    # A pipeline that was never calibrated may have been saved before there was such
    # a file.
    if path.is_file():
        setattr(owner, name, srsly.read_json(path))
