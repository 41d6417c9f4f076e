"""Run all benchmarks, print the table, write the JSON, and look at the floors."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from . import engine, peers, pipe, training
from .rounds import Row
from .scene import set_scene

FOLDER = Path(__file__).parent


def main(
    sentences: Annotated[int, typer.Option(help="Dev sentences to ask about")] = 64,
    rounds: Annotated[int, typer.Option(help="How often each arm is timed")] = 5,
    output: Annotated[Path, typer.Option(help="JSON to write")] = FOLDER
    / "results.json",
    floors: Annotated[
        Path | None, typer.Option(help="JSON: ratios below which it fails")
    ] = None,
) -> None:
    """Time the parts against each other and against how others do it."""
    scene = set_scene(sentences, rounds)
    console = Console(width=160)
    rows: list[Row] = []
    for part in (engine, pipe, training, peers):
        with console.status(part.__doc__ or ""):
            rows += part.bench(scene)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps([row._asdict() for row in rows], indent=2) + "\n")
    table = Table("what", "against", "target", "median", "least", "most", "met", "note")
    for row in rows:
        numbers = (
            f"{number:.2f} {row.unit}" for number in (row.value, row.low, row.high)
        )
        met = "yes" if row.met else "no"
        table.add_row(row.name, row.against, row.target, *numbers, met, row.note)
    console.print(table)
    fallen = list(below(rows, floors)) if floors else []
    for line in fallen:
        print(line, file=sys.stderr)
    raise typer.Exit(len(fallen))


def below(rows: list[Row], floors: Path) -> list[str]:
    """Say which ratios fell below their floors."""
    known = json.loads(floors.read_text(encoding="utf8"))
    return [
        f"{row.name}: {row.value:.2f} x is below its floor of {known[row.name]} x"
        for row in rows
        if row.name in known and row.value < known[row.name]
    ]


if __name__ == "__main__":
    typer.run(main)
