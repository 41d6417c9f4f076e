"""`ramie exemplars`: whether retrieval earns its place."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..corpus.docbin import read_docs
from ..scoring.exemplars import compare_exemplars
from ..scoring.report import METRIC_ROWS
from .common import GpuId, clear_errors, load_pipeline, percent


def exemplars(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    corpus: Annotated[Path, typer.Argument(help="The corpus to evaluate on")],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    seed: Annotated[int, typer.Option(help="Of the exemplars drawn by chance")] = 0,
    gpu_id: GpuId = -1,
) -> None:
    """Evaluate with no exemplar, with one drawn by chance and with the retrieved one."""
    with clear_errors():
        setup_gpu(gpu_id)
        nlp, component = load_pipeline(str(model))
        docs = read_docs(corpus, nlp, component.schema)
        scores = compare_exemplars(nlp, component, docs, seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(output, scores)
    table = Table("F1, or share right with gold entities", *scores)
    for name, key, given in METRIC_ROWS:
        for title, metric in ((name, f"{key}_f"), (f"{name}, gold entities", given)):
            if metric:
                table.add_row(title, *(percent(scores[c].get(metric)) for c in scores))
    Console().print(table)
    msg.good(f"Wrote {output}")
