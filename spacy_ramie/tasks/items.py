"""What the tasks with lists for answers share: failures and confidence."""

import math
from collections.abc import Sequence

from ..styles import Row
from ..types import Answer, Failure


def row_score(row: Row, answer: Answer) -> float | None:
    """Give the probability that the model, before any mask, gave to an item.

    row (Row): The item.
    answer (Answer): The answer it stands in.
    RETURNS (float | None): The product over the item's tokens, in [0, 1]; None
        where the engine gave no probabilities.
    """
    inside = [p for end, p in answer.pieces if row.start < end <= row.end]
    return math.exp(sum(inside)) if inside else None


def complete_rows(
    rows: Sequence[Row], unread: Sequence[str], answer: Answer
) -> tuple[list[Row], list[Failure]]:
    """Drop what a cut-off answer left half said, and say what could not be read.

    rows (Sequence[Row]): The items that were read.
    unread (Sequence[str]): What was not.
    answer (Answer): The answer they are from.
    RETURNS (tuple): The items to keep, and the failures.
    """
    if not answer.truncated:
        failures = [
            Failure("unparsable", "the answer is not a list of items", text)
            for text in unread
        ]
        return list(rows), failures
    whole = [row for row in rows if row.end < len(answer.text)]
    message = f"the answer was cut off; {len(whole)} complete item(s) were kept"
    return whole, [Failure("truncated", message, answer.text)]


def ungrounded(text: str, answer: Answer) -> Failure:
    """Say that a piece of an answer does not stand in the sentence (that often)."""
    message = f"{text!r} does not stand in the sentence, or not that often"
    return Failure("ungrounded", message, answer.text)


def unknown_label(word: str, answer: Answer) -> Failure:
    """Say that a word of an answer is none of the labels."""
    return Failure("unparsable", f"{word!r} is not one of the labels", answer.text)
