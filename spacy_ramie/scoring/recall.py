"""How often approximate search finds what exact search finds."""

from collections.abc import Sequence

import numpy
from spacy.tokens import Doc

from ..retrieval.index import ExactIndex, Found
from ..retrieval.retriever import Retriever
from ..units import unit_span, units_of

# More would make the figures no surer: each is searched in the banks of all tasks.
SENTENCES = 200
# A cosine that is less than this below another one is as good.
TIE = 1e-4


def measure_recall(retriever: Retriever, docs: Sequence[Doc]) -> dict[str, float]:
    """Measure recall@1 of the banks' indices on the first sentences of documents.

    retriever (Retriever): Its banks are searched.
    docs (Sequence[Doc]): Where the sentences come from.
    RETURNS (dict[str, float]): Recall in [0, 1] for each task.
    """
    spans = [unit_span(doc, unit) for doc in docs for unit in units_of(doc)]
    vectors = retriever.embed(spans[:SENTENCES])
    if not vectors:
        return {}
    queries = numpy.stack(list(vectors.values()))
    measured = {}
    for task, bank in retriever.banks.items():
        exact = ExactIndex()
        exact.build(bank.index.vectors())
        found, nearest = bank.index.search(queries, 1), exact.search(queries, 1)
        measured[task] = recall(found, nearest)
    return measured


def recall(found: Sequence[Found], nearest: Sequence[Found]) -> float:
    """Give the share of the nearest neighbours that were found.

    found (Sequence[Found]): What a search gave for each query.
    nearest (Sequence[Found]): What there was to be found.
    RETURNS (float): Between 0 and 1; a row as near as the last of the nearest is one
        of them.
    """
    right = sum(
        cosine > wanted[-1][1] - TIE
        for got, wanted in zip(found, nearest, strict=True)
        for _, cosine in got
    )
    return right / sum(len(wanted) for wanted in nearest)
