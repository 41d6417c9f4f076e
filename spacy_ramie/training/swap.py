"""New records from labelled ones: entities changed for others of their label.

A small model that sees few sentences learns them by heart; with other entities
in them it has to read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from random import Random
from typing import Any

Record = Mapping[str, Any]
# For each label, texts with the further keys of the entity (its ingredient).
Pool = Mapping[str, list[tuple[str, dict[str, Any]]]]


def make_pool(records: Iterable[Record]) -> Pool:
    """Collect the distinct entities of records by label.

    records (Iterable): Corpus records.
    RETURNS (Pool): The entities.
    """
    pool: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for record in records:
        for entity in record.get("entities", ()):
            text = record["text"][entity["start"] : entity["end"]]
            extra = {k: v for k, v in entity.items() if k == "ingredient"}
            pool[entity["label"]].setdefault(text, extra)
    return {label: sorted(texts.items()) for label, texts in pool.items()}


def swap_entities(record: Record, pool: Pool, share: float, random: Random) -> Record:
    """Change some entities of a record for others.

    A record with overlapping entities is given back as it is.

    record (Record): A corpus record.
    pool (Pool): What to choose from.
    share (float): How likely each entity is changed.
    random (Random): Source of chance.
    RETURNS (Record): A record of the same form.
    """
    entities = sorted(record.get("entities", ()), key=lambda e: e["start"])
    if any(first["end"] > second["start"] for first, second in pairwise(entities)):
        return record
    text, at, changed = "", 0, []
    for entity in entities:
        text += record["text"][at : entity["start"]]
        at = entity["end"]
        surface = record["text"][entity["start"] : at]
        kept = dict(entity)
        if random.random() < share:
            # What is known of the old one, its ingredient, goes with it.
            surface, extra = random.choice(pool[entity["label"]])
            kept = {k: v for k, v in entity.items() if k != "ingredient"} | extra
        start = len(text)
        text += surface
        changed.append({**kept, "start": start, "end": len(text)})
    text += record["text"][at:]
    return {**record, "text": text, "entities": changed}
