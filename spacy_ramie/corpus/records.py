"""Corpus records: read from JSON lines, checked one by one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import CorpusError, Errors
from ..schema import Schema
from ..types import Annotations, Entity, Relation, Usage

# How many problems an error lists; `spacy ramie check` lists all.
_LISTED = 20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _EntityForm(_Strict):
    id: str
    start: int
    end: int
    label: str
    ingredient: str | None = None


class _RelationForm(_Strict):
    head: str
    tail: str
    label: str


class _UsageForm(_Strict):
    entity: str
    label: str


class _RecordForm(BaseModel):
    # Further keys are the gold labels of a user's own tasks.
    model_config = ConfigDict(extra="allow", strict=True)

    id: str
    text: str
    entities: list[_EntityForm] = []
    relations: list[_RelationForm] = []
    usage: list[_UsageForm] = []


@dataclass(frozen=True)
class Problem:
    """What is wrong with one line of a corpus file."""

    path: Path
    line: int
    id: str
    reason: str

    def __str__(self) -> str:
        return Errors.R101.format(
            path=self.path, line=self.line, id=self.id, problem=self.reason
        )


def scan_records(
    path: Path, schema: Schema
) -> Iterator[tuple[dict[str, Any], list[Problem]]]:
    """Read a corpus file line by line and check every record.

    path (Path): A .jsonl file.
    schema (Schema): The labels there are.
    YIELDS (tuple): The record as it stands in the file, and what is wrong with it.
    """
    if not path.is_file():
        raise CorpusError(Errors.R102.format(path=path))
    seen: set[str] = set()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except ValueError as error:
                # Not JSON, or not UTF-8.
                yield {}, [Problem(path, number, "?", f"not JSON: {error}")]
                continue
            reasons = list(_reasons(data, schema))
            if not isinstance(data, dict):
                data = {}
            id = str(data.get("id", "?"))
            if "id" in data and id in seen:
                reasons.append("the id was used before")
            seen.add(id)
            yield data, [Problem(path, number, id, r) for r in reasons]


def read_records(path: Path, schema: Schema) -> list[dict[str, Any]]:
    """Read a corpus file; a bad record is refused with file, line, id and reason.

    path (Path): A .jsonl file.
    schema (Schema): The labels there are.
    RETURNS (list[dict]): The records.
    """
    records, problems = [], []
    for data, wrong in scan_records(path, schema):
        records.append(data)
        problems += wrong
    if problems:
        listed = "\n".join(str(p) for p in problems[:_LISTED])
        raise CorpusError(
            Errors.R103.format(path=path, count=len(problems), problems=listed)
        )
    if not records:
        raise CorpusError(Errors.R104.format(path=path))
    return records


def _reasons(data: object, schema: Schema) -> Iterator[str]:
    try:
        form = _RecordForm.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            where = ".".join(str(part) for part in detail["loc"])
            yield f"{where}: {detail['msg']}" if where else detail["msg"]
        return
    if any("\ud800" <= character <= "\udfff" for character in form.text):
        yield "text: it holds half of a surrogate pair, which is no character"
    labels = {entity.id: entity.label for entity in form.entities}
    if len(labels) < len(form.entities):
        yield "two entities have the same id"
    for entity in form.entities:
        yield from _entity_reasons(entity, form.text, schema)
    pairs = [(r.head, r.tail) for r in form.relations]
    if len(set(pairs)) < len(pairs):
        yield "two relations have the same head and tail"
    for relation in form.relations:
        yield from _relation_reasons(relation, labels, schema)
    mentions = [u.entity for u in form.usage]
    if len(set(mentions)) < len(mentions):
        yield "two usage classes for one entity"
    for usage in form.usage:
        yield from _usage_reasons(usage, labels, schema)
    for key, items in (form.model_extra or {}).items():
        for item in items if _is_task_gold(items) else ():
            if "entity" in item and item["entity"] not in [*labels]:
                yield f"{key}: there is no entity {item['entity']}"


def _entity_reasons(form: _EntityForm, text: str, schema: Schema) -> Iterator[str]:
    name = f"entity {form.id}"
    if not 0 <= form.start < form.end <= len(text):
        yield f"{name}: offsets {form.start}:{form.end} lie outside the text of {len(text)} characters, or are empty"
    elif text[form.start : form.end] != text[form.start : form.end].strip():
        yield f"{name}: {text[form.start : form.end]!r} has a blank at its edge"
    if form.label not in schema.entities:
        yield f"{name}: unknown label '{form.label}', known are: {', '.join(schema.entities)}"


def _relation_reasons(
    form: _RelationForm, labels: Mapping[str, str], schema: Schema
) -> Iterator[str]:
    name = f"relation {form.head}-{form.tail}"
    missing = [end for end in (form.head, form.tail) if end not in labels]
    if missing:
        yield f"{name}: there is no entity {' and no entity '.join(missing)}"
    elif not schema.can_relate(labels[form.head], labels[form.tail]):
        yield f"{name}: the schema allows none from {labels[form.head]} to {labels[form.tail]}"
    if form.label not in schema.relations:
        yield f"{name}: unknown label '{form.label}', known are: {', '.join(schema.relations)}"


def _usage_reasons(
    form: _UsageForm, labels: Mapping[str, str], schema: Schema
) -> Iterator[str]:
    name = f"{schema.usage_name} of {form.entity}"
    if form.entity not in labels:
        yield f"{name}: there is no entity {form.entity}"
    elif labels[form.entity] not in schema.usage_of:
        yield f"{name}: the schema gives none to {labels[form.entity]}"
    if form.label not in schema.usage:
        yield f"{name}: unknown label '{form.label}', known are: {', '.join(schema.usage)}"


def gold_annotations(record: Mapping[str, Any]) -> Annotations:
    """Turn a checked record into annotations.

    record (Mapping): The record.
    RETURNS (Annotations): Its labels; keys of a user's own tasks, where they hold
        a list of objects, are under `values`.
    """
    entities = {
        data["id"]: Entity(
            data["start"],
            data["end"],
            data["label"],
            record["text"][data["start"] : data["end"]],
            data.get("ingredient"),
        )
        for data in record.get("entities", ())
    }
    relations = tuple(
        Relation(entities[data["head"]], entities[data["tail"]], data["label"])
        for data in record.get("relations", ())
    )
    usage = tuple(
        Usage(entities[data["entity"]], data["label"])
        for data in record.get("usage", ())
    )
    values = {
        key: tuple(
            {**item, "entity": entities[item["entity"]]} if "entity" in item else item
            for item in items
        )
        for key, items in record.items()
        if key not in _RecordForm.model_fields and _is_task_gold(items)
    }
    return Annotations(tuple(entities.values()), relations, usage, values)


def foreign_labels(record: Mapping[str, Any], schema: Schema) -> list[str]:
    """Find the labels of a record that a schema does not have.

    record (Mapping): The record.
    schema (Schema): The labels there are.
    RETURNS (list[str]): Labels, each once.
    """
    of_kind = {
        "entities": schema.entities,
        "relations": schema.relations,
        "usage": schema.usage,
    }
    labels = [
        item["label"]
        for kind, known in of_kind.items()
        for item in record.get(kind, ())
        if item["label"] not in known
    ]
    return [*dict.fromkeys(labels)]


def _is_task_gold(items: object) -> bool:
    """Say whether a further key of a record holds the labels of a user's task."""
    return isinstance(items, (list, tuple)) and all(
        isinstance(item, Mapping) for item in items
    )
