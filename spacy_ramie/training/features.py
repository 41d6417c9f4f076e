"""From corpus items to token ids: the same prompts as at inference."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spacy.tokens import Doc

from ..corpus.items import Item
from ..engine.tokens import PromptTokenizer
from ..prompting import build_request
from ..retrieval.encoders import Vectors
from ..retrieval.retriever import Retriever
from ..styles import Style
from ..tasks import Task
from ..types import Hit
from ..units import unit_span, units_of

logger = logging.getLogger(__name__)


class Feature(NamedTuple):
    """One training example.

    ids (list[int]): Token ids of prompt and completion, the end included.
    completion (int): How many of them, at the end, are the completion's.
    instruction (int): How many of them, at the beginning, are the instruction's.
    input (int): How many of them, before the completion, are the input's.
    kind (str): Examples of one kind have one instruction.
    """

    ids: list[int]
    completion: int
    instruction: int
    input: int
    kind: str


def encode_items(
    items: Sequence[Item],
    vectors: Mapping[str, Vectors],
    tasks: Mapping[str, Task],
    style: Style,
    retriever: Retriever,
    tokens: PromptTokenizer,
    *,
    held_out: bool,
) -> list[Feature]:
    """Build the training examples of corpus items.

    items (Sequence[Item]): Questions and completions.
    vectors (Mapping): Embedded sentences, by text; without one no exemplar is shown.
    tasks (Mapping[str, Task]): The tasks by name.
    style (Style): The wording.
    retriever (Retriever): Its bank is made of the training items.
    tokens (PromptTokenizer): The tokenizer of the base model.
    held_out (bool): The items are not in the bank; otherwise an item is never
        shown its own note or its own sentence.
    RETURNS (list[Feature]): The examples; items longer than the context are left
        out and counted in the log.
    """
    features = []
    shown = _search(items, vectors, retriever, held_out=held_out)
    for item, hits in zip(items, shown, strict=True):
        question = item.question
        request = build_request(tasks[question.task], style, question, hits)
        completion = tokens.completion(item.completion)
        encoded = tokens.encode(request, len(completion))
        if encoded is not None:
            ids = [*encoded.prompt, *completion]
            lengths = len(completion), encoded.instruction, encoded.input
            features.append(Feature(ids, *lengths, question.task))
    if len(features) < len(items):
        logger.warning(
            "%d of %d examples are longer than the context of %d tokens and are left out",
            len(items) - len(features),
            len(items),
            tokens.context,
        )
    return features


def _search(
    items: Sequence[Item],
    vectors: Mapping[str, Vectors],
    retriever: Retriever,
    *,
    held_out: bool,
) -> list[list[Hit]]:
    """Find exemplars: one search for a task and a sentence of a note."""
    first: dict[tuple[str, str, str], Item] = {}
    for item in items:
        if item.question.unit.text in vectors:
            first.setdefault(_place(item), item)
    found: dict[tuple[str, str, str], list[Hit]] = {}
    for task in dict.fromkeys(item.question.task for item in items):
        some = [item for item in first.values() if item.question.task == task]
        hits = retriever.search(
            task,
            [vectors[item.question.unit.text] for item in some],
            but=None if held_out else [item.exemplar for item in some],
        )
        found.update((_place(i), h) for i, h in zip(some, hits, strict=True))
    return [found.get(_place(item), []) for item in items]


def _place(item: Item) -> tuple[str, str, str]:
    return item.question.task, item.question.unit.text, item.exemplar.group


def embed_units(docs: Sequence[Doc], retriever: Retriever) -> dict[str, Vectors]:
    """Embed every sentence of documents.

    docs (Sequence[Doc]): Segmented documents.
    retriever (Retriever): Its encoder is used.
    RETURNS (dict): A vector for each distinct sentence.
    """
    return retriever.embed([unit_span(doc, u) for doc in docs for u in units_of(doc)])
