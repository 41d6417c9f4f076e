"""`ramie report`: the metrics table and the HTML page."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..corpus.docbin import read_docs
from ..errors import CorpusError, Errors
from ..scoring.leaks import find_leaks
from ..scoring.recall import measure_recall
from ..scoring.report import METRIC_ROWS, render_report
from .common import GpuId, clear_errors, load_pipeline, percent


def report(
    model: Annotated[Path, typer.Argument(help="The pipeline that was evaluated")],
    corpus: Annotated[Path, typer.Argument(help="The corpus it was evaluated on")],
    metrics: Annotated[Path, typer.Argument(help="JSON file of `spacy evaluate`")],
    output: Annotated[Path, typer.Argument(help="HTML file to write")],
    systems: Annotated[
        Path | None, typer.Option(help="JSON file of `ramie compare`", exists=True)
    ] = None,
    variants: Annotated[
        Path | None, typer.Option(help="JSON file of `ramie variants`", exists=True)
    ] = None,
    despite_leaks: Annotated[
        bool, typer.Option("--despite-leaks", help="Write it across leaks, and say so")
    ] = False,
    gpu_id: GpuId = -1,
) -> None:
    """Print the metrics and write them, with examples, as a page without a network.

    Measures how often approximate search finds the nearest exemplar, too. Refuses to
    where a record is nearly an exemplar of the pipeline.
    """
    with clear_errors():
        setup_gpu(gpu_id)
        nlp, component = load_pipeline(str(model))
        docs = read_docs(corpus, nlp, component.schema)
        leaks = find_leaks(component.extraction.retriever, docs)
        if leaks and not despite_leaks:
            raise CorpusError(
                Errors.R108.format(
                    count=len({leak.other for leak in leaks}),
                    path=corpus,
                    record=leaks[0].other,
                    exemplar=leaks[0].one,
                    share=leaks[0].share,
                )
            )
        scores = srsly.read_json(metrics)
        recall = measure_recall(component.extraction.retriever, docs)
        compared = {} if systems is None else srsly.read_json(systems)
        varied = {} if variants is None else srsly.read_json(variants)
        page = render_report(
            scores, recall, docs, nlp, component, compared, varied, leaks
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf8")
    table = Table("", "P", "R", "F1", "with gold entities")
    for name, key, given in METRIC_ROWS:
        cells = [scores.get(f"{key}_{x}") for x in "prf"]
        table.add_row(name, *map(percent, [*cells, scores.get(given)]))
    console = Console()
    console.print(table)
    counts = ", ".join(
        f"{scores[key]} {key.removeprefix('ramie_')}"
        for key in scores
        if key.startswith("ramie_") and isinstance(scores[key], int)
    )
    console.print(f"{counts} on {len(docs)} records of {corpus}")
    for task, value in recall.items():
        console.print(
            f"recall@1 of the index against exact search, {task}: {value:.3f}"
        )
    msg.good(f"Wrote {output}")
