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
from ..storage import FLOORS, TEMPERATURES
from .common import Code, GpuId, clear_errors, load_pipeline


def calibrate(
    model: Annotated[Path, typer.Argument(help="Folder of the pipeline")],
    corpus: Annotated[Path, typer.Argument(help="Gold records it has not seen: dev")],
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Fit temperatures of labels and floors of spans; store them with the pipeline.

    A temperature above 1: the model was surer of relations or usage than it should
    be; no answer changes. A floor: entities or triples below that probability are
    wrong too often to be kept; they are set aside in the record.
    """
    with clear_errors():
        from ..scoring.floors import fit_floors
        from ..scoring.temperatures import fit_temperatures

        setup_gpu(gpu_id)
        nlp, component = load_pipeline(str(model), code)
        docs = component.prepare(read_docs(corpus, nlp, component.schema), nlp)
        extraction = component.extraction
        extraction.temperatures = fit_temperatures(extraction, docs)
        extraction.floors = fit_floors(extraction, docs)
        srsly.write_json(model / component.name / TEMPERATURES, extraction.temperatures)
        srsly.write_json(model / component.name / FLOORS, extraction.floors)
    table = Table("task", "temperature", "floor")
    for task, temperature in extraction.temperatures.items():
        table.add_row(task, f"{temperature:.2f}", "")
    for task, floor in extraction.floors.items():
        table.add_row(task, "", f"{floor:.2f}")
    Console().print(table)
    msg.good(f"Stored in {model}")
