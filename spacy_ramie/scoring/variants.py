"""What parts of a pipeline are worth: without exemplars, with others, without grammar."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from ..component import RamieExtractor
from ..engine.base import Engine
from ..extraction import Extraction
from ..retrieval.chance import ChanceIndex
from ..types import Answer, Request
from .cases import find_cases

# Beside the names of variants, in a file of both.
CASES = "cases"


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
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Evaluate a pipeline as it is and with one part changed at a time.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component; as it was, afterwards.
    docs (Sequence[Doc]): Gold documents.
    seed (int): Source of the exemplars drawn by chance.
    RETURNS (tuple): The scores, by name of the variant, and where exemplars helped and
        harmed (`find_cases`).
    """
    extraction = component.extraction
    retriever, engine = extraction.retriever, extraction.engine
    k, banks = retriever.k, retriever.banks
    scores, records = {}, {}
    for name, change in _changes(extraction, seed).items():
        try:
            change()
            done = list(nlp.pipe(doc.text for doc in docs))
            examples = [Example(*pair) for pair in zip(done, docs, strict=True)]
            # As `nlp.evaluate`, which keeps what was found to itself.
            scores[name] = Scorer(nlp).score(examples)
        finally:
            retriever.k, retriever.banks = k, banks
            extraction.engine = engine
        records[name] = [doc._.get(component.attrs["record"]) for doc in done]
    segmented = component.prepare(docs, nlp)
    shown, alone = records["as it is"], records["no exemplar"]
    return scores, find_cases(segmented, shown, alone, retriever)


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
