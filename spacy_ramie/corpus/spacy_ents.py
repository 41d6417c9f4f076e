"""A .spacy file with entities, as `spacy train` reads it, to corpus records."""

from pathlib import Path
from typing import Any

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ..errors import CorpusError, Errors


def convert_spacy(path: Path) -> list[dict[str, Any]]:
    """Convert the entities of a DocBin; relations and usage stay empty.

    path (Path): The file.
    RETURNS (list[dict]): A record for each document.
    """
    if not path.is_file():
        raise CorpusError(Errors.R102.format(path=path))
    try:
        docs = list(DocBin().from_disk(path).get_docs(Vocab()))
    except Exception as error:
        # zlib, msgpack and spaCy each raise their own.
        problem = f"{type(error).__name__}: {error}"
        raise CorpusError(Errors.R106.format(path=path, problem=problem)) from error
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
        for number, doc in enumerate(docs, start=1)
        if doc.text.strip()
    ]
