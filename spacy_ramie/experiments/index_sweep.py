"""What approximate search misses and saves, over the settings of Annoy."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from time import perf_counter
from typing import Any

from spacy.tokens import Doc

from ..retrieval.annoy_index import AnnoyIndex
from ..retrieval.encoders import Vectors
from ..retrieval.index import ExactIndex, Found, Index
from ..retrieval.retriever import Retriever
from ..scoring.recall import SENTENCES, recall
from ..units import unit_span, units_of
from .retrievers import reindexed

TREES = (1, 5, 10, 50)
# Nodes a search looks at; -1: Annoy's own choice, neighbours times trees.
SEARCH_K = (-1, 1_000, 10_000, 50_000, 100_000)
# Of so many runs the fastest counts.
ROUNDS = 2

# How a task's index is asked: queries and number of neighbours are given.
Search = Callable[[Index], list[Found]]


def sweep_index(
    retriever: Retriever,
    docs: Sequence[Doc],
    k: int,
    trees: Sequence[int] = TREES,
    search_k: Sequence[int] = SEARCH_K,
) -> dict[str, Any]:
    """Compare Annoy with exact search, on the first sentences of documents.

    retriever (Retriever): The banks of all its tasks are searched.
    docs (Sequence[Doc]): Where the sentences come from.
    k (int): How many neighbours.
    trees (Sequence[int]): Settings of Annoy.
    search_k (Sequence[int]): The same.
    RETURNS (dict): `k`, the number of `sentences`, that of the `exemplars` of each
        task, and `rows`: `trees`, `search_k`, `recall` (share of the k nearest that
        are found), `build_seconds`, and how many times as fast as exact search
        Annoy's is, for sentences that come `one by one` and for all `at once`.
    """
    spans = [unit_span(doc, unit) for doc in docs for unit in units_of(doc)]
    distinct = list({span.text: span for span in spans}.values())[:SENTENCES]
    queries = retriever.encoder.queries(distinct)
    retriever = reindexed(retriever, ExactIndex)
    exact = _indices(retriever)
    batch, single = partial(_at_once, queries, k), partial(_one_by_one, queries, k)
    nearest, together = _timed(exact, batch)
    _, alone = _timed(exact, single)
    rows = []
    for number in trees:
        start = perf_counter()
        forest = _indices(reindexed(retriever, partial(AnnoyIndex, number, -1, 0)))
        built = perf_counter() - start
        for nodes in search_k:
            for index in forest.values():
                index.search_k = nodes
            found, seconds = _timed(forest, batch)
            rows.append(
                {
                    "trees": number,
                    "search_k": nodes,
                    "recall": recall(found, nearest),
                    "build_seconds": built,
                    "one by one": alone / seconds,
                    "at once": together / seconds,
                }
            )
    return {
        "k": k,
        "sentences": len(distinct),
        "exemplars": {t: len(b.exemplars) for t, b in retriever.banks.items()},
        "rows": rows,
    }


def _indices(retriever: Retriever) -> dict[str, Any]:
    return {task: bank.index for task, bank in retriever.banks.items()}


def _at_once(queries: Vectors, k: int, index: Index) -> list[Found]:
    return index.search(queries, k)


def _one_by_one(queries: Vectors, k: int, index: Index) -> list[Found]:
    found = (index.search(queries[i : i + 1], k) for i in range(len(queries)))
    return list(chain.from_iterable(found))


def _timed(indices: Mapping[str, Index], search: Search) -> tuple[list[Found], float]:
    """Search the banks of all tasks; what is found, and the seconds it takes."""
    seconds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        found = [search(index) for index in indices.values()]
        seconds.append(perf_counter() - start)
    return list(chain.from_iterable(found)), min(seconds)
