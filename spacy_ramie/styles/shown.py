"""The text of a note as a model may see it: character for character the same length."""

import re

# The template's lines and fields end at these, so a note must not bring its own.
_BLANKS = dict.fromkeys(map(ord, "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"), " ")
_HEADING = re.compile(r"#{3,}")


def show(text: str) -> str:
    """Make text safe to stand in a prompt without moving a character.

    Tabs and line breaks become blanks; the number signs of what looks like a
    heading of the template become their full-width twins. Offsets in the
    result are offsets in the text.

    text (str): A piece of a note.
    RETURNS (str): The same number of characters.
    """
    return _HEADING.sub(lambda m: "\uff03" * len(m[0]), text.translate(_BLANKS))
