"""Answers are placed where they stand, and nowhere else."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import pieces, unit_of, units

from spacy_ramie.grounding import occurrences, place_items, place_pair
from spacy_ramie.styles.shown import show
from spacy_ramie.types import Unit


def token_pairs_that_read(unit: Unit, text: str) -> list[tuple[int, int]]:
    """Every run of tokens that reads as a text, found by trying them all."""
    shown = show(unit.text)
    return [
        (start, end)
        for i, (start, _) in enumerate(unit.tokens)
        for _, end in unit.tokens[i:]
        if shown[start:end] == text
    ]


@st.composite
def answered(draw: st.DrawFn) -> tuple[Unit, list[str]]:
    """A sentence and pieces of it, some said again and again, and a foreign one."""
    unit = draw(units)
    shown = show(unit.text)
    said = draw(st.lists(pieces(unit).map(lambda p: shown[p[0] : p[1]]), max_size=5))
    again = draw(st.lists(st.sampled_from([*said, "zzz"]), max_size=5))
    return unit, draw(st.permutations(said + again))


@given(answered())
@settings(deadline=None)
def test_occurrences_are_those_of_brute_force(case):
    unit, texts = case
    for text in texts:
        assert occurrences(unit, text) == token_pairs_that_read(unit, text)


@given(answered())
@settings(deadline=None)
def test_placed_answers_read_as_answered_each_at_its_own_place(case):
    unit, texts = case
    places = place_items(unit, texts)
    placed = [(t, p.start, p.end) for t, p in zip(texts, places, strict=True) if p]
    assert all((s, e) in token_pairs_that_read(unit, t) for t, s, e in placed)
    for text, count in Counter(texts).items():
        of_text = [item for item in placed if item[0] == text]
        assert of_text == sorted(set(of_text))
        assert len(of_text) == min(count, len(token_pairs_that_read(unit, text)))


@given(answered())
@settings(deadline=None)
def test_nth_equal_answer_is_nth_occurrence_unless_a_longer_one_holds_it(case):
    unit, texts = case
    places = place_items(unit, texts)
    for text, count in Counter(texts).items():
        if any(text in other and text != other for other in texts):
            continue
        stands = token_pairs_that_read(unit, text)
        of_text = [p for t, p in zip(texts, places, strict=True) if t == text]
        found = [place and place[:2] for place in of_text]
        beyond = [None] * max(0, count - len(stands))
        assert found == [*stands[:count], *beyond]
        more = len(stands) > count
        assert all(place.ambiguous is more for place in of_text if place)


@given(st.data(), units)
@settings(deadline=None)
def test_a_piece_of_a_token_is_widened_to_whole_tokens(data, unit):
    shown = show(unit.text)
    start = data.draw(st.integers(0, len(shown) - 1))
    end = data.draw(st.integers(start + 1, len(shown)))
    text = shown[start:end].strip()
    starts, ends = zip(*unit.tokens, strict=True)
    (place,) = place_items(unit, [text])
    if place:
        assert place.start in starts
        assert place.end in ends
        assert text.lower() in shown[place.start : place.end].lower()
    else:
        # Nowhere between what is no letter.
        assert not text or not re.search(
            rf"(?<![^\W\d_]){re.escape(text)}(?![^\W\d_])", shown
        )


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        pytest.param("zinc_copper daily", "zinc", "zinc_copper", id="beside a mark"),
        pytest.param("took B12", "B", "B12", id="before a digit"),
        pytest.param("had nosebleeds", "nosebleed", "nosebleeds", id="singular"),
        pytest.param("two doses", "Dos", "doses", id="singular in es, other case"),
        pytest.param("her environment", "iron", None, id="within a word"),
        pytest.param("took feverfew", "fever", None, id="beginning of a word"),
        pytest.param("a multivitamin", "vitamin", None, id="end of a word"),
    ],
)
def test_a_piece_of_a_word_is_no_word(text, answer, expected):
    (place,) = place_items(unit_of(text), [answer])
    assert (place and text[place.start : place.end]) == expected


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        pytest.param(
            "green tea extract and green tea",
            ["green tea extract", "green tea"],
            [(0, 17, False), (22, 31, False)],
            id="shorter outside the longer",
        ),
        pytest.param(
            "green tea extract and green tea",
            ["green tea", "green tea extract"],
            [(22, 31, False), (0, 17, False)],
            id="order of the answers does not matter",
        ),
        pytest.param(
            "green tea extract and green tea",
            ["green tea"],
            [(0, 9, True)],
            id="shorter alone is its first occurrence",
        ),
        pytest.param(
            "green tea extract only",
            ["green tea", "green tea extract"],
            [(0, 9, False), (0, 17, False)],
            id="inside the longer where there is no other",
        ),
        pytest.param(
            "green tea extract and green tea",
            ["green tea", "green tea extract", "green tea"],
            [(0, 9, False), (0, 17, False), (22, 31, False)],
            id="inside the longer where it is said that often",
        ),
        pytest.param(
            "zinc, zinc and zinc",
            ["zinc", "zinc"],
            [(0, 4, True), (6, 10, True)],
            id="said less often than it stands",
        ),
        pytest.param(
            "zinc, zinc",
            ["zinc", "zinc", "zinc"],
            [(0, 4, False), (6, 10, False), None],
            id="said more often than it stands",
        ),
        pytest.param("zincs and zinc", ["zinc"], [(10, 14, False)], id="whole token"),
        pytest.param("on ZINC", ["zinc"], [(3, 7, False)], id="other case"),
        pytest.param("Zinc, zinc", ["zinc"], [(6, 10, False)], id="own case first"),
        pytest.param("on zinc", ["iron", ""], [None, None], id="stands nowhere"),
        pytest.param(
            "vitamin\r\nD3", ["vitamin  D3"], [(0, 11, False)], id="broken line"
        ),
    ],
)
def test_place_items(text, answers, expected):
    assert place_items(unit_of(text), answers) == expected


@given(answered())
@settings(deadline=None)
def test_equal_triples_take_every_pair_once_from_the_closest_on(case):
    unit, texts = case
    head, tail = (*texts, "zzz", "zzz")[:2]
    pairs = {
        (h, t)
        for h in token_pairs_that_read(unit, head)
        for t in token_pairs_that_read(unit, tail)
        if h != t
    }
    placed = [place_pair(unit, head, tail, nth) for nth in range(len(pairs) + 1)]
    assert placed.pop() is None
    found = [(h[:2], t[:2]) for h, t in placed]
    assert sorted(found) == sorted(pairs)
    gaps = [max(h[0] - t[1], t[0] - h[1]) for h, t in found]
    apart = [gap for gap in gaps if gap >= 0]
    assert gaps[: len(apart)] == sorted(apart)


@pytest.mark.parametrize(
    ("text", "head", "tail", "expected"),
    [
        pytest.param(
            "zinc for colds; zinc gave nausea",
            "zinc",
            "nausea",
            ((16, 20, True), (26, 32, False)),
            id="closest head",
        ),
        pytest.param(
            "nausea before, zinc, nausea after",
            "zinc",
            "nausea",
            ((15, 19, False), (21, 27, True)),
            id="closest tail",
        ),
        pytest.param(
            "B12 deficiency at last visit: B12 begun",
            "B12",
            "B12 deficiency",
            ((30, 33, True), (0, 14, False)),
            id="head outside the tail",
        ),
        pytest.param(
            "B12 deficiency only",
            "B12",
            "B12 deficiency",
            ((0, 3, False), (0, 14, False)),
            id="head inside the tail where there is no other",
        ),
        pytest.param("zinc only", "zinc", "zinc", None, id="one place is no pair"),
        pytest.param("zinc only", "zinc", "colds", None, id="tail stands nowhere"),
    ],
)
def test_place_pair(text, head, tail, expected):
    assert place_pair(unit_of(text), head, tail) == expected
