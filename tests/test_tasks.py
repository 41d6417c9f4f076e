"""What a task asks, and what it makes of an answer."""

import math
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import unit_of

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.corpus.records import gold_annotations, read_records
from spacy_ramie.schema import make_supplements, make_supplements_paper
from spacy_ramie.styles import make_compact, make_paper
from spacy_ramie.tasks import Task, make_ner, make_re, make_te, make_uc
from spacy_ramie.tasks.base import in_unit
from spacy_ramie.types import Annotations, Answer, Entity, Question, Relation, Unit
from spacy_ramie.units import units_of

SCHEMA = make_supplements()
STYLES = {"compact": make_compact(), "paper": make_paper()}
MAKERS = {"ner": make_ner, "re": make_re, "te": make_te, "uc": make_uc}
TEST_CORPUS = Path(__file__).parent.parent / "corpus/test.jsonl"

both_styles = pytest.mark.parametrize("style", STYLES)


def make_task(name: str, style: str = "compact") -> Task:
    return MAKERS[name]()(SCHEMA, STYLES[style])


@pytest.fixture(scope="module")
def gold() -> list[tuple[Unit, Annotations]]:
    """Every sentence of the test split with the labels of its note."""
    nlp = spacy.blank("en")
    records = read_records(TEST_CORPUS, SCHEMA)
    known = [gold_annotations(record) for record in records]
    return [
        (unit, labels)
        for record, labels in zip(records, known, strict=True)
        for unit in units_of(gold_doc(record, nlp, SCHEMA))
    ]


def labels_about(question: Question, known: Annotations) -> set[tuple]:
    """What is known of the things that a question asks for, as plain tuples."""
    unit = question.unit
    entities = {(e.start, e.end, e.label) for e in known.entities if in_unit(unit, e)}
    relations = {
        (r.head.start, r.head.end, r.tail.start, r.tail.end, r.label)
        for r in known.relations
        if in_unit(unit, r.head) and in_unit(unit, r.tail)
    }
    usage = {(u.entity.start, u.entity.end, u.label) for u in known.usage}
    places = tuple(place for e in question.about for place in (e.start, e.end))
    return {
        "ner": entities,
        "te": relations,
        "re": {relation for relation in relations if relation[:-1] == places},
        "uc": {mention for mention in usage if mention[:-1] == places},
    }[question.task]


@both_styles
@pytest.mark.parametrize(
    # Words that stand twice can be placed otherwise than the gold labels have them.
    ("name", "at_most"),
    [("ner", 0.01), ("te", 0.01), ("re", 0.0), ("uc", 0.0)],
)
def test_gold_labels_survive_the_answer(gold, name, style, at_most):
    task = make_task(name, style)
    asked, changed = 0, []
    for unit, known in gold:
        for question in task.questions(unit, known.entities):
            completion = task.gold(question, known)
            if completion is None:
                assert labels_about(question, known) == set()
                continue
            read = task.read(question, Answer(completion))
            assert read.failures == ()
            asked += 1
            if labels_about(question, read) != labels_about(question, known):
                changed.append(question.unit.text)
    assert asked > 300
    assert len(changed) <= at_most * asked, changed


def test_hardly_any_gold_entity_crosses_a_sentence(gold):
    entities = {(id(known), e) for _, known in gold for e in known.entities}
    whole = {(id(k), e) for u, k in gold for e in k.entities if in_unit(u, e)}
    assert len(entities) > 900
    assert len(entities - whole) <= 0.01 * len(entities)


def test_a_gold_entity_may_cut_what_looks_like_a_heading():
    text = "Takes ###zinc."
    entity = Entity(8, 13, "DS", text[8:13])
    task = make_task("ner")
    (question,) = task.questions(unit_of(text), ())
    read = task.read(question, Answer(task.gold(question, Annotations((entity,)))))
    assert [(e.start, e.end, e.text) for e in read.entities] == [(8, 13, "#zinc")]


NOTE = "Zinc for colds; zinc gave nausea."


def entities_of(read: Annotations) -> list[tuple[str, str]]:
    return [(e.text, e.label) for e in read.entities]


def triples_of(read: Annotations) -> list[tuple[str, str, str]]:
    return [(r.head.text, r.label, r.tail.text) for r in read.relations]


@pytest.mark.parametrize(
    ("text", "truncated", "entities", "failures"),
    [
        pytest.param("None", False, [], [], id="nothing"),
        pytest.param("", False, [], ["unparsable"], id="empty"),
        pytest.param(
            "zinc\tvitamin\nnausea\tevent",
            False,
            [("nausea", "EVENT")],
            ["unparsable"],
            id="unknown label",
        ),
        pytest.param(
            "iron\tsupplement\nnausea\tevent",
            False,
            [("nausea", "EVENT")],
            ["ungrounded"],
            id="ungrounded",
        ),
        pytest.param(
            "nausea\tevent\nnausea\tevent",
            False,
            [("nausea", "EVENT")],
            ["ungrounded"],
            id="said once too often",
        ),
        pytest.param(
            "It is zinc.\nnausea\tevent",
            False,
            [("nausea", "EVENT")],
            ["unparsable"],
            id="chatter",
        ),
        pytest.param(
            "colds\tevent\nnausea\teve",
            True,
            [("colds", "EVENT")],
            ["truncated"],
            id="cut in a label",
        ),
        pytest.param(
            "colds\tevent\nnau",
            True,
            [("colds", "EVENT")],
            ["truncated"],
            id="in a span",
        ),
        pytest.param(
            "colds\tevent\n", True, [("colds", "EVENT")], ["truncated"], id="at a line"
        ),
        pytest.param(
            "colds\tevent", True, [], ["truncated"], id="perhaps not at its end"
        ),
    ],
)
def test_entities_that_were_not_answered_as_asked(text, truncated, entities, failures):
    task = make_task("ner")
    (question,) = task.questions(unit_of(NOTE), ())
    read = task.read(question, Answer(text, truncated=truncated))
    assert entities_of(read) == entities
    assert [failure.kind for failure in read.failures] == failures


@pytest.mark.parametrize(
    ("text", "truncated", "triples", "failures"),
    [
        pytest.param("None", False, [], [], id="nothing"),
        pytest.param(
            "zinc\tcauses\tnausea\nZinc\tpositive\tcolds",
            False,
            [("Zinc", "POSITIVE", "colds")],
            ["unparsable"],
            id="unknown label",
        ),
        pytest.param(
            "zinc\tnegative\trash\nZinc\tpositive\tcolds",
            False,
            [("Zinc", "POSITIVE", "colds")],
            ["ungrounded"],
            id="ungrounded",
        ),
        pytest.param(
            "zinc\tnegative\tnausea\nzinc\tnegative\tnausea",
            False,
            [("zinc", "NEGATIVE", "nausea")],
            ["ungrounded"],
            id="said once too often",
        ),
        pytest.param(
            "Zinc\tpositive\tcolds\nzinc\tneg",
            True,
            [("Zinc", "POSITIVE", "colds")],
            ["truncated"],
            id="cut off",
        ),
    ],
)
def test_triples_that_were_not_answered_as_asked(text, truncated, triples, failures):
    task = make_task("te")
    (question,) = task.questions(unit_of(NOTE), ())
    read = task.read(question, Answer(text, truncated=truncated))
    assert triples_of(read) == triples
    assert [failure.kind for failure in read.failures] == failures


@pytest.mark.parametrize(
    ("text", "truncated", "entities", "failures"),
    [
        pytest.param(
            """["{'zinc': 'vitamin'}", "{'nausea': 'event'}"]""",
            False,
            [("nausea", "EVENT")],
            ["unparsable"],
            id="unknown label",
        ),
        pytest.param(
            """["{'iron': 'supplement'}", "{'nausea': 'event'}"]""",
            False,
            [("nausea", "EVENT")],
            ["ungrounded"],
            id="ungrounded",
        ),
        pytest.param(
            """["{'zinc': 'supplement'}", "{'nau""",
            True,
            [],
            ["truncated"],
            id="cut off",
        ),
        pytest.param("I see no event.", False, [], ["unparsable"], id="chatter"),
        pytest.param(
            "[{['zinc']: 'event'}]", False, [], ["unparsable"], id="list as key"
        ),
    ],
)
def test_paper_answers_not_as_asked(text, truncated, entities, failures):
    task = make_task("ner", "paper")
    (question,) = task.questions(unit_of(NOTE), ())
    read = task.read(question, Answer(text, truncated=truncated))
    assert entities_of(read) == entities
    assert [failure.kind for failure in read.failures] == failures


ZINC, COLDS = Entity(0, 4, "DS", "Zinc"), Entity(9, 14, "EVENT", "colds")
LATER, NAUSEA = Entity(16, 20, "DS", "zinc"), Entity(26, 32, "EVENT", "nausea")


@both_styles
@pytest.mark.parametrize("name", ["re", "uc"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer("perhaps"), "unparsable"),
        (Answer(""), "unparsable"),
        (Answer("[]"), "unparsable"),
        (Answer("posi", truncated=True), "truncated"),
    ],
)
def test_a_label_that_is_none_is_a_failure(name, style, answer, kind):
    task = make_task(name, style)
    (question, *_) = task.questions(unit_of(NOTE), [ZINC, COLDS])
    read = task.read(question, answer)
    assert (read.relations, read.usage) == ((), ())
    assert [(f.kind, f.answer) for f in read.failures] == [(kind, answer.text)]


@both_styles
def test_a_relation_has_the_probability_of_every_label(style):
    task = make_task("re", style)
    (question,) = task.questions(unit_of(NOTE), [ZINC, COLDS])
    read = task.read(question, Answer(question.choices[1], (0.2, 0.7, 0.1)))
    scores = {"POSITIVE": 0.2, "NEGATIVE": 0.7, "NOT_RELATED": 0.1}
    expected = Relation(ZINC, COLDS, "NEGATIVE", 0.7, "re", scores)
    assert read == Annotations(relations=(expected,))


@both_styles
def test_a_usage_class_has_the_probability_of_every_class(style):
    task = make_task("uc", style)
    (question,) = task.questions(unit_of(NOTE), [ZINC, COLDS])
    read = task.read(question, Answer(question.choices[2], (0.1, 0.2, 0.6, 0.1)))
    (usage,) = read.usage
    assert (usage.entity, usage.label, usage.score) == (ZINC, "START", 0.6)
    classes = ["CONTINUE", "DISCONTINUE", "START", "UNCERTAIN"]
    assert usage.scores == dict(zip(classes, (0.1, 0.2, 0.6, 0.1), strict=True))


def test_a_label_without_probabilities_has_no_score():
    task = make_task("re")
    (question,) = task.questions(unit_of(NOTE), [ZINC, COLDS])
    (relation,) = task.read(question, Answer("positive")).relations
    assert (relation.label, relation.score, relation.scores) == ("POSITIVE", None, {})


def test_pairs_are_asked_about_within_their_sentence():
    task = make_task("re")
    unit = unit_of("Zinc for colds")
    questions = task.questions(unit, [ZINC, COLDS, LATER, NAUSEA])
    assert [question.about for question in questions] == [(ZINC, COLDS)]
    assert task.gold(questions[0], Annotations()) is None


def test_every_head_meets_every_tail():
    questions = make_task("re").questions(unit_of(NOTE), [ZINC, COLDS, LATER, NAUSEA])
    assert [question.about for question in questions] == [
        (ZINC, COLDS),
        (ZINC, NAUSEA),
        (LATER, COLDS),
        (LATER, NAUSEA),
    ]
    assert len({question.input for question in questions}) == 4


def test_supplements_have_a_usage_and_events_have_none():
    questions = make_task("uc").questions(unit_of(NOTE), [ZINC, COLDS, LATER])
    assert [question.about for question in questions] == [(ZINC,), (LATER,)]


@pytest.mark.parametrize(
    ("name", "text", "ambiguous"),
    [
        ("ner", "zinc\tsupplement", [False]),
        ("ner", "tea\tsupplement\ngout\tevent", [True, False]),
        ("ner", "tea\tsupplement\ntea\tsupplement", [False, False]),
        ("te", "zinc\tpositive\tgout", [False]),
        ("te", "tea\tpositive\tgout", [True]),
    ],
)
def test_a_place_that_was_a_choice_is_marked(name, text, ambiguous):
    task = make_task(name)
    (question,) = task.questions(unit_of("tea, zinc, tea for gout"), ())
    read = task.read(question, Answer(text))
    assert read.failures == ()
    assert [item.ambiguous for item in (*read.entities, *read.relations)] == ambiguous


def test_ends_of_a_triple_have_a_label_where_only_one_can_be():
    unit = unit_of("Ginkgo for tinnitus")
    answer = Answer("Ginkgo\tpositive\ttinnitus")
    labels = []
    for schema in (SCHEMA, make_supplements_paper()):
        task = make_te()(schema, STYLES["compact"])
        (relation,) = task.read(*task.questions(unit, ()), answer).relations
        labels.append((relation.head.label, relation.tail.label))
    assert labels == [("DS", "EVENT"), ("", "event")]


LINES = ("Zinc\tsupplement", "colds\tevent", "zinc\tsupplement", "nausea\tevent")


@given(data=st.data())
@settings(deadline=None)
def test_score_of_an_item_is_the_product_of_its_pieces(data):
    text = "\n".join(LINES)
    pieces, expected, start = [], [], 0
    for line in LINES:
        inner = data.draw(st.sets(st.integers(1, len(line) - 1), max_size=4))
        # A character of several tokens ends at the same place more than once.
        ends = sorted([*inner, len(line), *data.draw(st.sampled_from([[], [1, 1]]))])
        chances = data.draw(
            st.lists(st.floats(0.01, 1), min_size=len(ends), max_size=len(ends))
        )
        pieces += [(start + e, math.log(p)) for e, p in zip(ends, chances, strict=True)]
        start += len(line) + 1
        pieces.append((start, math.log(0.5)))
        expected.append(math.prod(chances))
    task = make_task("ner")
    (question,) = task.questions(unit_of(NOTE), ())
    read = task.read(question, Answer(text, pieces=tuple(pieces[:-1])))
    assert [entity.score for entity in read.entities] == pytest.approx(expected)


def test_score_of_a_paper_item_is_that_of_the_whole_answer():
    task = make_task("te", "paper")
    (question,) = task.questions(unit_of(NOTE), ())
    text = "[{'head': 'zinc', 'relation': 'negative', 'tail': 'nausea'}]"
    pieces = ((10, math.log(0.5)), (len(text), math.log(0.8)))
    (relation,) = task.read(question, Answer(text, pieces=pieces)).relations
    assert relation.score == pytest.approx(0.4)


def test_without_pieces_there_is_no_score():
    task = make_task("ner")
    (question,) = task.questions(unit_of(NOTE), ())
    (entity,) = task.read(question, Answer("nausea\tevent")).entities
    assert entity.score is None


@pytest.mark.parametrize("name", MAKERS)
def test_an_instruction_of_the_user_replaces_the_own_one(name):
    task = MAKERS[name]("Do it.")(SCHEMA, STYLES["compact"])
    assert task.instruction() == "Do it."
