"""The default style: one item a line, a tab between fields, bare labels.

A blank stands before every field and around every marked span. Tokenizers write a
word behind a blank with other tokens than behind a tab, a line break or a bracket:
only with the blank is a copied span made of the tokens that the sentence has.
"""

from collections.abc import Sequence

from ..engine.grammar import items_grammar
from ..types import Unit
from .base import Row, Style
from .shown import show
from .wording import Wording

NOTHING = "None"


class CompactStyle(Wording):
    """Answers without scaffolding: few tokens, and legal by grammar."""

    def __init__(self) -> None:
        super().__init__("compact")

    def ask_pair(
        self, sentence: str, head: tuple[int, int], tail: tuple[int, int]
    ) -> str:
        """Mark head and tail in the sentence: a repeated word stays one mention."""
        marked = _mark(sentence, [(*head, "<< ", " >>"), (*tail, "[[ ", " ]]")])
        return (
            f"{marked}\nrelation of {sentence[slice(*head)]}"
            f" to {sentence[slice(*tail)]}?"
        )

    def ask_mention(self, sentence: str, mention: tuple[int, int], what: str) -> str:
        """Mark the mention in the sentence and ask for its class."""
        marked = _mark(sentence, [(*mention, "[[ ", " ]]")])
        return f"{marked}\n{what} of {sentence[slice(*mention)]}?"

    def write_items(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Write one item a line, or None."""
        lines = ["\t".join(f" {field}" for field in row) for row in rows]
        return "\n".join(lines or [f" {NOTHING}"])

    def read_items(
        self, names: Sequence[str], text: str
    ) -> tuple[list[Row], list[str]]:
        """Read the lines; one with another number of fields cannot be read."""
        rows, unread, start = [], [], 0
        for line in text.split("\n"):
            end = start + len(line)
            fields = tuple(field.strip() for field in line.split("\t"))
            if len(fields) == len(names) and all(fields):
                rows.append(Row(fields, start, end))
            elif line.strip() != NOTHING:
                unread.append(line)
            start = end + 1
        return rows, unread

    def write_label(self, name: str, word: str) -> str:
        """Write the bare word."""
        return f" {word}"

    def read_label(self, name: str, text: str) -> str | None:
        """Read the first line."""
        return text.strip().split("\n")[0].strip() or None

    def grammar(
        self, unit: Unit, columns: Sequence[Sequence[str] | None]
    ) -> str | None:
        """Give the grammar of an item list about a sentence."""
        return items_grammar(chunks(unit), columns)


def chunks(unit: Unit) -> list[str]:
    """Cut the shown sentence into its tokens and the blanks between them.

    unit (Unit): The sentence.
    RETURNS (list[str]): The pieces; joined they are the shown sentence.
    """
    shown, pieces, at = show(unit.text), [], 0
    for start, end in unit.tokens:
        pieces += [shown[at:start], shown[start:end]]
        at = end
    return [piece for piece in pieces if piece]


def _mark(sentence: str, marks: list[tuple[int, int, str, str]]) -> str:
    """Put brackets around spans, innermost last, from right to left."""
    # At one place a closing bracket comes before an opening one, and the longer
    # span's opening before the shorter's.
    cuts = [(start, 1, -end, opening) for start, end, opening, _ in marks]
    cuts += [(end, 0, -start, closing) for start, end, _, closing in marks]
    for at, _, _, bracket in sorted(cuts, reverse=True):
        sentence = sentence[:at] + bracket + sentence[at:]
    return sentence


def make_compact() -> Style:
    """Make the default style (`spacy_ramie.Compact.v1`)."""
    return CompactStyle()
