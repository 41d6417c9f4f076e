"""`ramie report`: the metrics table and the HTML page."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import srsly
import typer
from rich.console import Console
from rich.table import Table
from spacy.cli._util import setup_gpu
from wasabi import msg

from ..corpus.docbin import read_docs
from ..errors import ConfigError, CorpusError, Errors
from ..scoring.leaks import find_leaks
from ..scoring.recall import measure_recall
from .common import Code, GpuId, clear_errors, load_pipeline, percent


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
    experiments: Annotated[
        list[Path] | None,
        typer.Option(
            help="JSON file of `ramie experiment`; can be given again", exists=True
        ),
    ] = None,
    neighbours: Annotated[
        Path | None, typer.Option(help="JSON file of `ramie neighbours`", exists=True)
    ] = None,
    despite_leaks: Annotated[
        bool, typer.Option("--despite-leaks", help="Write it across leaks, and say so")
    ] = False,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Print the metrics and write them, with every mistake, as a page of its own.

    Asks the pipeline about the whole corpus, and measures how often approximate search
    finds the nearest exemplar. Refuses to where a record is nearly an exemplar of the
    pipeline.
    """
    with clear_errors():
        from ..scoring.report import METRIC_ROWS, Measured, render_report
        from ..scoring.variants import CASES

        setup_gpu(gpu_id)
        nlp, component = load_pipeline(str(model), code)
        varied = _read(variants)
        measured = Measured(
            _read_metrics(metrics),
            _read(systems),
            {name: scores for name, scores in varied.items() if name != CASES},
            varied.get(CASES, {}),
            {str(path): _read_experiment(path) for path in experiments or ()},
            _read_neighbours(neighbours),
        )
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
        recall = measure_recall(component.extraction.retriever, docs)
        commands = {
            "evaluate": _command("evaluate", model, corpus, "--output", metrics),
            "report": _command("ramie", "report", model, corpus, metrics, output),
            "compare": _command("ramie", "compare", model, "BASELINE", corpus, systems),
            "variants": _command("ramie", "variants", model, corpus, variants),
            "neighbours": _command("ramie", "neighbours", model, corpus, neighbours),
        }
        page = render_report(measured, docs, nlp, component, recall, leaks, commands)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf8")
    scores = measured.scores
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


def _read(path: Path | None) -> Mapping[str, Any]:
    """Read a JSON file that a command wrote; nothing where none is given."""
    if path is None:
        return {}
    try:
        found = srsly.read_json(path)
    except ValueError as error:
        raise ConfigError(Errors.R404.format(path=path, problem=error)) from error
    return found if isinstance(found, dict) else {}


def _read_metrics(path: Path) -> Mapping[str, Any]:
    scores = _read(path)
    if "ramie_triples_per_type" not in scores:
        _refuse(path, "evaluate", "ramie_triples_per_type")
    return scores


def _read_experiment(path: Path) -> Mapping[str, Any]:
    report = _read(path)
    for key in ("settings", "strict", "paper", "faults", "cost"):
        if key not in report:
            _refuse(path, "ramie experiment", key)
    return report


def _read_neighbours(path: Path | None) -> Mapping[str, Any]:
    found = _read(path)
    for tasks in found.values():
        asked = tasks.values() if isinstance(tasks, dict) else [tasks]
        for queries in asked:
            # A task without questions has none.
            known = isinstance(queries, dict) and (not queries or "sentence" in queries)
            if not known:
                _refuse(path, "ramie neighbours", "sentence")
    return found


def _refuse(path: Path | None, command: str, key: str) -> NoReturn:
    raise ConfigError(Errors.R402.format(path=path, command=command, key=key))


def _command(*words: object) -> str:
    return shlex.join(["python", "-m", "spacy", *map(str, words)])
