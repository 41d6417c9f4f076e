"""A note is cut into sentences whose offsets are those of the note."""

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import NLP, notes
from spacy.tokens import Doc

from spacy_ramie.units import unit_span, units_of


def words_at(doc: Doc) -> list[tuple[int, int]]:
    """Start and end of every token that is not blank, without blanks at its edges."""
    return [
        (t.idx + len(t.text) - len(t.text.lstrip()), t.idx + len(t.text.rstrip()))
        for t in doc
        if t.text.strip()
    ]


def texts_of(doc: Doc) -> list[str]:
    return [unit.text for unit in units_of(doc)]


@st.composite
def other_tokens(draw: st.DrawFn) -> Doc:
    """A note of a tokenizer that cuts wherever it likes."""
    words = draw(st.lists(st.text(min_size=1, max_size=4) | st.just("\n"), max_size=8))
    spaces = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    return Doc(NLP.vocab, words=words, spaces=spaces)


@given(notes.map(NLP.make_doc) | other_tokens())
@settings(deadline=None, max_examples=300)
def test_every_word_is_in_one_sentence_at_its_offset(doc):
    units = units_of(doc)
    placed = [(u.start + s, u.start + e) for u in units for s, e in u.tokens]
    assert placed == words_at(doc)
    for unit in units:
        assert unit.text == doc.text[unit.start : unit.end]
        assert (unit.tokens[0][0], unit.tokens[-1][1]) == (0, len(unit.text))
        span = unit_span(doc, unit)
        # Tokens can have blanks at their edges.
        assert span.start_char <= unit.start < unit.end <= span.end_char
        assert span.text.strip() == unit.text


@given(notes)
@settings(deadline=None)
def test_a_note_without_sentences_stays_without(text):
    doc = NLP.make_doc(text)
    before = [token.sent_start for token in doc]
    units_of(doc)
    assert [token.sent_start for token in doc] == before


@given(st.data(), notes)
@settings(deadline=None)
def test_sentences_of_an_earlier_component_are_taken_as_they_are(data, text):
    doc = NLP.make_doc(text)
    for token in doc:
        token.is_sent_start = token.i == 0 or data.draw(st.booleans())
    whole = [s.text.strip() for s in doc.sents if s.text.strip()]
    assert texts_of(doc) == whole


def test_sentences_of_a_pipeline_component_win_over_the_rules():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"punct_chars": [";"]})
    doc = nlp("Takes zinc. Sleeps well; no pain")
    assert texts_of(doc) == ["Takes zinc. Sleeps well;", "no pain"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Takes zinc. Well.", ["Takes zinc.", "Well."], id="full stop"),
        pytest.param("Zinc? Yes! Ok", ["Zinc?", "Yes!", "Ok"], id="other marks"),
        pytest.param("Takes vit. C daily", ["Takes vit. C daily"], id="vit."),
        pytest.param("Takes St. John's wort", ["Takes St. John's wort"], id="St."),
        pytest.param("Zinc vs. Iron", ["Zinc vs. Iron"], id="vs."),
        pytest.param("Zinc b.i.d. with food", ["Zinc b.i.d. with food"], id="b.i.d."),
        pytest.param(
            "5 mg. of zinc, 2 tabs. daily",
            ["5 mg. of zinc, 2 tabs. daily"],
            id="abbreviation before a small letter",
        ),
        pytest.param(
            "Zinc 5 mg. Sleeps well",
            ["Zinc 5 mg.", "Sleeps well"],
            id="abbreviation before a capital",
        ),
        pytest.param(
            "Zinc 5 mg.  Sleeps well",
            ["Zinc 5 mg.", "Sleeps well"],
            id="two blanks behind the full stop",
        ),
        pytest.param(
            "Zinc 5 mg.  daily", ["Zinc 5 mg.  daily"], id="two blanks, small letter"
        ),
        pytest.param("Zinc 2.5 mg", ["Zinc 2.5 mg"], id="decimal point"),
        pytest.param("zinc\nfor colds", ["zinc\nfor colds"], id="hard-wrapped line"),
        pytest.param("zinc\r\nfor colds", ["zinc\r\nfor colds"], id="wrapped, CRLF"),
        pytest.param("St.\nJohn's wort", ["St.\nJohn's wort"], id="wrapped after St."),
        pytest.param("vit.\nD3 daily", ["vit.\nD3 daily"], id="wrapped after vit."),
        pytest.param("Zinc\nIron", ["Zinc", "Iron"], id="list"),
        pytest.param("Zinc\r\nIron", ["Zinc", "Iron"], id="list, CRLF"),
        pytest.param("Zinc\n- iron", ["Zinc", "- iron"], id="list with dashes"),
        pytest.param("zinc\n\niron", ["zinc", "iron"], id="blank line"),
        pytest.param("zinc\r\n\r\niron", ["zinc", "iron"], id="blank line, CRLF"),
        pytest.param("zinc\r\riron", ["zinc", "iron"], id="blank line, CR"),
        pytest.param("zinc\n \t\niron", ["zinc", "iron"], id="line of blanks"),
        pytest.param("vit.\n\nIron", ["vit.", "Iron"], id="blank line after vit."),
        pytest.param("\r\n Zinc.\u00a0\n", ["Zinc."], id="blanks at the edges"),
        pytest.param("Zinc", ["Zinc"], id="one word"),
        pytest.param("", [], id="empty"),
        pytest.param(" ", [], id="one blank"),
        pytest.param(" \r\n\u00a0\t\n", [], id="nothing but blanks"),
    ],
)
def test_rules(text, expected):
    assert texts_of(NLP.make_doc(text)) == expected


def test_blanks_at_the_edges_of_tokens_are_no_part_of_them():
    doc = Doc(NLP.vocab, words=[" zinc", "daily\t"], spaces=[True, False])
    (unit,) = units_of(doc)
    assert (unit.text, unit.tokens) == ("zinc daily", ((0, 4), (5, 10)))
    assert doc.text[unit.start : unit.end] == unit.text
