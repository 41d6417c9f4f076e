"""What exemplars and the grammar are worth: the same notes with others, and without."""

import srsly
from conftest import NOTE, answer_by_note
from parrot import parrot
from spacy.training import Example

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.scorer import gold_items
from spacy_ramie.scoring.variants import compare_variants
from spacy_ramie.types import Answer


def test_variants_show_other_exemplars_and_none(scripted, records, tmp_path):
    srsly.write_jsonl(tmp_path / "bank.jsonl", records)
    nlp, engine = scripted()
    engine.answer = parrot
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(tmp_path / "bank.jsonl"))
    docs = [gold_doc(r, nlp, make_supplements()) for r in records[:12]]

    scores, cases = compare_variants(nlp, component, docs, seed=0)

    # The notes are in the bank, and the key holds the sentence.
    assert scores["as it is"]["ents_f"] > 0.9
    assert scores["random exemplar"]["ents_f"] < 0.5
    assert scores["no exemplar"]["ents_f"] == 0
    # The pipeline is as it was.
    again = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    assert again["ents_f"] == scores["as it is"]["ents_f"]
    # Without an exemplar it finds no entity: all that is right is owed to them.
    helped = cases["helped"]["ner"]
    assert helped["count"] == sum(
        row["r"] * len(gold_items_of(docs, label))
        for label, row in scores["as it is"]["ents_per_type"].items()
    )
    assert cases["harmed"]["ner"] == {"count": 0, "cases": []}
    assert len(helped["cases"]) == 20
    known = {e.id: e for e in component.extraction.retriever.banks["ner"].exemplars}
    for case in helped["cases"]:
        (shown,) = case["exemplars"]
        # Its own note.
        assert known[shown["id"]].group == case["record"]
        assert case["text"] in known[shown["id"]].sentence
        assert 0.5 < shown["similarity"] <= 1


def gold_items_of(docs, label):
    return [item for doc in docs for item in gold_items(doc)["ents"].get(label, ())]


def test_an_exemplar_that_misleads_has_harmed(scripted, records, tmp_path):
    def misled(request):
        """Right by itself; shown anything, it finds nothing."""
        return answer_by_note(request) if len(request.parts) < 3 else Answer("None")

    srsly.write_jsonl(tmp_path / "bank.jsonl", records[:3])
    nlp, _ = scripted(misled)
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(tmp_path / "bank.jsonl"))
    melatonin = {"id": "T1", "start": 8, "end": 17, "label": "DS"}
    record = {"id": "n", "text": NOTE, "entities": [melatonin]}
    docs = [gold_doc(record, nlp, make_supplements())]

    _, cases = compare_variants(nlp, component, docs, seed=0)

    (case,) = cases["harmed"]["ner"]["cases"]
    assert (case["record"], case["text"], case["label"]) == ("n", "melatonin", "DS")
    assert case["exemplars"]
    assert {task["count"] for task in cases["helped"].values()} == {0}


def test_without_the_grammar_the_model_may_say_what_is_not_there(scripted, records):
    def babble(request):
        """A model that invents, unless the grammar keeps it from it."""
        if request.choices:
            return Answer(request.choices[0])
        return Answer("None" if request.grammar else "unobtainium\tsupplement")

    nlp, _ = scripted(babble)
    component = nlp.get_pipe("ramie_extractor")
    docs = [gold_doc(r, nlp, make_supplements()) for r in records[:4]]

    scores, _ = compare_variants(nlp, component, docs, seed=0)

    assert scores["as it is"]["ramie_ungrounded"] == 0
    assert scores["no grammar"]["ramie_ungrounded"] > 0
