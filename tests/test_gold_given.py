"""With gold entities given, every gold relation and usage class counts."""

from conftest import NOTE, answer_by_note
from scored_note import prf
from spacy.training import Example

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.given import score_given
from spacy_ramie.types import Answer, Failure


def note_record():
    """NOTE as the scripted engine reads it, but for two labels and one relation."""
    places = {
        word: {"start": NOTE.index(word), "end": NOTE.index(word) + len(word)}
        for word in ("melatonin", "insomnia", "ginkgo", "nosebleeds", "headache")
    }
    relations = {
        ("melatonin", "insomnia"): "POSITIVE",
        ("ginkgo", "nosebleeds"): "NEGATIVE",
        # The engine says NOT_RELATED.
        ("melatonin", "nosebleeds"): "POSITIVE",
        # The ends are in two sentences: nobody is asked.
        ("melatonin", "headache"): "NOT_RELATED",
    }
    labels = dict.fromkeys(places, "EVENT") | {"melatonin": "DS", "ginkgo": "DS"}
    return {
        "id": "note",
        "text": NOTE,
        "entities": [{"id": w, **at, "label": labels[w]} for w, at in places.items()],
        "relations": [
            {"head": head, "tail": tail, "label": label}
            for (head, tail), label in relations.items()
        ],
        "usage": [
            {"entity": "melatonin", "label": "START"},
            {"entity": "ginkgo", "label": "CONTINUE"},
        ],
    }


def note_example(nlp, record=None):
    reference = gold_doc(record or note_record(), nlp, make_supplements())
    return Example(nlp.make_doc(reference.text), reference)


def extraction_of(nlp):
    return nlp.get_pipe("ramie_extractor").extraction


def test_every_gold_relation_counts_also_one_across_sentences(scripted):
    nlp, _ = scripted()

    scores = score_given([note_example(nlp)], extraction_of(nlp))

    assert scores["ramie_re_gold_acc"] == 0.5
    assert scores["ramie_re_gold_acc_per_type"] == {
        "NEGATIVE": 1.0,
        "NOT_RELATED": 0.0,
        "POSITIVE": 0.5,
    }


def test_every_gold_class_counts(scripted):
    nlp, _ = scripted()

    scores = score_given([note_example(nlp)], extraction_of(nlp))

    assert scores["ramie_uc_gold_acc"] == 0.5
    assert scores["ramie_uc_gold_acc_per_type"] == {"CONTINUE": 0.0, "START": 1.0}


def test_with_gold_entities_nothing_is_asked_that_would_find_some(scripted):
    nlp, engine = scripted()

    score_given([note_example(nlp)], extraction_of(nlp))

    # Two heads, three tails, one of them in another sentence.
    tasks = [request.task for request in engine.requests]
    assert sorted(tasks) == ["re"] * 4 + ["uc"] * 2


def test_request_that_fails_counts_as_wrong(scripted):
    def answer(request):
        if request.task == "uc":
            return Answer(error=Failure("engine_error", "out of memory"))
        return answer_by_note(request)

    nlp, _ = scripted(answer)

    scores = score_given([note_example(nlp)], extraction_of(nlp))

    assert (scores["ramie_uc_gold_acc"], scores["ramie_re_gold_acc"]) == (0.0, 0.5)


def test_without_gold_labels_there_is_no_accuracy(scripted):
    nlp, _ = scripted()
    empty = {"id": "x", "text": "Slept well."}

    scores = score_given([note_example(nlp, empty)], extraction_of(nlp))

    assert scores == {
        "ramie_re_gold_acc": None,
        "ramie_re_gold_acc_per_type": {},
        "ramie_re_gold_ece": None,
        "ramie_re_gold_brier": None,
        "ramie_re_gold_bins": [],
        "ramie_uc_gold_acc": None,
        "ramie_uc_gold_acc_per_type": {},
        "ramie_uc_gold_ece": None,
        "ramie_uc_gold_brier": None,
        "ramie_uc_gold_bins": [],
    }


def test_pipeline_scores_end_to_end_and_with_gold_entities(scripted):
    nlp, _ = scripted()

    scores = nlp.evaluate([note_example(nlp)])

    # The engine finds every entity; the pairs it is asked about are those of one
    # sentence, four in all, of which gold has three.
    assert prf(scores, "ents") == (1, 1, 1)
    assert prf(scores, "ramie_re") == (0.5, 0.5, 0.5)
    assert prf(scores, "ramie_te") == (1, 0.5, 0.6667)
    assert prf(scores, "ramie_uc") == (0.5, 0.5, 0.5)
    assert scores["ramie_re_gold_acc"] == 0.5
    assert scores["ramie_requests"] == 10
