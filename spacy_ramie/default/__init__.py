"""The model that comes along: a small base, a LoRA adapter and an exemplar bank."""

from collections.abc import Iterator
from pathlib import Path

import srsly

from ..types import Exemplar

# How the base is called in configs, wherever the package lies.
NAME = "ramie-small"

FOLDER = Path(__file__).parent
BASE = FOLDER / "base"
ADAPTER = FOLDER / "adapter"
INGREDIENTS = FOLDER / "ingredients.json"
TEMPERATURES = FOLDER / "temperatures.json"
FLOORS = FOLDER / "floors.json"
EXEMPLARS = FOLDER / "exemplars.jsonl"


def read_exemplars() -> Iterator[Exemplar]:
    """Read the exemplars of the supplement corpus's training split.

    YIELDS (Exemplar): The exemplars of all tasks.
    """
    for row in srsly.read_jsonl(EXEMPLARS):
        yield Exemplar(**row)
