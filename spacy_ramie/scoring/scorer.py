"""The scorer of the component: strict, in characters, failures counted as wrong."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example

from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..reconcile import one_for_each_pair
from ..types import Annotations, Entity
from .calibration import trust

# What is compared: for each label a set of items.
Items = Mapping[str, set[Hashable]]

_KINDS = ("ents", "ramie_re", "ramie_te", "ramie_triples", "ramie_uc")
_COUNTED = {
    "ramie_unparsable": "unparsable",
    "ramie_ungrounded": "ungrounded",
    "ramie_truncated": "truncated",
    "ramie_too_long": "too_long",
    "ramie_engine_errors": "engine_error",
}


def score_records(examples: Iterable[Example], attr: str) -> dict[str, Any]:
    """Compare the records of predicted documents with those of the gold ones.

    Entities and the ends of relations must have the very characters and label;
    triples the very texts, those of TE by itself and those of a note, RE and TE
    together; usage mention and class. What the model answered and
    could not be read or placed is not there, and so counts as missed.

    examples (Iterable[Example]): Predicted and gold documents.
    attr (str): Name of the attribute that holds the predicted record.
    RETURNS (dict): Precision, recall and F1 of each kind, per label tables, how far
        the probabilities of entities and triples can be trusted, and counts of
        requests and failures.
    """
    totals: dict[str, dict[str, PRFScore]] = {
        kind: defaultdict(PRFScore) for kind in _KINDS
    }
    counts: Counter[str] = Counter()
    sure: dict[str, list[tuple[float, bool]]] = {"ents": [], "ramie_te": []}
    for example in examples:
        record = example.predicted._.get(attr) or {}
        counts["ramie_requests"] += record.get("requests", 0)
        kinds = Counter(failure["kind"] for failure in record.get("failures", ()))
        for key, kind in _COUNTED.items():
            counts[key] += kinds[kind]
        gold, found = gold_items(example.reference), found_items(record)
        for kind in _KINDS:
            _compare(totals[kind], gold[kind], found[kind])
        for kind, answers in sure.items():
            answers += _judged(kind, gold[kind], record)
    scores: dict[str, Any] = {}
    for kind, answers in sure.items():
        scores.update(trust(kind, answers))
    for kind in _KINDS:
        scores.update(_prf(kind, totals[kind]))
    return {**scores, **{key: counts[key] for key in ("ramie_requests", *_COUNTED)}}


def gold_items(doc: Doc) -> dict[str, Items]:
    """Give what a gold document calls for, by kind and label.

    doc (Doc): With a corpus record, or else with entities.
    RETURNS (dict): Items for `ents`, `ramie_re`, `ramie_te`, `ramie_triples` and
        `ramie_uc`.
    """
    record = record_of(doc)
    if record is None:
        ents = (Entity(e.start_char, e.end_char, e.label_, e.text) for e in doc.ents)
        known = Annotations(entities=tuple(ents))
    else:
        known = gold_annotations(record)
    triples = _by_label((r.label, (r.head.text, r.tail.text)) for r in known.relations)
    return {
        "ents": _by_label((e.label, (e.start, e.end)) for e in known.entities),
        "ramie_re": _by_label(
            (
                r.label,
                (_place(r.head), _place(r.tail)),
            )
            for r in known.relations
        ),
        "ramie_te": triples,
        "ramie_triples": triples,
        "ramie_uc": _by_label(
            (u.label, (u.entity.start, u.entity.end)) for u in known.usage
        ),
    }


def found_items(record: Mapping[str, Any]) -> dict[str, Items]:
    """Give what a predicted record holds, in the form of `gold_items`."""
    relations = record.get("relations", ())
    return {
        "ents": _by_label(
            (e["label"], (e["start"], e["end"])) for e in record.get("entities", ())
        ),
        "ramie_re": _by_label(
            (r["label"], (_end(r["head"]), _end(r["tail"])))
            for r in relations
            if r["source"] == "re"
        ),
        "ramie_te": _by_label(
            (r["label"], (r["head"]["text"], r["tail"]["text"]))
            for r in relations
            if r["source"] == "te"
        ),
        "ramie_triples": _by_label(
            (label, (head, tail)) for head, label, tail in one_for_each_pair(record)
        ),
        "ramie_uc": _by_label(
            (u["label"], (u["start"], u["end"])) for u in record.get("usage", ())
        ),
    }


def _judged(
    kind: str, gold: Items, record: Mapping[str, Any]
) -> Iterator[tuple[float, bool]]:
    """The probability of each entity or triple, and whether it is right."""
    items: Iterable[tuple[Mapping[str, Any], Hashable]]
    if kind == "ents":
        items = ((e, (e["start"], e["end"])) for e in record.get("entities", ()))
    else:
        items = (
            (r, (r["head"]["text"], r["tail"]["text"]))
            for r in record.get("relations", ())
            if r["source"] == "te"
        )
    for found, item in items:
        if found.get("score") is not None:
            yield found["score"], item in gold.get(found["label"], ())


def _place(entity: Entity) -> tuple[int, int, str]:
    return entity.start, entity.end, entity.label


def _end(end: Mapping[str, Any]) -> tuple[int, int, str]:
    return end["start"], end["end"], end["label"]


def _by_label(items: Iterable[tuple[str, Hashable]]) -> Items:
    grouped: dict[str, set[Hashable]] = defaultdict(set)
    for label, item in items:
        grouped[label].add(item)
    return grouped


def _compare(totals: dict[str, PRFScore], gold: Items, found: Items) -> None:
    for label in {*gold, *found}:
        totals[label].score_set(found.get(label, set()), gold.get(label, set()))


def _prf(kind: str, by_label: Mapping[str, PRFScore]) -> dict[str, Any]:
    total = PRFScore()
    for score in by_label.values():
        total += score
    return {
        f"{kind}_p": total.precision,
        f"{kind}_r": total.recall,
        f"{kind}_f": total.fscore,
        f"{kind}_per_type": {
            label: by_label[label].to_dict() for label in sorted(by_label)
        },
    }


def make_scorer() -> Callable[[Iterable[Example], str], dict[str, Any]]:
    """Make the scorer of the component (`spacy_ramie.Scorer.v1`)."""
    return score_records
