"""A .spacy file with entities, as `spacy train` reads it, to corpus records."""

from pathlib import Path
from typing import Any

from spacy.vocab import Vocab

from .docbin import open_docbin


def convert_spacy(path: Path) -> list[dict[str, Any]]:
    """Convert the entities of a DocBin; relations and usage stay empty.

    path (Path): The file.
    RETURNS (list[dict]): A record for each document.
    """
    return [
        {
            "id": f"{path.stem}-{number:05d}",
            "text": doc.text,
            "entities": [
                {
                    "id": f"T{i}",
                    "start": ent.start_char,
                    "end": ent.end_char,
                    "label": ent.label_,
                }
                for i, ent in enumerate(doc.ents, start=1)
            ],
            "relations": [],
            "usage": [],
        }
        for number, doc in enumerate(open_docbin(path, Vocab()), start=1)
        if doc.text.strip()
    ]
