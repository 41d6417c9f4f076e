"""`ramie experiment`: arms trained and measured alike, in one table."""

import logging
from pathlib import Path
from typing import Annotated, Any

import srsly
import typer
from rich.console import Console
from rich.table import Table
from spacy.cli._util import import_code, parse_config_overrides, setup_gpu
from wasabi import msg

from .common import Code, GpuId, clear_errors


def experiment(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="Experiment", exists=True)],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Train the adapters of all arms, measure them and print the tables.

    What was trained and measured before is not done again, so that a run that was
    interrupted goes on. Settings can be overridden: --experiment.steps 500.
    """
    # spaCy takes out of the list what it reads.
    options = list(ctx.args)
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    setup_gpu(gpu_id)
    logging.getLogger("spacy_ramie").setLevel(logging.WARNING)
    with clear_errors():
        from ..experiments.config import load_experiment
        from ..experiments.table import tabulate
        from ..experiments.trial import run_trial, trials_of

        plan = load_experiment(config, overrides)
        trials = trials_of(plan)
        done = []
        for number, trial in enumerate(trials, start=1):
            msg.info(f"{number} of {len(trials)}: {trial.folder(plan.work)}")
            done.append((trial, run_trial(plan, trial)))
        report = tabulate(plan, done)
    output.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "config": str(config),
        "options": options,
        "test": str(plan.test),
        "steps": plan.steps,
        "seeds": plan.seeds,
        "against": plan.against,
        "arms": {arm.name: arm._asdict() for arm in plan.arms},
    }
    srsly.write_json(output, {"settings": settings, **report})
    _print(report, plan.against)
    msg.good(f"Wrote {output}")


def _print(report: dict[str, Any], against: str) -> None:
    from ..experiments.table import COSTS, FIGURES, TITLES, rows_of

    console = Console()
    for ruler, title in TITLES.items():
        table = Table("arm", *FIGURES[ruler], "mean", title=title)
        for row in rows_of(report, ruler):
            table.add_row(*row)
        console.print(table)
    console.print(
        f"F1 and 95 % intervals over records; * differs from '{against}' (p < 0.05)"
    )
    table = Table("arm", *COSTS, title="Cost of all adapters of an arm")
    for arm, cost in report["cost"].items():
        table.add_row(arm, *(f"{cost[key]:,.1f}" for key in COSTS))
    console.print(table)
    for arm, number in report["left_out"].items():
        if number:
            msg.warn(
                f"{arm}: {number} training records are nearly test records and were "
                "left out"
            )
