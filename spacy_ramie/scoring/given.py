"""RE and UC with gold entities given, as the paper scores them."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from spacy.training import Example

from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import Extraction, Finding, NoteFindings
from ..tasks.base import ends_of
from ..types import Annotations, Relation, Usage
from .calibration import trust


class Judged(NamedTuple):
    """A gold relation or class, and whether it was answered.

    kind (str): "re" or "uc".
    score (float | None): The probability of the answer; None where there is none.
    """

    kind: str
    label: str
    right: bool
    score: float | None


def score_given(examples: Sequence[Example], extraction: Extraction) -> dict[str, Any]:
    """Ask about the gold entities and count the right answers.

    Every gold relation and class counts, also one that could not be asked about
    because its ends are in two sentences.

    examples (Sequence[Example]): The documents; only the gold ones are read.
    extraction (Extraction): Asks.
    RETURNS (dict): `ramie_re_gold_acc` and `ramie_uc_gold_acc` in [0, 1], or None
        without a gold label, per-label accuracies, and how far the probabilities
        can be trusted.
    """
    gold = [gold_annotations(record_of(eg.reference) or {}) for eg in examples]
    notes = extraction.run(
        [eg.predicted for eg in examples],
        [list(known.entities) for known in gold],
        second_wave_only=True,
    )
    right: dict[str, Counter[str]] = {"re": Counter(), "uc": Counter()}
    total: dict[str, Counter[str]] = {"re": Counter(), "uc": Counter()}
    sure: dict[str, list[tuple[float, bool]]] = {"re": [], "uc": []}
    for known, note in zip(gold, notes, strict=True):
        for kind, label, is_right, score in judge(known, note):
            total[kind][label] += 1
            right[kind][label] += is_right
            if score is not None:
                sure[kind].append((score, is_right))
    scores: dict[str, Any] = {}
    for kind, counts in total.items():
        whole = counts.total()
        share = right[kind].total() / whole if whole else None
        scores[f"ramie_{kind}_gold_acc"] = share
        scores[f"ramie_{kind}_gold_acc_per_type"] = {
            label: right[kind][label] / counts[label] for label in sorted(counts)
        }
        scores.update(trust(f"ramie_{kind}_gold", sure[kind]))
    return scores


def judge(known: Annotations, note: NoteFindings) -> list[Judged]:
    """Compare the gold relations and classes of a note with the answers about them.

    known (Annotations): The gold ones.
    note (NoteFindings): What came of asking about the gold entities.
    RETURNS (list[Judged]): One for each gold relation and class.
    """
    return [
        Judged(kind, label, answer.label == label, answer.score)
        if answer is not None
        else Judged(kind, label, False, None)
        for kind, label, answer in pair_up(known, note)
    ]


def pair_up(
    known: Annotations, note: NoteFindings
) -> list[tuple[str, str, Relation | Usage | None]]:
    """Find what was answered about each gold relation and class of a note.

    known (Annotations): The gold ones.
    note (NoteFindings): What came of asking about the gold entities.
    RETURNS (list): "re" or "uc", the gold label, and the answer, if there is one.
    """
    found = {k: v for finding in note.findings for k, v in _answers(finding)}
    asked = [("re", r.label, ("re", *ends_of(r.head, r.tail))) for r in known.relations]
    asked += [("uc", u.label, ("uc", *ends_of(u.entity))) for u in known.usage]
    return [(kind, label, found.get(key)) for kind, label, key in asked]


def _answers(
    finding: Finding,
) -> list[tuple[tuple[Hashable, ...], Relation | Usage]]:
    found = finding.annotations
    pairs: list[tuple[tuple[Hashable, ...], Relation | Usage]] = [
        (("re", *ends_of(r.head, r.tail)), r) for r in found.relations
    ]
    return pairs + [(("uc", *ends_of(u.entity)), u) for u in found.usage]
