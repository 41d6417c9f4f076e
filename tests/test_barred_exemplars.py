"""In training nobody is shown an exemplar that would give the answer away."""

import pytest
from tiny_bank import MELATONIN, NLP, exemplar, hits_of, make_retriever

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.corpus.items import Item, make_items
from spacy_ramie.schema import make_supplements


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
@pytest.mark.parametrize(
    ("twin", "shown"),
    [
        # The item itself is all there is.
        (None, []),
        # The same question of the same note, about another pair.
        (exemplar(MELATONIN, "positive", note="a", number=1), []),
        # Another sentence of the same note.
        (exemplar("Melatonin was started.", note="a", number=1), []),
        # The same sentence, copied into another note.
        (exemplar(MELATONIN, note="b"), []),
        # Another sentence of another note.
        (exemplar("Melatonin was started.", note="b"), ["b/0"]),
    ],
)
def test_training_gives_no_answer_away(twin, shown, kind):
    item = exemplar(MELATONIN, note="a")
    retriever = make_retriever(kind, k=3)
    retriever.fit([item, twin] if twin else [item], NLP)

    hits = hits_of(retriever, MELATONIN, but=item)

    assert [hit.exemplar.id for hit in hits] == shown


@pytest.fixture
def items(records, make_nlp) -> list[Item]:
    """Items of all tasks; the notes of the first records were written twice."""
    nlp = make_nlp()
    copies = [{**record, "id": f"copy-{record['id']}"} for record in records[:5]]
    docs = [gold_doc(r, nlp, make_supplements()) for r in [*records, *copies]]
    tasks = nlp.get_pipe("ramie_extractor").extraction.tasks
    return list(make_items(docs, [*tasks.values()]))


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
def test_every_item_of_a_corpus_is_shown_k_exemplars_of_others(kind, items):
    retriever = make_retriever(kind, k=2)
    retriever.fit([item.exemplar for item in items], NLP)

    shown = [
        (own, hits_of(retriever, question.unit.text, question.task, but=own))
        for question, _, own in items
    ]

    assert {own.task for own, _ in shown} == {"ner", "re", "te", "uc"}
    assert {len(hits) for _, hits in shown} == {2}
    found = [(own, hit.exemplar) for own, hits in shown for hit in hits]
    assert not [own.id for own, other in found if own.group == other.group]
    assert not [own.id for own, other in found if own.sentence == other.sentence]
