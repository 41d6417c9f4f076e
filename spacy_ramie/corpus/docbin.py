"""The .spacy form of a corpus: a DocBin with each record in its user data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import filter_spans
from spacy.vocab import Vocab

from ..errors import CorpusError, Errors
from ..schema import Schema
from .records import foreign_labels, read_records

RECORD_KEY = "ramie_record"


def gold_doc(record: Mapping[str, Any], nlp: Language, schema: Schema) -> Doc:
    """Make the gold document of a record.

    spaCy's own fields hold what fits into them (no overlapping entities, whole
    tokens); the record in the user data holds all, and is what is scored.

    record (Mapping): A checked record.
    nlp (Language): Its tokenizer is used.
    schema (Schema): The labels; every usage class gets a key in `doc.cats`.
    RETURNS (Doc): The document.
    """
    doc = nlp.make_doc(record["text"])
    spans = [
        doc.char_span(e["start"], e["end"], label=e["label"], alignment_mode="expand")
        for e in record.get("entities", ())
    ]
    doc.set_ents(filter_spans(span for span in spans if span is not None))
    present = {usage["label"] for usage in record.get("usage", ())}
    doc.cats = {label: float(label in present) for label in schema.usage}
    doc.user_data[RECORD_KEY] = dict(record)
    return doc


def record_of(doc: Doc) -> Mapping[str, Any] | None:
    """Give the corpus record of a gold document, or None."""
    record: Mapping[str, Any] | None = doc.user_data.get(RECORD_KEY)
    return record


def write_docbin(
    records: Iterable[Mapping[str, Any]], path: Path, nlp: Language, schema: Schema
) -> int:
    """Write records as a .spacy file.

    records (Iterable): Checked records.
    path (Path): Where to.
    nlp (Language): Its tokenizer is used.
    schema (Schema): The labels.
    RETURNS (int): How many were written.
    """
    docbin = DocBin(store_user_data=True)
    for record in records:
        docbin.add(gold_doc(record, nlp, schema))
    path.parent.mkdir(parents=True, exist_ok=True)
    docbin.to_disk(path)
    return len(docbin)


def open_docbin(path: Path, vocab: Vocab) -> list[Doc]:
    """Read the documents of a .spacy file, whoever wrote it.

    path (Path): The file.
    vocab (Vocab): What the documents share.
    RETURNS (list[Doc]): The documents.
    """
    if not path.is_file():
        raise CorpusError(Errors.R102.format(path=path))
    try:
        return list(DocBin().from_disk(path).get_docs(vocab))
    except Exception as error:
        # zlib, msgpack and spaCy each raise their own.
        problem = f"{type(error).__name__}: {error}"
        raise CorpusError(Errors.R106.format(path=path, problem=problem)) from error


def read_docs(path: Path, nlp: Language, schema: Schema) -> list[Doc]:
    """Read a corpus as gold documents, from .jsonl or .spacy.

    path (Path): The file.
    nlp (Language): Its vocabulary, and for .jsonl its tokenizer, is used.
    schema (Schema): The labels.
    RETURNS (list[Doc]): The documents.
    """
    if path.suffix != ".spacy" and path.is_file():
        return [gold_doc(r, nlp, schema) for r in read_records(path, schema)]
    docs = open_docbin(path, nlp.vocab)
    if not docs:
        raise CorpusError(Errors.R104.format(path=path))
    for doc in docs:
        record = record_of(doc)
        if record is None:
            raise CorpusError(Errors.R105.format(path=path))
        for label in foreign_labels(record, schema):
            raise CorpusError(
                Errors.R110.format(
                    path=path, id=record["id"], label=label, schema=schema.name
                )
            )
    return docs


def make_corpus(
    path: str, schema: Schema
) -> Callable[[Language], Iterable[Example]]:
    """Read a corpus as examples for spaCy (`spacy_ramie.Corpus.v1`).

    path (str): A .jsonl or .spacy file.
    schema (Schema): The labels.
    RETURNS (Callable): The reader.
    """

    def read(nlp: Language) -> Iterator[Example]:
        for doc in read_docs(Path(path), nlp, schema):
            yield Example(nlp.make_doc(doc.text), doc)

    return read
