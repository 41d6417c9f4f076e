"""What a pipeline asks of records, with what queries, and what it is shown for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..component import RamieExtractor
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import Extraction
from ..retrieval.encoders import Encoder, Vectors
from ..retrieval.retriever import with_answer
from ..types import Answer, Exemplar, Failure, Request


class Asked(NamedTuple):
    """A question about a gold record.

    task (str): Name of the task.
    record (str): Id of the record.
    sentence (str): The sentence asked about.
    answer (str): The gold answer.
    queries (Sequence[str]): What was searched with for the sentence.
    shown (Sequence[Exemplar]): What was found.
    """

    task: str
    record: str
    sentence: str
    answer: str
    queries: Sequence[str]
    shown: Sequence[Exemplar]


class _Listener:
    """Hears what an encoder is asked to embed."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.heard: list[str] = []
        self.documents = encoder.documents

    @property
    def identity(self) -> str:
        return self._encoder.identity

    def queries(self, sentences: Sequence[Span]) -> Vectors:
        self.heard += [sentence.text for sentence in sentences]
        return self._encoder.queries(sentences)


class _Silent:
    """Answers nothing: what is asked does not depend on it."""

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        return [Answer(error=Failure("engine_error", "not asked")) for _ in requests]

    def load(self) -> None: ...

    def set_adapter(self, adapter: str | None) -> None: ...

    def to_disk(self, path: Path) -> None: ...

    def from_disk(self, path: Path) -> None: ...


def ask(nlp: Language, component: RamieExtractor, docs: Sequence[Doc]) -> list[Asked]:
    """Send records down the road of a note, as an evaluation does, without the model.

    Whatever the pipeline's encoder is asked to embed is taken for a query.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component; as it was, afterwards.
    docs (Sequence[Doc]): Gold documents.
    RETURNS (list[Asked]): The questions with a gold answer.
    """
    asked: list[Asked] = []
    with _overheard(component.extraction) as listener:
        for gold in docs:
            (doc,) = component.prepare([nlp.make_doc(gold.text)], nlp)
            listener.heard = []
            found = _ask_one(component.extraction, doc, gold)
            queries = dict.fromkeys(listener.heard)
            asked += [
                one._replace(queries=about(one.sentence, [*queries])) for one in found
            ]
    return asked


@contextmanager
def _overheard(extraction: Extraction) -> Iterator[_Listener]:
    engine, encoder = extraction.engine, extraction.retriever.encoder
    listener = _Listener(encoder)
    extraction.engine, extraction.retriever.encoder = _Silent(), listener
    try:
        yield listener
    finally:
        extraction.engine, extraction.retriever.encoder = engine, encoder


def _ask_one(extraction: Extraction, doc: Doc, gold: Doc) -> list[Asked]:
    record = record_of(gold) or {}
    known = gold_annotations(record)
    (first,) = extraction.run([doc])
    (second,) = extraction.run([doc], [known.entities], second_wave_only=True)
    asked = []
    for question, hits, _ in (*first.findings, *second.findings):
        task, sentence = question.task, question.unit.text
        answer = extraction.tasks[task].gold(question, known)
        if answer is not None:
            shown = [hit.exemplar for hit in hits]
            asked.append(Asked(task, record["id"], sentence, answer, (), shown))
    return asked


def about(sentence: str, queries: Sequence[str]) -> list[str]:
    """Choose the queries that hold a sentence; all, where none does.

    sentence (str): The sentence.
    queries (Sequence[str]): What was searched with for its note.
    RETURNS (list[str]): Some of them.
    """
    return [query for query in queries if _folded(sentence) in _folded(query)] or [
        *queries
    ]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def ask_as_released(
    nlp: Language, component: RamieExtractor, asked: Sequence[Asked]
) -> list[Asked]:
    """Search again as the paper's released code does: with the gold answers.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component.
    asked (Sequence[Asked]): The questions.
    RETURNS (list[Asked]): The same questions, with those queries and what they find.
    """
    retriever = component.extraction.retriever
    queries = [with_answer(one.sentence, one.answer) for one in asked]
    vectors = retriever.embed([nlp.make_doc(query)[:] for query in queries])
    again = []
    for one, query in zip(asked, queries, strict=True):
        (hits,) = retriever.search(one.task, [vectors[query]]) if vectors else [[]]
        shown = [hit.exemplar for hit in hits]
        again.append(one._replace(queries=[query], shown=shown))
    return again
