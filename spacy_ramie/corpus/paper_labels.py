"""Supplement records with the paper's closed set of labels."""

from collections.abc import Mapping
from typing import Any

from ..schema import Schema


def to_paper_labels(record: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Label supplements by their ingredient, as the released data do.

    Supplements of another ingredient than the paper's fifteen lose their label,
    and with it their relations and usage.

    record (Mapping): A record of the schema `supplements`.
    schema (Schema): The schema `supplements_paper`.
    RETURNS (dict): A record of that schema.
    """
    event = schema.tails[0]
    labels = {
        e["id"]: event if e["label"] == "EVENT" else e.get("ingredient")
        for e in record.get("entities", ())
    }
    kept = {id: label for id, label in labels.items() if label in schema.entities}
    return {
        **record,
        "entities": [
            {**e, "label": kept[e["id"]]}
            for e in record.get("entities", ())
            if e["id"] in kept
        ],
        "relations": [
            r
            for r in record.get("relations", ())
            if r["head"] in kept and r["tail"] in kept
        ],
        "usage": [u for u in record.get("usage", ()) if u["entity"] in kept],
    }
