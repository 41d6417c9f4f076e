"""`ramie variants`: whether retrieval and grammar earn their place."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..corpus.docbin import read_docs
from ..scoring.table import variant_rows
from ..scoring.variants import CASES, compare_variants
from .common import Code, GpuId, clear_errors, load_pipeline


def variants(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    corpus: Annotated[Path, typer.Argument(help="The corpus to evaluate on")],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    seed: Annotated[int, typer.Option(help="Of the exemplars drawn by chance")] = 0,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Evaluate as it is, without and with random exemplars, and without the grammar.

    The file also has cases that exemplars helped in, and such that they harmed in.
    """
    with clear_errors():
        setup_gpu(gpu_id)
        nlp, component = load_pipeline(str(model), code)
        docs = read_docs(corpus, nlp, component.schema)
        scores, cases = compare_variants(nlp, component, docs, seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(output, {**scores, CASES: cases})
    table = Table("F1, or share right with gold entities", *scores)
    for row in variant_rows(scores):
        table.add_row(*row)
    Console().print(table)
    msg.good(f"Wrote {output}")
