"""What kind of mistake something is, and what is shown of it."""

import re
from collections import Counter

import pytest
import spacy
import srsly
from conftest import NOTE, answer_by_note
from hypothesis import given
from hypothesis import strategies as st
from parrot import parrot

from spacy_ramie.corpus.docbin import gold_doc, record_of
from spacy_ramie.corpus.records import gold_annotations
from spacy_ramie.record import make_record
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.browser import browse, marked
from spacy_ramie.scoring.items import Item, items_of
from spacy_ramie.scoring.mistakes import KINDS, find_mistakes, is_copied
from spacy_ramie.scoring.room import choose
from spacy_ramie.scoring.rulers import strict_counts
from spacy_ramie.scoring.scorer import gold_items
from spacy_ramie.types import Answer

# The kinds


def item(label, *places, key=None, texts=None):
    texts = texts or tuple(f"{start}-{end}" for start, end in places)
    return Item(label, places if key is None else key, places, texts)


@pytest.mark.parametrize(
    ("gold", "found", "kinds"),
    [
        ([item("DS", (0, 9))], [item("DS", (0, 9))], []),
        ([item("DS", (0, 9))], [], ["missed"]),
        ([], [item("DS", (0, 9))], ["invented"]),
        ([item("DS", (0, 9))], [item("DS", (0, 12))], ["boundary"]),
        ([item("DS", (0, 9))], [item("DS", (4, 9))], ["boundary"]),
        # They touch, and share nothing.
        ([item("DS", (0, 9))], [item("DS", (9, 12))], ["invented", "missed"]),
        ([item("DS", (0, 9))], [item("EVENT", (0, 9))], ["wrong class"]),
        # Other borders and another label.
        ([item("DS", (0, 9))], [item("EVENT", (0, 8))], ["invented", "missed"]),
        # One is cut into two.
        (
            [item("DS", (0, 9))],
            [item("DS", (0, 4)), item("DS", (5, 9))],
            ["boundary", "boundary"],
        ),
        # Two are made one.
        (
            [item("DS", (0, 4)), item("DS", (5, 9))],
            [item("DS", (0, 9))],
            ["boundary", "missed"],
        ),
        # Another label of a pair; one of its ends elsewhere; one with other borders.
        ([item("POS", (0, 4), (5, 9))], [item("NEG", (0, 4), (5, 9))], ["wrong class"]),
        (
            [item("POS", (0, 4), (5, 9))],
            [item("POS", (0, 4), (10, 12))],
            ["invented", "missed"],
        ),
        ([item("POS", (0, 4), (5, 9))], [item("POS", (0, 4), (5, 12))], ["boundary"]),
        # An end has another label: the same relation between other things.
        (
            [item("POS", (0, 4), (5, 9), key="DS-EVENT")],
            [item("POS", (0, 4), (5, 9), key="DS-DS")],
            ["wrong class"],
        ),
        # The same texts at another place are the same triple.
        (
            [item("POS", (0, 4), (5, 9), key="a-b")],
            [item("NEG", (20, 24), (5, 9), key="a-b")],
            ["wrong class"],
        ),
    ],
)
def test_every_mistake_has_its_kind(gold, found, kinds):
    assert [mistake.kind for mistake in find_mistakes(gold, found)] == kinds


def test_what_was_missed_is_rather_stood_for_than_what_was_found():
    right, missed = item("DS", (0, 9)), item("DS", (4, 12))

    (mistake,) = find_mistakes([right, missed], [right, item("DS", (4, 9))])

    assert mistake.gold == missed


places = st.tuples(st.integers(0, 8), st.integers(1, 4)).map(lambda p: (p[0], sum(p)))
items = st.lists(st.builds(item, st.sampled_from("AB"), places), max_size=6)
pairs = st.lists(st.builds(item, st.sampled_from("AB"), places, places), max_size=5)
both = st.one_of(st.tuples(items, items), st.tuples(pairs, pairs))


def names(items):
    return {(item.label, item.key) for item in items}


@given(both)
def test_every_wrong_item_is_one_mistake_and_no_right_one_is(both):
    gold, found = both

    wrong = [m.found for m in find_mistakes(gold, found) if m.found is not None]

    assert names(wrong) == names(found) - names(gold)
    assert len(wrong) == len(names(wrong))


@given(both)
def test_every_gold_item_that_was_not_found_is_accounted_for(both):
    gold, found = both

    mistakes = find_mistakes(gold, found)

    accounted = names(m.gold for m in mistakes if m.gold is not None)
    assert names(gold) - names(found) <= accounted <= names(gold)
    missed = [m.gold for m in mistakes if m.kind == "missed"]
    assert len(missed) == len(names(missed))
    others = names(m.gold for m in mistakes if m.gold and m.kind != "missed")
    assert not names(missed) & others


@given(both)
def test_kinds_are_what_they_say(both):
    def overlap(one, other):
        ends = zip(one.places, other.places, strict=True)
        return all(a[0] < b[1] and b[0] < a[1] for a, b in ends)

    gold, found = both
    for kind, wanted, got in find_mistakes(gold, found):
        if kind == "wrong class":
            assert wanted.places == got.places
            assert wanted.label != got.label
        if kind == "boundary":
            assert wanted.label == got.label
            assert overlap(wanted, got)
            assert wanted.places != got.places
        if kind == "invented":
            same = [g for g in gold if g.label == got.label]
            assert wanted is None
            assert not any(overlap(g, got) for g in same)
            assert got.places not in {g.places for g in gold}
        if kind == "missed":
            assert got is None


@given(items)
def test_what_is_right_is_no_mistake(items):
    assert find_mistakes(items, [*reversed(items)]) == []


def test_a_copy_has_text_and_label_of_the_exemplar():
    found = item("DS", (4, 8), texts=("zinc",))

    assert is_copied(found, [item("DS", (90, 94), texts=("zinc",))])
    assert not is_copied(found, [item("EVENT", (4, 8), texts=("zinc",))])
    assert not is_copied(found, [item("DS", (4, 8), texts=("iron",))])
    assert not is_copied(found, [])


# What is shown

text = "x" * 20


@given(places, st.lists(places, max_size=3), st.lists(places, max_size=3))
def test_a_sentence_is_cut_at_the_borders_of_what_is_marked(piece, gold, found):
    start, end = piece

    pieces = marked(text, start, end, gold, found)

    assert "".join(part for part, _ in pieces) == text[start:end]
    at = start
    for part, marks in pieces:
        for where in range(at, at + len(part)):
            for name, places in (("gold", gold), ("found", found)):
                inside = any(s <= where < e for s, e in places)
                assert (name in marks.split()) == inside
        at += len(part)


groups = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)))


@given(groups, st.integers(0, 60))
def test_no_more_is_chosen_than_there_is_room_for(members, room):
    names, sizes = [n for n, _ in members], [s for _, s in members]

    taken = choose(names, sizes, room)

    assert sum(sizes[i] for i in taken) <= room
    assert taken == sorted(set(taken))
    if room >= sum(sizes):
        assert taken == [*range(len(members))]


def test_the_room_is_shared_by_the_groups():
    taken = choose([*"aaaaaa", *"bb", "c"], [1] * 9, 6)

    assert taken == [0, 1, 2, 6, 7, 8]


def guess(request):
    """Long words are something."""
    words = re.findall(r"[a-z]{6,}", request.parts[-1])
    if request.task == "ner":
        kinds = ("supplement", "event")
        return Answer("\n".join(f"{w}\t{kinds[len(w) % 2]}" for w in words))
    if request.task == "te":
        ends = zip(words, words[1:], strict=False)
        return Answer("\n".join(f"{one}\tpositive\t{other}" for one, other in ends))
    chances = [0.1] * (len(request.choices) - 1)
    return Answer(request.choices[0], (1 - sum(chances), *chances))


@pytest.fixture
def browsed(scripted, records, tmp_path):
    """The mistakes of a model that guesses."""
    return browsed_of(guess, scripted, records, tmp_path)


def browsed_of(answer, scripted, records, folder):
    srsly.write_jsonl(folder / "bank.jsonl", records[:25])
    nlp, engine = scripted(answer)
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(folder / "bank.jsonl"))
    docs = [gold_doc(r, nlp, make_supplements()) for r in records[20:]]
    return docs, *browse_all(nlp, docs), engine


def browse_all(nlp, docs):
    component = nlp.get_pipe("ramie_extractor")
    notes = component.ask([nlp.make_doc(doc.text) for doc in docs])
    known = [record_of(doc) for doc in docs]
    gold = [gold_annotations(record) for record in known]
    return list(browse(component.extraction, known, gold, notes)), notes


def test_items_are_those_of_the_scorer(records):
    for record in records:
        doc = gold_doc(record, spacy.blank("en"), make_supplements())
        found = items_of(gold_annotations(record))
        kinds = {"ner": "ents", "re": "ramie_re", "te": "ramie_te", "uc": "ramie_uc"}
        for task, kind in kinds.items():
            scored = gold_items(doc)[kind]
            expected = {(label, key) for label, keys in scored.items() for key in keys}
            assert names(found[task]) == expected


def test_there_are_as_many_wrong_items_as_the_scorer_counts(browsed):
    docs, entries, notes, _ = browsed

    counts = strict_counts(docs, [make_record(note, lambda _: None) for note in notes])

    found = Counter(entry.task for entry in entries if entry.kind != "missed")
    missed = Counter(entry.task for entry in entries if entry.kind == "missed")
    assert {entry.kind for entry in entries} == {*KINDS}
    for task in ("ner", "re", "te", "uc"):
        _, wrong, unmet = counts[task].sum(axis=0)
        assert found[task] == wrong
        assert 0 < missed[task] <= unmet


def test_the_prompt_of_a_mistake_is_what_the_engine_was_asked(browsed):
    _, entries, _, engine = browsed

    asked = {"".join(request.parts) for request in engine.requests}

    prompts = [entry.prompt for entry in entries if entry.prompt]
    assert len(prompts) > 50
    assert {*prompts} <= asked
    for entry in entries:
        unasked = entry.answer.startswith("not asked")
        assert unasked == (entry.prompt == "")
        for exemplar, similarity in entry.exemplars:
            assert exemplar.task == entry.task
            assert exemplar.input in entry.prompt
            assert -1 <= similarity <= 1 + 1e-6


def test_a_parrot_copies_its_exemplars(scripted, records, tmp_path):
    _, entries, _, _ = browsed_of(parrot, scripted, records, tmp_path)

    assert {entry.copied for entry in entries} == {True, False}
    assert all(entry.copied == (entry.kind != "missed") for entry in entries)


NOTE_GOLD = {
    "id": "n",
    "text": NOTE,
    "entities": [
        {"id": "T1", "start": 8, "end": 17, "label": "DS"},
        {"id": "T2", "start": 31, "end": 39, "label": "EVENT"},
        {"id": "T3", "start": 18, "end": 30, "label": "EVENT"},
    ],
    "relations": [
        {"head": "T1", "tail": "T2", "label": "NEGATIVE"},
        {"head": "T1", "tail": "T3", "label": "POSITIVE"},
    ],
    "usage": [{"entity": "T1", "label": "START"}],
}


def of_note(scripted, answer=answer_by_note, **config):
    nlp, _ = scripted(answer, **config)
    doc = gold_doc(NOTE_GOLD, nlp, make_supplements())
    entries, _ = browse_all(nlp, [doc])
    return {(entry.task, entry.kind, entry.gold): entry for entry in entries}


def test_a_wrong_class_has_both_answers_and_their_probabilities(scripted):
    found = of_note(scripted)

    (entry,) = [e for e in found.values() if (e.task, e.kind) == ("re", "wrong class")]
    assert entry.gold == "melatonin → insomnia: NEGATIVE"
    assert entry.answer == "melatonin → insomnia: POSITIVE"
    assert (entry.score, entry.gold_score) == pytest.approx((0.9, 0.05))
    assert entry.labels == ("NEGATIVE", "POSITIVE")
    marks = {piece: mark for piece, mark in entry.pieces if mark}
    assert marks == {"melatonin": "gold found", "insomnia": "gold found"}
    # The sentence, not the note.
    assert "".join(piece for piece, _ in entry.pieces) == NOTE.partition(". ")[0] + "."


def test_a_missed_item_says_what_was_answered_instead(scripted):
    found = of_note(scripted)

    entity = found["ner", "missed", "3 mg qhs for: EVENT"]
    assert "melatonin: DS; insomnia: EVENT" in entity.answer
    relation = found["re", "missed", "melatonin → 3 mg qhs for: POSITIVE"]
    assert relation.answer == "not asked: '3 mg qhs for' was not found as an entity"
    assert relation.prompt == ""


def test_what_was_set_aside_is_missed_and_says_so(scripted):
    found = of_note(scripted, thresholds={"START": 0.95})

    entry = found["uc", "missed", "melatonin: START"]
    assert entry.answer == "melatonin: START was set aside as unsure, with 90%"
    assert entry.prompt


def test_entities_given_by_others_are_no_answers_of_the_model(scripted):
    found = of_note(scripted, entities="doc")

    entry = found["ner", "missed", "melatonin: DS"]
    assert entry.answer == "not asked: an earlier component gives the entities"


def test_what_could_not_be_read_is_told(scripted):
    def mumble(request):
        return Answer("ginkgo\tsupplement\nhm" if request.task == "ner" else "?")

    found = of_note(scripted, mumble, style={"@misc": "spacy_ramie.Compact.v1"})

    entry = found["ner", "missed", "insomnia: EVENT"]
    assert any(failure.startswith("unparsable") for failure in entry.failures)
