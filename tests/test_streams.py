"""A stream of notes: the same docs in the same order, in few calls, read no further."""

from collections.abc import Sequence
from itertools import count, islice

import pytest
from conftest import NOTE, ScriptedEngine, answer_by_note
from known_note import ALL, labelled

from spacy_ramie.types import Answer, Request

TEXTS = [NOTE, "", "No headache.", "Nothing taken.", NOTE + " " + NOTE, "\n"]


class CountingEngine(ScriptedEngine):
    """Answers by script and counts its calls."""

    calls = 0

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        self.calls += 1
        return super().run(requests)


def count_calls(nlp) -> CountingEngine:
    engine = CountingEngine(answer_by_note)
    nlp.get_pipe("ramie_extractor").extraction.engine = engine
    return engine


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_pipe_gives_the_same_docs_in_order_with_the_same_records(
    scripted, bank, batch_size
):
    nlp, _ = scripted(exemplars=bank)
    expected = [nlp(text)._.ramie for text in TEXTS]
    docs = [nlp.make_doc(text) for text in TEXTS]
    out = list(nlp.pipe(docs, batch_size=batch_size))
    assert [id(doc) for doc in out] == [id(doc) for doc in docs]
    assert [doc._.ramie for doc in out] == expected


def test_pipe_keeps_contexts(scripted):
    nlp, _ = scripted()
    pairs = [(text, {"note": i}) for i, text in enumerate(TEXTS)]
    out = list(nlp.pipe(pairs, as_tuples=True, batch_size=2))
    assert [(doc.text, context) for doc, context in out] == pairs


def test_many_notes_reach_the_engine_in_two_calls(scripted):
    nlp, _ = scripted()
    engine = count_calls(nlp)
    docs = list(nlp.pipe([NOTE] * 50))
    assert engine.calls == 2
    assert len(engine.requests) == sum(doc._.ramie["requests"] for doc in docs) > 50


def test_a_window_bounds_what_is_read_ahead(scripted):
    nlp, _ = scripted(window=3)
    engine = count_calls(nlp)
    read = count()
    stream = (nlp.make_doc(NOTE) for _ in read)
    docs = list(islice(nlp.pipe(stream), 5))
    assert [labelled(doc.ents) for doc in docs] == [ALL] * 5
    # Sixty tokens, three sentences of twenty, are four of these notes.
    assert len(docs[0]) * 3 < 60 <= len(docs[0]) * 4
    assert next(read) == 8
    assert engine.calls == 4
