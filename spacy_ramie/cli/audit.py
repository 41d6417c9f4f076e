"""`ramie audit`: whether figures rest on leaks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from wasabi import msg

from ..corpus.docbin import read_docs
from ..scoring.asked import ask, ask_as_released
from ..scoring.audit import (
    Check,
    check_bank,
    check_exemplars,
    check_queries,
    check_splits,
)
from .common import Code, clear_errors, load_pipeline

# Leaks of a row that are named.
NAMED = 3


def audit(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    test: Annotated[Path, typer.Argument(help="The corpus it is measured on")],
    others: Annotated[
        list[Path], typer.Argument(help="What it was trained on and selected by")
    ],
    released: Annotated[
        bool,
        typer.Option(
            "--released",
            help="Search as the paper's released code does, with the gold answers, "
            "instead of as the pipeline does",
        ),
    ] = False,
    code: Code = None,
) -> None:
    """Look for leaks: between corpora, from exemplars, and from gold text in queries.

    Sends the test records through the pipeline, the model left out, and takes what was
    really searched with and shown. Leaves with status 1 if there is a leak.
    """
    with clear_errors():
        checks = list(_checks(model, test, others, code, released=released))
    table = Table("looked at", "number", "leaks", "such as")
    for name, number, leaks in checks:
        table.add_row(name, f"{number:,}", f"{len(leaks):,}", ", ".join(leaks[:NAMED]))
    Console().print(table)
    found = sum(len(check.leaks) for check in checks)
    if found:
        msg.fail(f"{found} leak(s): what is measured across them says nothing", exits=1)
    msg.good("No leak")


def _checks(
    model: Path, test: Path, others: list[Path], code: Path | None, *, released: bool
) -> Iterator[Check]:
    nlp, component = load_pipeline(str(model), code)
    corpora = {
        str(path): read_docs(path, nlp, component.schema) for path in (test, *others)
    }
    docs = corpora[str(test)]
    yield from check_splits(corpora)
    yield check_bank(component.extraction.retriever, docs)
    asked = ask(nlp, component, docs)
    if released:
        asked = ask_as_released(nlp, component, asked)
    yield from check_exemplars(asked)
    yield from check_queries(asked)
