"""What a note gets: spans, relations, usage, classes, and what is behind them."""

import pytest
from conftest import NOTE
from known_note import ALL, FIRST, answering, labelled

from spacy_ramie.types import Answer


def test_entities_are_in_ents_and_spans(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    assert labelled(doc.ents) == ALL
    assert list(doc.spans["ramie"]) == list(doc.ents)
    assert [ent.id_ for ent in doc.ents] == ["T1", "T2", "T3", "T4", "T5"]
    assert [item["id"] for item in doc._.ramie["entities"]] == [
        ent.id_ for ent in doc.ents
    ]


def test_overlapping_entities_are_all_in_spans_and_the_longest_in_ents(scripted):
    said = "green tea\tsupplement\ngreen tea extract\tsupplement"
    nlp, _ = scripted(answering("ner", Answer(said)), spans_key="found")
    doc = nlp("Took green tea extract.")
    assert labelled(doc.ents) == [("green tea extract", "DS")]
    assert sorted(labelled(doc.spans["found"])) == [
        ("green tea", "DS"),
        ("green tea extract", "DS"),
    ]


def test_relations_are_between_spans_of_the_doc(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    pairs = [r for r in doc._.ramie_relations if r.source == "re"]
    found = {(r.head.text, r.tail.text): r.label for r in pairs}
    assert found == {
        ("melatonin", "insomnia"): "POSITIVE",
        ("melatonin", "nosebleeds"): "NOT_RELATED",
        ("ginkgo", "insomnia"): "NEGATIVE",
        ("ginkgo", "nosebleeds"): "NEGATIVE",
    }
    assert pairs[0].score == pytest.approx(0.9)
    ends = [end for r in doc._.ramie_relations for end in (r.head, r.tail)]
    assert all(end in doc.ents for end in ends)


def test_relations_of_a_span_are_those_it_is_an_end_of(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    found = {text: [] for text, _ in ALL}
    for ent in doc.ents:
        for relation in ent._.ramie_relations:
            if relation.source == "re":
                found[ent.text].append((relation.head.text, relation.tail.text))
    assert found["headache"] == []
    assert sorted(found["insomnia"]) == [
        ("ginkgo", "insomnia"),
        ("melatonin", "insomnia"),
    ]


def test_triples_are_texts(scripted):
    nlp, _ = scripted()
    assert nlp(NOTE)._.ramie_triples == [
        ("melatonin", "POSITIVE", "insomnia"),
        ("melatonin", "NOT_RELATED", "nosebleeds"),
        ("ginkgo", "NEGATIVE", "insomnia"),
        ("ginkgo", "NEGATIVE", "nosebleeds"),
    ]


def test_usage_is_that_of_the_mention(scripted):
    nlp, _ = scripted()
    usage = {ent.text: ent._.ramie_usage for ent in nlp(NOTE).ents}
    assert usage == {
        "melatonin": "START",
        "ginkgo": "DISCONTINUE",
        "insomnia": None,
        "nosebleeds": None,
        "headache": None,
    }


def test_cats_are_the_highest_probabilities_over_the_mentions(scripted):
    nlp, _ = scripted()
    rest = pytest.approx(0.1 / 3)
    assert nlp(NOTE).cats == {
        "START": pytest.approx(0.9),
        "DISCONTINUE": pytest.approx(0.9),
        "CONTINUE": rest,
        "UNCERTAIN": rest,
    }


@pytest.mark.parametrize("text", ["No headache.", ""])
def test_cats_have_every_class_without_a_mention(scripted, text):
    nlp, _ = scripted()
    classes = ("START", "DISCONTINUE", "CONTINUE", "UNCERTAIN")
    assert nlp(text).cats == dict.fromkeys(classes, 0.0)


def test_cats_of_an_engine_without_probabilities_are_zero_and_one(scripted):
    nlp, _ = scripted(answering("uc", Answer("start")))
    cats = nlp(NOTE).cats
    assert cats == {"START": 1.0, "DISCONTINUE": 0.0, "CONTINUE": 0.0, "UNCERTAIN": 0.0}


def test_score_is_the_probability_of_the_item_and_none_where_it_is_unknown(scripted):
    nlp, _ = scripted()
    scores = {ent.text: ent._.ramie_score for ent in nlp(NOTE).ents}
    # The script gives every character of "melatonin<TAB>supplement" e ** -0.01.
    assert scores["melatonin"] == pytest.approx(2.718281828**-0.20)
    assert scores["headache"] is None


def test_exemplars_behind_an_annotation_are_named(scripted, bank):
    retriever = {"@misc": "spacy_ramie.Retriever.v1", "key": "sentence"}
    nlp, engine = scripted(exemplars=bank, retriever=retriever)
    doc = nlp(NOTE)
    melatonin, insomnia, *_ = doc.ents
    assert insomnia._.ramie_exemplars == [{"id": "bank-1/0", "similarity": 1.0}]
    (ner,) = [r for r in engine.requests if r.task == "ner" and FIRST in r.parts[-1]]
    assert " melatonin\t supplement\n insomnia\t event\n ginkgo" in ner.parts[1]
    # One behind the entity, one behind its class.
    assert len(melatonin._.ramie_exemplars) == 2
    assert {e["similarity"] for e in melatonin._.ramie_exemplars} == {1.0}


def test_kb_id_is_the_ingredient_that_the_bank_knows(scripted, bank):
    nlp, _ = scripted(exemplars=bank)
    # The script says "ginkgo": found, and linked, in whatever case it stands.
    doc = nlp(NOTE.replace("ginkgo", "Ginkgo"))
    assert {ent.text: ent.kb_id_ for ent in doc.ents} == {
        "melatonin": "melatonin",
        "Ginkgo": "g. biloba",
        "insomnia": "",
        "nosebleeds": "",
        "headache": "",
    }


def test_a_note_keeps_its_own_segmentation(scripted):
    nlp, _ = scripted()
    assert not nlp(NOTE).has_annotation("SENT_START")
