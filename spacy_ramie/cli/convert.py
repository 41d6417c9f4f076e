"""`ramie convert`: published or hand-written corpora to the forms used here."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import spacy
import srsly
import typer
from wasabi import msg

from ..corpus.ade import convert_ade
from ..corpus.docbin import write_docbin
from ..corpus.paper_labels import to_paper_labels
from ..corpus.phee import convert_phee
from ..corpus.records import read_records
from ..corpus.spacy_ents import convert_spacy
from ..errors import ConfigError, Errors
from ..schema import Schema
from .common import SCHEMA_HELP, clear_errors, schema_by_name


class Source(StrEnum):
    """Forms that can be read."""

    records = "records"
    phee = "phee"
    ade = "ade"
    supplements = "supplements"
    spacy = "spacy"


def convert(
    sources: Annotated[list[Path], typer.Argument(help="Corpus files to read")],
    target: Annotated[
        Path,
        typer.Argument(
            help="What to write: a .jsonl or .spacy file, or a folder for a .spacy "
            "file of each source"
        ),
    ],
    schema: Annotated[str, typer.Option(help=SCHEMA_HELP)] = "supplements",
    form: Annotated[
        Source,
        typer.Option(
            help="What the source holds: records of this package (checked against "
            "the schema), PHEE or ADE as published, supplement records to be given "
            "the paper's closed set of labels, or a .spacy file with entities"
        ),
    ] = Source.records,
    lang: Annotated[str, typer.Option(help="Language of the tokenizer")] = "en",
) -> None:
    """Convert a corpus to checked records (.jsonl) or to spaCy's form (.spacy)."""
    with clear_errors():
        labels = schema_by_name(schema)
        for source, file in zip(sources, _files(sources, target), strict=True):
            records = _read(source, form, labels)
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix == ".spacy":
                write_docbin(records, file, spacy.blank(lang), labels)
            else:
                srsly.write_jsonl(file, records)
            msg.good(f"Wrote {len(records)} records to {file}")


def _files(sources: Sequence[Path], target: Path) -> list[Path]:
    """What is written for each source: a file of its own, and none of them."""
    files = [target] * len(sources)
    if target.is_dir() or not target.suffix:
        files = [target / f"{source.stem}.spacy" for source in sources]
    taken = {source.resolve() for source in sources}
    for file in files:
        if file.resolve() in taken:
            raise ConfigError(Errors.R405.format(path=file))
        taken.add(file.resolve())
    return files


def _read(source: Path, form: Source, schema: Schema) -> Sequence[Mapping[str, Any]]:
    if form is Source.phee:
        return convert_phee(source)
    if form is Source.ade:
        return convert_ade(source)
    if form is Source.spacy:
        return convert_spacy(source)
    if form is Source.supplements:
        given = read_records(source, schema_by_name("supplements"))
        return [to_paper_labels(record, schema) for record in given]
    return read_records(source, schema)
