"""What counts as right, what as wrong, and what the scores are called."""

import pytest
import spacy
from scored_note import (
    SPANS,
    TEXT,
    example,
    found_relation,
    found_span,
    found_usage,
    prf,
    scores_of,
)
from spacy.training import Example

from spacy_ramie.scoring.scorer import score_records

# Entities


def test_exact_entities_are_right():
    found = [found_span(*span) for span in SPANS.values()]

    assert prf(scores_of(entities=found), "ents") == (1, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        (0, 8, "DS"),
        (0, 10, "DS"),
        (1, 9, "DS"),
        (0, 9, "EVENT"),
        (32, 41, "EVENT"),
        (9, 13, "DS"),
    ],
)
def test_entity_needs_the_very_characters_and_label(wrong):
    found = [found_span(*SPANS["sleep"]), found_span(*wrong)]

    assert prf(scores_of(entities=found), "ents") == (0.5, 0.25, 0.3333)


def test_entity_said_twice_counts_once():
    found = [found_span(*SPANS["sleep"])] * 3

    assert prf(scores_of(entities=found), "ents") == (1, 0.25, 0.4)


def test_entities_by_label():
    found = [found_span(*SPANS[name]) for name in ("melatonin", "again", "sleep")]

    table = scores_of(entities=found)["ents_per_type"]

    assert table == {
        "DS": {"p": 1.0, "r": 1.0, "f": 1.0},
        "EVENT": {"p": 1.0, "r": 0.5, "f": pytest.approx(2 / 3)},
    }


def test_gold_document_without_a_record_is_scored_by_its_entities():
    nlp = spacy.blank("en")
    reference, predicted = nlp.make_doc(TEXT), nlp.make_doc(TEXT)
    reference.ents = [reference.char_span(0, 9, label="DS")]
    predicted._.ramie = {"entities": [found_span(*SPANS["melatonin"])]}

    scores = score_records([Example(predicted, reference)], "ramie")

    assert prf(scores, "ents") == (1, 1, 1)
    assert prf(scores, "ramie_re") == (0, 0, 0)


# Relations, triples, usage


def test_relation_is_right_with_both_ends_and_label():
    found = [
        found_relation("POSITIVE"),
        found_relation("NOT_RELATED", tail=SPANS["nausea"]),
    ]

    assert prf(scores_of(relations=found), "ramie_re") == (1, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "NEGATIVE"},
        {"label": "NOT_RELATED"},
        {"head": SPANS["again"]},
        {"head": (0, 8, "DS")},
        {"tail": (14, 20, "EVENT")},
        {"tail": (14, 19, "DS")},
        {"tail": SPANS["nausea"]},
        {"head": SPANS["sleep"], "tail": SPANS["melatonin"]},
    ],
)
def test_relation_needs_both_ends_and_label(wrong):
    found = [found_relation(**{"label": "POSITIVE", **wrong})]

    assert prf(scores_of(relations=found), "ramie_re") == (0, 0, 0)


def test_not_related_is_a_label_like_the_others():
    found = [
        found_relation("NOT_RELATED"),
        found_relation("NOT_RELATED", tail=SPANS["nausea"]),
    ]

    scores = scores_of(relations=found)

    assert prf(scores, "ramie_re") == (0.5, 0.5, 0.5)
    assert scores["ramie_re_per_type"] == {
        "NOT_RELATED": {"p": 0.5, "r": 1.0, "f": pytest.approx(2 / 3)},
        "POSITIVE": {"p": 0.0, "r": 0.0, "f": 0.0},
    }


def test_relations_and_triples_are_counted_apart():
    found = [
        found_relation("POSITIVE"),
        found_relation("NOT_RELATED", tail=SPANS["nausea"], source="te"),
    ]

    scores = scores_of(relations=found)

    assert prf(scores, "ramie_re") == (1, 0.5, 0.6667)
    assert list(scores["ramie_te_per_type"]) == ["NOT_RELATED", "POSITIVE"]
    assert scores["ramie_te_per_type"]["POSITIVE"]["r"] == 0
    assert scores["ramie_te_per_type"]["NOT_RELATED"]["f"] == 1


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({}, True),
        # The same text in another place, without a type.
        ({"head": SPANS["again"]}, True),
        ({"head": (0, 9, ""), "tail": (14, 19, "")}, True),
        ({"head": (0, 8, "DS")}, False),
        ({"tail": SPANS["nausea"]}, False),
        ({"label": "NEGATIVE"}, False),
        ({"head": SPANS["sleep"], "tail": SPANS["melatonin"]}, False),
    ],
)
def test_triple_is_right_with_the_exact_texts(changed, right):
    relation = found_relation(**{"label": "POSITIVE", "source": "te", **changed})

    scores = scores_of(relations=[relation])

    assert scores["ramie_te_p"] == (1.0 if right else 0.0)
    assert scores["ramie_te_r"] == (0.5 if right else 0.0)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ([found_usage("UNCERTAIN")], (1, 0.5, 0.6667)),
        ([found_usage("START")], (0, 0, 0)),
        ([found_usage("UNCERTAIN", SPANS["again"])], (0, 0, 0)),
        ([found_usage("UNCERTAIN", (0, 8, "DS"))], (0, 0, 0)),
        (
            [found_usage("UNCERTAIN"), found_usage("DISCONTINUE", SPANS["again"])],
            (1, 1, 1),
        ),
    ],
)
def test_usage_needs_mention_and_class(usage, expected):
    assert prf(scores_of(usage=usage), "ramie_uc") == expected


# Failures and counts


def failure(kind):
    return {"task": "ner", "kind": kind, "start": 0, "end": 9, "message": ""}


def test_what_could_not_be_read_counts_as_missed():
    whole = {"entities": [found_span(*span) for span in SPANS.values()]}
    unread = {"entities": [], "failures": [failure("unparsable")]}

    scores = score_records([example(whole), example(unread)], "ramie")

    assert prf(scores, "ents") == (1, 0.5, 0.6667)


@pytest.mark.parametrize("found", [None, {}])
def test_note_without_a_record_counts_as_missed(found):
    scores = score_records([example(found)], "ramie")

    assert [prf(scores, kind) for kind in ("ents", "ramie_re", "ramie_uc")] == [
        (0, 0, 0)
    ] * 3
    assert scores["ents_per_type"]["DS"]["r"] == 0


def test_requests_and_failures_are_counted_over_all_notes():
    kinds = ["unparsable", "ungrounded", "truncated", "too_long", "engine_error"]
    first = {"requests": 7, "failures": [failure(kind) for kind in kinds]}
    second = {"requests": 4, "failures": [failure("ungrounded")]}

    scores = score_records([example(first), example(second)], "ramie")

    assert {key: n for key, n in scores.items() if isinstance(n, int)} == {
        "ramie_requests": 11,
        "ramie_unparsable": 1,
        "ramie_ungrounded": 2,
        "ramie_truncated": 1,
        "ramie_too_long": 1,
        "ramie_engine_errors": 1,
    }
