"""The one plain record of a note, from which everything else is a view.

Dicts, lists, strings and numbers with string keys, offsets in characters of
`doc.text`: it survives DocBin, JSON, pickling and another tokenizer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .extraction import Finding, NoteFindings
from .tasks.base import in_unit
from .types import Entity, Relation, Usage

VERSION = 1

# Gives the normalised ingredient of an entity, where it is known.
Linker = Callable[[Entity], str | None]


def make_record(note: NoteFindings, link: Linker) -> dict[str, Any]:
    """Make the record of a note.

    note (NoteFindings): What was found.
    link (Linker): Names the ingredient of an entity.
    RETURNS (dict): The record.
    """
    return {
        "version": VERSION,
        "units": [[unit.start, unit.end] for unit in note.units],
        "requests": len(note.findings),
        "entities": _entities(note, link),
        "relations": [
            _relation(relation, finding)
            for finding in note.findings
            for relation in finding.annotations.relations
        ],
        "usage": [
            _usage(usage, finding)
            for finding in note.findings
            for usage in finding.annotations.usage
        ],
        "values": _values(note.findings),
        "unsure": list(_unsure(note.findings, link)),
        "failures": [*_failures(note.findings), *_unasked(note)],
    }


def failed_record(
    error: Exception, length: int, given: Sequence[Entity], link: Linker
) -> dict[str, Any]:
    """Make the record of a note that could not be processed at all.

    error (Exception): Why.
    length (int): Characters of the note.
    given (Sequence[Entity]): The entities that should have been asked about.
    link (Linker): Names the ingredient of an entity.
    RETURNS (dict): A record with those entities and one failure.
    """
    record = make_record(NoteFindings((), (), tuple(given)), link)
    message = f"{type(error).__name__}: {error}"
    record["failures"] = [_failure("", "engine_error", 0, length, message)]
    return record


def _failures(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    for question, _, annotations in findings:
        for failure in annotations.failures:
            yield _failure(
                question.task,
                failure.kind,
                question.unit.start,
                question.unit.end,
                failure.message,
                failure.answer,
            )


def _unasked(note: NoteFindings) -> Iterator[dict[str, Any]]:
    """Given entities that no question could be about."""
    for entity in note.given or ():
        if not any(in_unit(unit, entity) for unit in note.units):
            message = "the entity crosses a sentence border: nothing was asked of it"
            yield _failure("", "unasked", entity.start, entity.end, message)


def _failure(
    task: str, kind: str, start: int, end: int, message: str, answer: str = ""
) -> dict[str, Any]:
    return {
        "task": task,
        "kind": kind,
        "start": start,
        "end": end,
        "message": message,
        "answer": answer,
    }


def _entities(note: NoteFindings, link: Linker) -> list[dict[str, Any]]:
    found: dict[tuple[int, int, str], dict[str, Any]] = {}
    if note.given is not None:
        for entity in note.given:
            found[entity.start, entity.end, entity.label] = _entity(entity, link, [])
    for finding in note.findings:
        for entity in finding.annotations.entities:
            key = entity.start, entity.end, entity.label
            found.setdefault(key, _entity(entity, link, _exemplars(finding)))
    ordered = [found[key] for key in sorted(found)]
    return [{"id": f"T{i}", **entity} for i, entity in enumerate(ordered, start=1)]


def _entity(
    entity: Entity, link: Linker, exemplars: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        **_span(entity),
        "label": entity.label,
        "text": entity.text,
        "ingredient": link(entity),
        "score": entity.score,
        "source": entity.source,
        "ambiguous": entity.ambiguous,
        "exemplars": list(exemplars),
    }


def _relation(relation: Relation, finding: Finding) -> dict[str, Any]:
    ends = {"head": relation.head, "tail": relation.tail}
    return {
        **{
            name: {**_span(end), "label": end.label, "text": end.text}
            for name, end in ends.items()
        },
        "label": relation.label,
        "score": relation.score,
        "scores": dict(relation.scores),
        "source": relation.source,
        "ambiguous": relation.ambiguous,
        "exemplars": _exemplars(finding),
    }


def _usage(usage: Usage, finding: Finding) -> dict[str, Any]:
    return {
        **_span(usage.entity),
        "label": usage.label,
        "score": usage.score,
        "scores": dict(usage.scores),
        "exemplars": _exemplars(finding),
    }


def _unsure(findings: Iterable[Finding], link: Linker) -> Iterator[dict[str, Any]]:
    """What is below the threshold of its label, each in the form of its kind."""
    for finding in findings:
        for item in finding.annotations.unsure:
            if isinstance(item, Entity):
                plain = _entity(item, link, _exemplars(finding))
            elif isinstance(item, Relation):
                plain = _relation(item, finding)
            else:
                plain = _usage(item, finding)
            yield {"task": finding.question.task, **plain}


def _values(findings: Iterable[Finding]) -> dict[str, list[dict[str, Any]]]:
    values: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        for name, items in finding.annotations.values.items():
            values.setdefault(name, []).extend(dict(item) for item in items)
    return values


def _span(entity: Entity) -> dict[str, int]:
    return {"start": entity.start, "end": entity.end}


def _exemplars(finding: Finding) -> list[dict[str, Any]]:
    return [
        {"id": hit.exemplar.id, "similarity": round(float(hit.similarity), 4)}
        for hit in finding.hits
    ]
