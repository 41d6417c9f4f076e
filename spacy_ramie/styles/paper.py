"""The published wording, for comparison with the paper's figures.

Zhan et al., JAMIA 2025, and the authors' released code: answers are Python
literals. They are read with `ast.literal_eval`; nothing is ever evaluated.
"""

import ast
from collections.abc import Sequence

from ..types import Unit
from .base import Row, Style
from .wording import Wording


class PaperStyle(Wording):
    """Answers as a list of stringified dicts, read as free text."""

    def __init__(self) -> None:
        super().__init__("paper")

    def ask_pair(
        self, sentence: str, head: tuple[int, int], tail: tuple[int, int]
    ) -> str:
        """Ask as the released data do."""
        return (
            f"{sentence} The relationship between {sentence[slice(*head)]}"
            f" and {sentence[slice(*tail)]} is?"
        )

    def ask_mention(self, sentence: str, mention: tuple[int, int], what: str) -> str:
        """Ask as the released data do."""
        return f"{sentence}\nWhat is the {what} of {sentence[slice(*mention)]}?"

    def write_items(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Write {text: type} for two fields, {name: field, ...} for more."""
        return str([str(_as_dict(names, row)) for row in rows])

    def read_items(
        self, names: Sequence[str], text: str
    ) -> tuple[list[Row], list[str]]:
        """Read a list of dicts, stringified or not."""
        items = _literal(text.strip())
        if not isinstance(items, list):
            return [], [text]
        rows, unread = [], []
        for item in items:
            value = _literal(item) if isinstance(item, str) else item
            fields = _fields(names, value)
            if fields is None:
                unread.append(str(item))
            else:
                rows.append(Row(fields, 0, len(text)))
        return rows, unread

    def write_label(self, name: str, word: str) -> str:
        """Write a list with one stringified dict."""
        return str([str({name: word})])

    def read_label(self, name: str, text: str) -> str | None:
        """Read the label out of the list."""
        items = _literal(text.strip())
        item = items[0] if isinstance(items, list) and items else None
        value = _literal(item) if isinstance(item, str) else item
        label = value.get(name) if isinstance(value, dict) else None
        return label if isinstance(label, str) else None

    def grammar(
        self, unit: Unit, columns: Sequence[Sequence[str] | None]
    ) -> str | None:
        """Give none: the published answers are free text."""
        return None


def _as_dict(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    return {row[0]: row[1]} if len(names) == 2 else dict(zip(names, row, strict=True))


def _fields(names: Sequence[str], value: object) -> tuple[str, ...] | None:
    if not isinstance(value, dict):
        return None
    # Two fields are written as {text: type}.
    two = len(names) == 2 and len(value) == 1
    found = next(iter(value.items())) if two else [value.get(name) for name in names]
    fields = tuple(field for field in found if isinstance(field, str) and field)
    return fields if len(fields) == len(names) else None


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def make_paper() -> Style:
    """Make the published style (`spacy_ramie.Paper.v1`)."""
    return PaperStyle()
