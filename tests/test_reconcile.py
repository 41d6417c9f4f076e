"""What one task finds, the others know: ends of triples, one relation for each pair."""

import pytest
from conftest import NOTE, answer_by_note
from hypothesis import given
from hypothesis import strategies as st

from spacy_ramie.reconcile import entities_at_ends, one_for_each_pair
from spacy_ramie.types import Answer, Entity, Relation


def with_ner(*lines: str, triple_score: float | None = None):
    """A script in which NER says no more than that, and TE knows two triples."""

    def answer(request):
        said = answer_by_note(request)
        if request.task == "ner":
            return Answer("\n".join(lines) or "None")
        if request.task == "te" and triple_score is not None:
            # One token a line, with the whole probability.
            ends = [i for i, c in enumerate(said.text + "\n") if c == "\n"]
            return Answer(said.text, pieces=tuple((e, triple_score) for e in ends))
        return said

    return answer


def found(doc) -> list[tuple[str, str, str]]:
    return [(e["text"], e["label"], e["source"]) for e in doc._.ramie["entities"]]


def test_an_end_of_a_triple_that_ner_missed_is_an_entity_and_is_asked_about(scripted):
    nlp, engine = scripted(with_ner("melatonin\tsupplement", "insomnia\tevent"))
    doc = nlp(NOTE)
    assert found(doc) == [
        ("melatonin", "DS", "ner"),
        ("insomnia", "EVENT", "ner"),
        ("ginkgo", "DS", "te"),
        ("nosebleeds", "EVENT", "te"),
    ]
    assert [ent.text for ent in doc.ents] == [text for text, _, _ in found(doc)]
    ginkgo = doc.ents[2]
    assert ginkgo._.ramie_usage == "DISCONTINUE"
    asked = [r for r in ginkgo._.ramie_relations if r.source == "re"]
    assert [(r.tail.text, r.label) for r in asked] == [
        ("insomnia", "NEGATIVE"),
        ("nosebleeds", "NEGATIVE"),
    ]


def test_entities_of_ner_alone_are_an_option(scripted):
    nlp, _ = scripted(with_ner("melatonin\tsupplement"), entities="ner")
    doc = nlp(NOTE)
    assert found(doc) == [("melatonin", "DS", "ner")]
    assert "ginkgo" in {r.head.text for r in doc._.ramie_relations}


def test_an_end_that_an_entity_overlaps_adds_none(scripted):
    nlp, _ = scripted(with_ner("Started melatonin\tsupplement", "insomnia;\tevent"))
    texts = [text for text, _, _ in found(nlp(NOTE))]
    assert texts == ["Started melatonin", "insomnia;", "ginkgo", "nosebleeds"]


def test_an_end_has_the_probability_of_its_triple_and_is_held_to_thresholds(scripted):
    script = with_ner("melatonin\tsupplement", triple_score=-1.0)
    nlp, _ = scripted(script)
    scores = {e["text"]: e["score"] for e in nlp(NOTE)._.ramie["entities"]}
    assert scores["ginkgo"] == pytest.approx(2.718281828**-1)
    careful, _ = scripted(script, thresholds={"DS": 0.9, "EVENT": 0.1})
    assert {text for text, _, _ in found(careful(NOTE))} == {
        "melatonin",
        "insomnia",
        "nosebleeds",
    }


def test_what_ner_was_too_unsure_of_stays_set_aside(scripted):
    nlp, _ = scripted(thresholds={"DS": 1.0})
    doc = nlp(NOTE)
    assert {label for _, label, _ in found(doc)} == {"EVENT"}
    unsure = {i["text"] for i in doc._.ramie["unsure"] if i["label"] == "DS"}
    assert unsure == {"melatonin", "ginkgo"}


def test_exemplars_behind_an_end_are_those_of_its_triple(scripted, corpus_files):
    nlp, _ = scripted(
        with_ner("melatonin\tsupplement"), exemplars=corpus_files["train"]
    )
    record = nlp(NOTE)._.ramie
    behind = {e["text"]: e["exemplars"] for e in record["entities"]}
    of_triples = [r["exemplars"] for r in record["relations"] if r["source"] == "te"]
    assert behind["ginkgo"] == of_triples[0] != behind["melatonin"]


def place(start: int, end: int, label: str = "DS") -> Entity:
    return Entity(start, end, label, "x" * (end - start))


places = st.tuples(
    st.integers(0, 30), st.integers(1, 6), st.sampled_from(["DS", "EVENT", ""])
).map(lambda p: place(p[0], p[0] + p[1], p[2]))
scores = st.none() | st.floats(0, 1)
related = st.builds(
    Relation, places, places, st.just("POSITIVE"), scores, st.just("te")
)


@given(st.lists(related, max_size=6), st.lists(places, max_size=4))
def test_what_joins_overlaps_nothing_and_stands_at_an_end(relations, known):
    joined = entities_at_ends(relations, known, {})
    ends = {(e.start, e.end, e.label) for r in relations for e in (r.head, r.tail)}
    assert all((e.start, e.end, e.label) in ends and e.label for e in joined)
    taken = [set(range(e.start, e.end)) for e in (*known, *joined)]
    for i, entity in enumerate(joined, start=len(known)):
        others = set().union(*taken[:i], *taken[i + 1 :])
        assert not others & set(range(entity.start, entity.end))


@given(st.lists(related, max_size=6), st.lists(places, max_size=4))
def test_an_end_is_left_out_for_an_overlap_or_for_want_of_a_label(relations, known):
    joined = entities_at_ends(relations, known, {})
    for end in (end for r in relations for end in (r.head, r.tail) if end.label):
        assert any(
            other.start < end.end and end.start < other.end
            for other in (*known, *joined)
        )


def relation(at, head, tail, label, source):
    ends = {"head": (at, head), "tail": (at + 1, tail)}
    return {
        **{
            name: {"start": start, "text": text} for name, (start, text) in ends.items()
        },
        "label": label,
        "source": source,
    }


def test_of_a_pair_that_both_tasks_speak_of_the_label_of_re_stands():
    relations = [
        relation(1, "garlic", "reflux", "POSITIVE", "te"),
        relation(3, "garlic", "reflux", "NEGATIVE", "re"),
        relation(5, "garlic oil", "reflux", "POSITIVE", "te"),
        relation(6, "garlic oil", "reflux", "POSITIVE", "te"),
    ]
    record = {"units": [[0, 20]], "relations": relations}
    assert one_for_each_pair(record) == [
        ("garlic", "NEGATIVE", "reflux"),
        ("garlic oil", "POSITIVE", "reflux"),
    ]


def test_what_re_says_of_one_sentence_is_no_matter_in_another():
    record = {
        "units": [[0, 20], [20, 40]],
        "relations": [
            relation(25, "zinc", "rash", "NEGATIVE", "te"),
            relation(5, "zinc", "rash", "NOT_RELATED", "re"),
        ],
    }
    assert one_for_each_pair(record) == [
        ("zinc", "NOT_RELATED", "rash"),
        ("zinc", "NEGATIVE", "rash"),
    ]


def test_a_note_without_a_record_has_no_triples():
    assert one_for_each_pair({}) == []
