"""A sentence that does not fit into the context is asked in windows, whole and once."""

from conftest import answer_by_note
from hypothesis import given
from sentences import units

from spacy_ramie.types import (
    Annotations,
    Answer,
    Entity,
    Failure,
    Relation,
    Request,
    Usage,
)
from spacy_ramie.windows import halves, merge

NEAR = "Started melatonin 3 mg qhs for insomnia"
FAR = f"{NEAR} and then a great many other words about this and that until ginkgo came"


@given(units)
def test_windows_are_shorter_overlap_and_leave_nothing_out(unit):
    windows = halves(unit)

    count = len(unit.tokens)
    assert len(windows) == (2 if count > 1 else 0)
    places = []
    for window in windows:
        at = window.start - unit.start
        assert unit.text[at : at + len(window.text)] == window.text
        assert 0 < len(window.tokens) < count
        places.append([(at + s, at + e) for s, e in window.tokens])
    if windows:
        assert sorted({*places[0], *places[1]}) == list(unit.tokens)
        shared = {*places[0]} & {*places[1]}
        assert count < 4 or shared


def entity(start, end, label="DS"):
    return Entity(start, end, label, "x" * (end - start))


def test_what_both_windows_name_is_there_once():
    tea, cold = entity(10, 13), entity(20, 24, "EVENT")
    triple = Relation(tea, cold, "POSITIVE", source="te")
    part = Annotations((tea, cold), (triple,))

    merged = merge([part, part])

    assert merged.entities == (tea, cold)
    assert merged.relations == (triple,)
    assert [failure.kind for failure in merged.failures] == ["windowed"]


def test_what_both_windows_are_unsure_of_is_there_once():
    tea, cold = entity(10, 13), entity(20, 24, "EVENT")
    chances = {"POSITIVE": 0.6, "NEGATIVE": 0.4}
    unsure = (
        tea,
        Relation(tea, cold, "POSITIVE", 0.6, "te", chances),
        Usage(tea, "START", 0.6, {"START": 0.6}),
    )
    part = Annotations(unsure=unsure)

    assert merge([part, part]).unsure == unsure


def test_of_an_entity_that_a_window_cut_off_the_longer_is_kept():
    cut, whole = entity(10, 15), entity(10, 19)
    other_label, nested = entity(10, 15, "EVENT"), entity(30, 33)
    long = entity(30, 40)

    merged = merge(
        [Annotations((cut, other_label)), Annotations((whole, nested, long))]
    )

    assert merged.entities == (other_label, whole, nested, long)


def short_of_sight(request: Request) -> Answer:
    """A good model that reads ten words, marks apart."""
    words = request.parts[-1].split("###")[1].split("\n")[1].split()
    if len([word for word in words if word not in ("<<", ">>", "[[", "]]")]) > 10:
        return Answer(error=Failure("too_long", "more than ten words"))
    if request.task == "ner":
        known = {"melatonin": "supplement", "insomnia": "event", "ginkgo": "supplement"}
        rows = [f"{word}\t{known[word]}" for word in words if word in known]
        return Answer("\n".join(rows) or "None")
    return answer_by_note(request)


def test_a_long_sentence_is_asked_in_windows(scripted):
    nlp, _ = scripted(short_of_sight)

    doc = nlp(FAR)

    assert [e.text for e in doc.ents] == ["melatonin", "insomnia", "ginkgo"]
    near, far = doc.ents[0], doc.ents[2]
    assert near._.ramie_usage == "START"
    assert far._.ramie_usage is not None
    related = {(r.head.text, r.tail.text): r.label for r in doc._.ramie_relations}
    assert related["melatonin", "insomnia"] == "POSITIVE"
    record = doc._.ramie
    assert record["units"] == [[0, len(FAR)]]
    kinds = [(f["task"], f["kind"]) for f in record["failures"]]
    assert ("ner", "windowed") in kinds
    # No window holds both.
    assert ("ginkgo", "insomnia") not in related
    assert ("re", "too_long") in kinds


def test_windows_of_a_short_sentence_are_not_asked_for(scripted):
    nlp, engine = scripted(short_of_sight)

    record = nlp(NEAR)._.ramie

    assert "windowed" not in {f["kind"] for f in record["failures"]}
    assert len(engine.requests) == record["requests"]


def test_what_fits_in_no_window_is_one_failure(scripted):
    nlp, _ = scripted(lambda request: Answer(error=Failure("too_long", "too long")))

    record = nlp(NEAR)._.ramie

    kinds = [(f["task"], f["kind"]) for f in record["failures"]]
    assert kinds == [("ner", "too_long"), ("te", "too_long")]
