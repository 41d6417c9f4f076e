"""What an answer style is."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from ..schema import Schema
from ..types import Unit


class Row(NamedTuple):
    """One item of an answer and where it stands there, in characters."""

    fields: tuple[str, ...]
    start: int
    end: int


@runtime_checkable
class Style(Protocol):
    """How prompts are worded, and how answers are written and read."""

    name: str

    def instruction(self, task: str, schema: Schema) -> str:
        """Give the instruction of a built-in task."""

    def instruction_part(self, instruction: str) -> str:
        """Give the first part of a prompt."""

    def example_part(self, input: str, answer: str) -> str:
        """Give the part of a prompt that shows an exemplar."""

    def input_part(self, input: str) -> str:
        """Give the last part of a prompt."""

    def ask_pair(
        self, sentence: str, head: tuple[int, int], tail: tuple[int, int]
    ) -> str:
        """Ask for the relation of two spans of a shown sentence."""

    def ask_mention(self, sentence: str, mention: tuple[int, int], what: str) -> str:
        """Ask for the class of one span of a shown sentence."""

    def write_items(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Write a list of items as a completion; names are those of the fields."""

    def read_items(
        self, names: Sequence[str], text: str
    ) -> tuple[list[Row], list[str]]:
        """Read a completion: its items, and what could not be read."""

    def write_label(self, name: str, word: str) -> str:
        """Write one label as a completion; name is that of its field."""

    def read_label(self, name: str, text: str) -> str | None:
        """Read the label of a completion; None where there is none."""

    def grammar(
        self, unit: Unit, columns: Sequence[Sequence[str] | None]
    ) -> str | None:
        """Give the grammar of an item list, or None where it is read as free text.

        columns: Per field the words it can hold; None: a piece of the sentence.
        """
