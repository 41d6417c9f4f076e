"""`ramie compare`: the pipeline beside its baselines."""

from pathlib import Path
from typing import Annotated, Any

import srsly
import typer
from rich.console import Console
from rich.table import Table
from wasabi import msg

from ..corpus.docbin import read_docs
from ..scoring.table import side_by_side
from .common import Code, clear_errors, load_pipeline


def compare(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    baseline: Annotated[Path, typer.Argument(help="Output of `ramie baseline`")],
    corpus: Annotated[Path, typer.Argument(help="The corpus to measure on")],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    code: Code = None,
) -> None:
    """Measure a pipeline and its baselines on the same records.

    F1, or with gold entities the share that is right, with 95 % bootstrap intervals
    over records; seconds and megabytes.
    """
    with clear_errors():
        from ..baseline.system import load_baseline, with_rules
        from ..baseline.training import BEST, NER, SECONDS
        from ..scoring.systems import baseline_system, measure, ramie_system

        nlp, component = load_pipeline(str(model), code)
        docs = component.prepare(read_docs(corpus, nlp, component.schema), nlp)
        tasks = component.extraction.tasks
        spacys = load_baseline(baseline, tasks)
        rules = with_rules(spacys, component.schema)
        seconds = srsly.read_json(baseline / SECONDS)
        folders = [baseline / name / BEST for name in (NER, *spacys.choosers)]
        systems = {
            "RAMIE": ramie_system(nlp, component, model, _trained(model)),
            "tok2vec": baseline_system(spacys, folders, sum(seconds.values())),
        }
        if rules.choosers:
            systems["tok2vec, usage rules"] = baseline_system(
                rules, folders[:1], seconds[NER]
            )
        figures = {name: measure(system, docs) for name, system in systems.items()}
    output.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(output, figures)
    table = Table(f"{len(docs)} records of {corpus.name}", *figures)
    for row in side_by_side(figures):
        table.add_row(*row)
    Console().print(table)
    msg.good(f"Wrote {output}")


def _trained(model: Path) -> float | None:
    """Seconds of the training loop, from the log that travels with the adapter."""
    for file in model.rglob("adapter/log.json"):
        log: list[dict[str, Any]] = srsly.read_json(file)
        return next((e["train_runtime"] for e in log if "train_runtime" in e), None)
    return None
