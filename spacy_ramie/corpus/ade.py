"""ADE in the form of SpERT (Gurulingappa et al., 2012; ten folds) to corpus records.

Entities are drugs (DRUG) and their adverse effects (EFFECT). Only pairs that are
related are in it, so that a relation has one label. The sentences are published as
tokens; they are put together again with blanks where English has them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import CorpusError, Errors

LABELS = {"Drug": "DRUG", "Adverse-Effect": "EFFECT"}
RELATION = "ADVERSE_EFFECT"

# Tokens without a blank on their left, and on their right.
_CLOSING = frozenset([".", ",", ":", ";", "?", ")", "%", "'s", "-", "--", "/"])
_OPENING = frozenset(["(", "-", "--", "/"])


def convert_ade(path: Path) -> list[dict[str, Any]]:
    """Convert a published file.

    path (Path): `ade_split_N_train.json` or `ade_split_N_test.json`.
    RETURNS (list[dict]): Records of the schema `ade`.
    """
    if not path.is_file():
        raise CorpusError(Errors.R102.format(path=path))
    try:
        published = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise _refused(path, "?", f"not JSON: {error}") from error
    records = []
    for number, data in enumerate(published, start=1):
        try:
            records.append(convert_tokens(data))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            problem = f"not a sentence as ADE has them ({error!r})"
            raise _refused(path, str(number), problem) from error
    return records


def convert_tokens(data: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one published sentence.

    data (Mapping): Its tokens, entities and relations.
    RETURNS (dict): Its record.
    """
    text, places = _join(data["tokens"])
    spans = [
        (places[e["start"]][0], places[e["end"] - 1][1], LABELS[e["type"]])
        for e in data["entities"]
    ]
    ids = {span: f"T{i}" for i, span in enumerate(sorted(set(spans)), start=1)}
    # Published from the effect to the drug.
    pairs = {(spans[r["tail"]], spans[r["head"]]) for r in data["relations"]}
    return {
        "id": f"ade-{data['orig_id']}",
        "text": text,
        "entities": [
            {"id": id, "start": start, "end": end, "label": label}
            for (start, end, label), id in ids.items()
        ],
        "relations": [
            {"head": ids[drug], "tail": ids[effect], "label": RELATION}
            for drug, effect in sorted(pairs)
        ],
        "usage": [],
    }


def _join(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Give the sentence, and where each token stands in it."""
    text, places, before = "", [], "("
    for token in tokens:
        if before not in _OPENING and token not in _CLOSING:
            text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
        before = token
    return text, places


def _refused(path: Path, id: str, problem: str) -> CorpusError:
    return CorpusError(Errors.R101.format(path=path, line=1, id=id, problem=problem))
