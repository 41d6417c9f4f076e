"""Sentences and notes that hypothesis makes up, tokenised by spaCy."""

import spacy
from hypothesis import strategies as st

from spacy_ramie.types import Unit
from spacy_ramie.units import units_of

NLP = spacy.blank("en")

WORDS = (
    "green tea",
    "green tea extract",
    "tea",
    "Tea",
    "melatonin",
    "vit.",
    "5mg",
    "None",
    "naïve",
    "nai\u0308ve",
    "日本",
    "ﬁber",
    "ẞ",
    "İ",
    "😀",
    "👩\u200d⚕\ufe0f",
    "\u0301",
)
MARKS = (".", ",", ":", "|", '"', "'", "\\", "[", "{", "#", "###", "</s>", "`", "/")
BLANKS = (" ", " ", " ", "  ", "\u00a0", "\u2009", "\t", "\n", "\r\n", "\n\n", "\u2028")

notes = st.lists(
    st.sampled_from(WORDS) | st.sampled_from(BLANKS) | st.sampled_from(MARKS),
    max_size=16,
).map("".join) | st.text(max_size=20)


def unit_of(text: str) -> Unit:
    """The whole text as one sentence."""
    doc = NLP.make_doc(text)
    for token in doc:
        token.is_sent_start = token.i == 0
    (unit,) = units_of(doc)
    return unit


units = notes.filter(str.strip).map(unit_of)


@st.composite
def pieces(draw: st.DrawFn, unit: Unit) -> tuple[int, int]:
    """Start and end of some neighbouring tokens of a sentence."""
    first = draw(st.integers(0, len(unit.tokens) - 1))
    last = draw(st.integers(first, min(first + 3, len(unit.tokens) - 1)))
    return unit.tokens[first][0], unit.tokens[last][1]
