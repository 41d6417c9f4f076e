"""What parts of a pipeline are worth: without exemplars, with others, without grammar."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..component import RamieExtractor
from ..engine.base import Engine
from ..extraction import Extraction
from ..retrieval.chance import ChanceIndex
from ..types import Answer, Request


class FreeEngine:
    """Lets the model say what it wants: the control of the grammar.

    engine (Engine): The engine that answers.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.load, self.set_adapter = engine.load, engine.set_adapter
        self.to_disk, self.from_disk = engine.to_disk, engine.from_disk

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests without their grammars."""
        return self._engine.run([replace(r, grammar=None) for r in requests])


def compare_variants(
    nlp: Language, component: RamieExtractor, docs: Sequence[Doc], seed: int
) -> dict[str, dict[str, Any]]:
    """Evaluate a pipeline as it is and with one part changed at a time.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component; as it was, afterwards.
    docs (Sequence[Doc]): Gold documents.
    seed (int): Source of the exemplars drawn by chance.
    RETURNS (dict): The scores, by name of the variant.
    """
    extraction = component.extraction
    retriever, engine = extraction.retriever, extraction.engine
    k, banks = retriever.k, retriever.banks
    scores = {}
    for name, change in _changes(extraction, seed).items():
        examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
        try:
            change()
            scores[name] = nlp.evaluate(examples)
        finally:
            retriever.k, retriever.banks = k, banks
            extraction.engine = engine
    return scores


def _changes(extraction: Extraction, seed: int) -> dict[str, Callable[[], None]]:
    retriever = extraction.retriever

    def no_exemplar() -> None:
        retriever.k = 0

    def by_chance() -> None:
        retriever.banks = {
            task: bank.indexed_by(ChanceIndex(seed))
            for task, bank in retriever.banks.items()
        }

    def no_grammar() -> None:
        extraction.engine = FreeEngine(extraction.engine)

    return {
        "as it is": lambda: None,
        "no exemplar": no_exemplar,
        "random exemplar": by_chance,
        "no grammar": no_grammar,
    }
