"""Whether exemplars help: none, one drawn by chance, the retrieved one."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..component import RamieExtractor
from ..retrieval.bank import Bank
from ..retrieval.encoders import Vectors
from ..retrieval.index import ExactIndex, Found
from ..retrieval.retriever import Retriever


class ChanceIndex(ExactIndex):
    """Finds rows by chance: the control of a search.

    seed (int): Source of chance.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)

    def search(self, queries: Vectors, n: int) -> list[Found]:
        """Give up to n rows for each query; their cosines are not computed."""
        rows = range(len(self.vectors()))
        n = min(n, len(rows))
        return [[(i, 0.0) for i in self._random.sample(rows, n)] for _ in queries]


def compare_exemplars(
    nlp: Language, component: RamieExtractor, docs: Sequence[Doc], seed: int
) -> dict[str, dict[str, Any]]:
    """Evaluate a pipeline with its exemplars, with others, and with none.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component; as it was, afterwards.
    docs (Sequence[Doc]): Gold documents.
    seed (int): Source of the exemplars drawn by chance.
    RETURNS (dict): The scores, by "none", "random" and "retrieved".
    """
    retriever = component.extraction.retriever
    k, banks = retriever.k, retriever.banks
    scores = {}
    for name, change in _changes(retriever, seed).items():
        examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
        try:
            change()
            scores[name] = nlp.evaluate(examples)
        finally:
            retriever.k, retriever.banks = k, banks
    return scores


def _changes(retriever: Retriever, seed: int) -> dict[str, Callable[[], None]]:
    def none() -> None:
        retriever.k = 0

    def by_chance() -> None:
        chance = {}
        for task, bank in retriever.banks.items():
            index = ChanceIndex(seed)
            index.build(bank.index.vectors())
            chance[task] = Bank(bank.exemplars, index)
        retriever.banks = chance

    return {"none": none, "random": by_chance, "retrieved": lambda: None}
