"""From a note to its sentences."""

from itertools import pairwise

from spacy.pipeline import Sentencizer
from spacy.tokens import Doc, Span, Token

from .spans import char_span
from .types import Unit

# spaCy's tokenizer knows most abbreviations of English, not those of clinical
# notes. The first never end a sentence, the others only before a capital.
NEVER_LAST = frozenset(("approx", "e.g", "i.e", "st", "vit", "vits", "vs"))
# fmt: off
ABBREVIATIONS = NEVER_LAST | {
    "avg", "b.i.d", "cap", "caps", "dx", "est", "h.s", "hx", "max", "mcg", "mg", "min",
    "mo", "mos", "no", "p.o", "p.r.n", "pt", "pts", "q.d", "q.h.s", "rec", "resp", "rx",
    "sx", "t.i.d", "tab", "tabs", "tx", "wk", "wks", "yr", "yrs",
}
# fmt: on

_sentencizer = Sentencizer()


def units_of(doc: Doc) -> list[Unit]:
    """Cut a note into sentences, without its blank ones.

    Sentences set by an earlier component are taken as they are; otherwise a
    rule sentenciser runs on a copy and the note stays unsegmented.

    doc (Doc): The note.
    RETURNS (list[Unit]): Its sentences in order, without blanks at their edges.
    """
    if doc.has_annotation("SENT_START"):
        sentences = list(doc.sents)
    else:
        starts = [*_rule_starts(doc), len(doc)]
        sentences = [doc[i:j] for i, j in pairwise(starts)]
    # Doc.text is made anew each time.
    text = doc.text
    return [_unit(s, text) for s in sentences if s.text.strip()]


def unit_span(doc: Doc, unit: Unit) -> Span:
    """Give the tokens of a unit.

    doc (Doc): The note that the unit was cut from.
    unit (Unit): The sentence.
    RETURNS (Span): Its tokens.
    """
    return char_span(doc, unit.start, unit.end)


def _unit(sentence: Span, text: str) -> Unit:
    places = [_place(token) for token in sentence if token.text.strip()]
    start, end = places[0][0], places[-1][1]
    tokens = tuple((first - start, last - start) for first, last in places)
    return Unit(text[start:end], start, tokens)


def _place(token: Token) -> tuple[int, int]:
    """Where a token stands, without blanks that its tokenizer left at its edges."""
    lead = len(token.text) - len(token.text.lstrip())
    return token.idx + lead, token.idx + len(token.text.rstrip())


def _rule_starts(doc: Doc) -> list[int]:
    """Token indices at which a sentence begins, by punctuation and line breaks."""
    copy = Doc(
        doc.vocab,
        words=[t.text for t in doc],
        spaces=[bool(t.whitespace_) for t in doc],
    )
    _sentencizer(copy)
    return [t.i for t in copy if t.i == 0 or _begins_sentence(copy, t.i)]


def _begins_sentence(doc: Doc, i: int) -> bool:
    token, before = doc[i], doc[i - 1]
    lines = before.text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    if before.is_space and lines:
        # A hard-wrapped line goes on in lower case or after "St."; a blank line
        # always ends one.
        wrapped = token.text[0].islower() or _word_before(doc, i - 1) in NEVER_LAST
        return lines > 1 or not wrapped
    if not token.is_sent_start:
        return False
    word = _word_before(doc, i)
    if word in NEVER_LAST:
        return False
    # Two blanks behind a full stop: the second is a token, and begins the sentence.
    first = next((t.text[0] for t in doc[i:] if t.text.strip()), "")
    return word not in ABBREVIATIONS or first.isupper()


def _word_before(doc: Doc, i: int) -> str:
    """The word before a token, in lower case and without its full stop."""
    if i == 0:
        return ""
    # "vit." is two tokens where spaCy does not know it, "b.i.d." is one.
    alone = doc[i - 1].text == "." and i > 1 and not doc[i - 2].whitespace_
    return doc[i - 2].lower_ if alone else doc[i - 1].lower_.rstrip(".")
