"""The temperature of each task with labels: how sure it was, and what was true."""

from collections import defaultdict
from collections.abc import Sequence

from spacy.tokens import Doc

from ..confidence import fit_temperature
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import Extraction
from .given import pair_up


def fit_temperatures(extraction: Extraction, docs: Sequence[Doc]) -> dict[str, float]:
    """Fit a temperature for each task that gives labels probabilities.

    extraction (Extraction): The tasks; its own temperatures and
        thresholds are not applied.
    docs (Sequence[Doc]): Gold documents that neither adapter nor base has seen.
    RETURNS (dict): Task to temperature.
    """
    gold = [gold_annotations(record_of(doc) or {}) for doc in docs]
    given = [known.entities for known in gold]
    notes = extraction.uncalibrated(wave=2).run(docs, given, second_wave_only=True)
    answers: dict[str, list[tuple[list[float], int]]] = defaultdict(list)
    for known, note in zip(gold, notes, strict=True):
        for task, label, answer in pair_up(known, note):
            if answer is not None and label in answer.scores:
                true = list(answer.scores).index(label)
                answers[task].append((list(answer.scores.values()), true))
    return {task: fit_temperature(members) for task, members in answers.items()}
