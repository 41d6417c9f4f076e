"""What is timed: the pipeline that comes along, asked about dev sentences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.corpus.items import Item, make_items
from spacy_ramie.corpus.records import read_records
from spacy_ramie.engine.runner import Prompt
from spacy_ramie.engine.transformers_engine import TransformersEngine
from spacy_ramie.extraction import Extraction
from spacy_ramie.prompting import build_request
from spacy_ramie.retrieval.encoders import Vectors
from spacy_ramie.training.features import embed_units
from spacy_ramie.types import Answer, Request

ROOT = Path(__file__).parent.parent


class Scene(NamedTuple):
    """The default pipeline and what it is asked.

    docs (list[Doc]): Dev records with their gold annotations, one sentence each.
    items (list[Item]): All questions about them, the gold entities given.
    vectors (dict): The embedded sentences, by text.
    requests (list[Request]): As prompts, with the retrieved exemplar.
    rounds (int): How often each arm is timed.
    """

    nlp: Language
    extraction: Extraction
    docs: list[Doc]
    items: list[Item]
    vectors: dict[str, Vectors]
    requests: list[Request]
    rounds: int

    def of(self, *tasks: str) -> list[Request]:
        """The requests of some tasks."""
        return [request for request in self.requests if request.task in tasks]

    @property
    def engine(self) -> TransformersEngine:
        """The in-process engine."""
        engine = self.extraction.engine
        assert isinstance(engine, TransformersEngine)
        return engine

    def prompt(self, request: Request) -> Prompt:
        """A request as the model gets it."""
        encoded = self.engine.load().encode(request)
        assert isinstance(encoded, Prompt)
        return encoded


def texts(answers: Sequence[Answer]) -> list[str]:
    """What was said."""
    return [answer.text for answer in answers]


def set_scene(sentences: int, rounds: int) -> Scene:
    """Load the default pipeline and ask all four tasks about dev sentences.

    sentences (int): How many.
    rounds (int): How often each arm will be timed.
    RETURNS (Scene): What is timed.
    """
    nlp = spacy.blank("en")
    component: Any = nlp.add_pipe("ramie_extractor")
    extraction = component.extraction
    tasks = list(extraction.tasks.values())
    records = read_records(ROOT / "corpus" / "dev.jsonl", component.schema)
    docs: list[Doc] = []
    items: list[Item] = []
    for record in records:
        doc = gold_doc(record, nlp, component.schema)
        asked = list(make_items([doc], tasks))
        if len({item.question.unit for item in asked}) == 1 and len(docs) < sentences:
            docs.append(doc)
            items += asked
    vectors = embed_units(docs, extraction.retriever)
    requests = []
    for item in items:
        name, text = item.question.task, item.question.unit.text
        (hits,) = extraction.retriever.search(name, [vectors[text]])
        task = extraction.tasks[name]
        requests.append(build_request(task, extraction.style, item.question, hits))
    return Scene(nlp, extraction, docs, items, vectors, requests, rounds)
