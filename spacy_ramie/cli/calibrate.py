"""`ramie calibrate`: probabilities that can be trusted."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..corpus.docbin import read_docs
from ..storage import TEMPERATURES
from .common import GpuId, clear_errors, load_pipeline


def calibrate(
    model: Annotated[Path, typer.Argument(help="Folder of the pipeline")],
    corpus: Annotated[Path, typer.Argument(help="Gold records it has not seen: dev")],
    gpu_id: GpuId = -1,
) -> None:
    """Fit a temperature for each task with labels and store it with the pipeline.

    Above 1 the model was surer of relations or usage than it should be. No answer
    changes.
    """
    with clear_errors():
        from ..scoring.temperatures import fit_temperatures

        setup_gpu(gpu_id)
        nlp, component = load_pipeline(str(model))
        docs = component.prepare(read_docs(corpus, nlp, component.schema), nlp)
        component.temperatures = fit_temperatures(component.extraction, docs)
        srsly.write_json(model / component.name / TEMPERATURES, component.temperatures)
    table = Table("task", "temperature")
    for task, temperature in component.temperatures.items():
        table.add_row(task, f"{temperature:.2f}")
    Console().print(table)
    msg.good(f"Stored in {model}")
