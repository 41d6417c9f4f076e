"""`ramie convert`: published or hand-written corpora to the forms used here."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

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
from .common import SCHEMA_HELP, clear_errors, schema_by_name


class Source(StrEnum):
    """Forms that can be read."""

    records = "records"
    phee = "phee"
    ade = "ade"
    supplements = "supplements"
    spacy = "spacy"


def convert(
    source: Annotated[Path, typer.Argument(help="The corpus file to read")],
    target: Annotated[Path, typer.Argument(help="What to write: .jsonl or .spacy")],
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
        if form is Source.phee:
            records = convert_phee(source)
        elif form is Source.ade:
            records = convert_ade(source)
        elif form is Source.spacy:
            records = convert_spacy(source)
        elif form is Source.supplements:
            given = read_records(source, schema_by_name("supplements"))
            records = [to_paper_labels(record, labels) for record in given]
        else:
            records = read_records(source, labels)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".spacy":
            write_docbin(records, target, spacy.blank(lang), labels)
        else:
            srsly.write_jsonl(target, records)
    msg.good(f"Wrote {len(records)} records to {target}")
