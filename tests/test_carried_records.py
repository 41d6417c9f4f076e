"""A record, and what is seen through it, survives what spaCy does to a doc."""

import json
import pickle

import pytest
from conftest import NOTE
from spacy.tokens import Doc, DocBin


def plain(record) -> object:
    """A record as JSON has it: DocBin turns lists into tuples."""
    return json.loads(json.dumps(record))


def through_docbin(doc: Doc) -> Doc:
    docbin = DocBin(docs=[doc], store_user_data=True)
    (found,) = DocBin().from_bytes(docbin.to_bytes()).get_docs(doc.vocab)
    return found


def through_json(doc: Doc) -> Doc:
    text = json.dumps(doc.to_json(underscore=["ramie"]))
    return Doc(doc.vocab).from_json(json.loads(text))


def through_bytes(doc: Doc) -> Doc:
    return Doc(doc.vocab).from_bytes(doc.to_bytes())


def through_pickle(doc: Doc) -> Doc:
    return pickle.loads(pickle.dumps(doc))


def retokenized(doc: Doc) -> Doc:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:5])  # 3 mg qhs
        retokenizer.split(doc[1], ["mela", "tonin"], heads=[doc[1], doc[1]])
    return doc


@pytest.mark.parametrize(
    "carry",
    [
        through_docbin,
        through_json,
        through_bytes,
        through_pickle,
        Doc.copy,
        retokenized,
    ],
)
def test_a_record_survives(scripted, bank, carry):
    nlp, _ = scripted(exemplars=bank)
    doc = nlp(NOTE)
    expected = plain(doc._.ramie)
    pairs = [(r.head.text, r.label, r.tail.text) for r in doc._.ramie_relations]
    triples = doc._.ramie_triples

    carried = carry(doc)

    assert plain(carried._.ramie) == expected
    relations = carried._.ramie_relations
    assert [(r.head.text, r.label, r.tail.text) for r in relations] == pairs
    assert all(r.head.doc is carried for r in relations)
    assert carried._.ramie_triples == triples
    melatonin = carried.char_span(8, 17, label="DS", alignment_mode="expand")
    assert melatonin._.ramie_usage == "START"
    assert melatonin._.ramie_score == pytest.approx(2.718281828**-0.20)
    insomnia = carried.char_span(31, 39, label="EVENT", alignment_mode="expand")
    assert [r.head.text for r in insomnia._.ramie_relations if r.source == "re"] == [
        melatonin.text,
        "ginkgo",
    ]


def test_views_find_a_mention_that_was_merged_into_a_longer_token(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:5])
    mention = doc.char_span(8, 17, label="DS", alignment_mode="expand")
    assert mention.text == "melatonin 3 mg qhs"
    assert mention._.ramie_usage == "START"
    assert mention._.ramie_score == pytest.approx(2.718281828**-0.20)
