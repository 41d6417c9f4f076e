"""How often approximate search finds what exact search finds."""

from collections.abc import Sequence

import numpy
from spacy.tokens import Doc

from ..retrieval.index import ExactIndex
from ..retrieval.retriever import Retriever
from ..units import unit_span, units_of

# More would make the figures no surer.
SENTENCES = 200


def measure_recall(retriever: Retriever, docs: Sequence[Doc]) -> dict[str, float]:
    """Measure recall@1 of the banks' indices on the first sentences of documents.

    A neighbour is right if it is as near as the nearest: equal sentences are equal.

    retriever (Retriever): Its banks are searched.
    docs (Sequence[Doc]): Where the sentences come from.
    RETURNS (dict[str, float]): Recall in [0, 1] for each task.
    """
    spans = [unit_span(doc, unit) for doc in docs for unit in units_of(doc)]
    vectors = retriever.embed(spans[:SENTENCES])
    recall: dict[str, float] = {}
    if not vectors:
        return recall
    for task, bank in retriever.banks.items():
        exact = ExactIndex()
        exact.build(bank.index.vectors())
        queries = numpy.stack(list(vectors.values()))
        right = sum(
            bool(found) and found[0][1] > best - 1e-4
            for found, ((_, best),) in zip(
                bank.index.search(queries, 1), exact.search(queries, 1), strict=True
            )
        )
        recall[task] = right / len(queries)
    return recall
