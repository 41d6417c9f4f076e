"""A pipeline for the commands: its entities come from rules."""

from pathlib import Path

import spacy
import srsly

EXEMPLAR = {
    "id": "t",
    "text": "Melatonin was stopped: rash.",
    "entities": [
        {"id": "T1", "start": 0, "end": 9, "label": "DS", "ingredient": "melatonin"},
        {"id": "T2", "start": 23, "end": 27, "label": "EVENT"},
    ],
    "relations": [{"head": "T1", "tail": "T2", "label": "NEGATIVE"}],
    "usage": [{"entity": "T1", "label": "DISCONTINUE"}],
}


def save_ruled(folder: Path, base: Path) -> Path:
    """Save it over a base, as the commands load it."""
    srsly.write_jsonl(folder / "train.jsonl", [EXEMPLAR])
    nlp = spacy.blank("en")
    events = [[{"LOWER": "insomnia"}], [{"TEXT": "."}, {"LOWER": "no"}]]
    nlp.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "DS", "pattern": "melatonin"},
            *({"label": "EVENT", "pattern": pattern} for pattern in events),
        ]
    )
    component = nlp.add_pipe(
        "ramie_extractor",
        config={
            "entities": "doc",
            "engine": {"base": str(base), "max_new_tokens": 8},
        },
    )
    component.initialize(lambda: [], nlp=nlp, exemplars=str(folder / "train.jsonl"))
    nlp.to_disk(folder / "model")
    return folder / "model"
