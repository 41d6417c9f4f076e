"""Run all benchmarks, print the table, write the JSON and check the floors."""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import engine, peers, pipe, training
from .rounds import Row
from .scene import set_scene

RESULTS = Path(__file__).with_name("results.json")
FLOORS = Path(__file__).with_name("floors.json")


def main() -> int:
    """Time everything; the exit status says whether something fell below its floor."""
    scene = set_scene()
    rows = [
        row for part in (peers, engine, pipe, training) for row in part.bench(scene)
    ]
    RESULTS.write_text(json.dumps([row._asdict() for row in rows], indent=2) + "\n")
    table = Table("what", "against", "target", "median", "least", "most", "met", "note")
    for row in rows:
        numbers = (
            f"{number:.2f} {row.unit}" for number in (row.value, row.low, row.high)
        )
        met = "yes" if row.met else "no"
        table.add_row(row.name, row.against, row.target, *numbers, met, row.note)
    Console(width=160).print(table)
    below = fallen(rows)
    for line in below:
        print(line, file=sys.stderr)
    return len(below)


def fallen(rows: list[Row]) -> list[str]:
    """Say which of the ratios are below three quarters of what was first measured."""
    floors = json.loads(FLOORS.read_text(encoding="utf8")) if FLOORS.exists() else {}
    return [
        f"{row.name}: {row.value:.2f} x is below its floor of {floors[row.name]} x"
        for row in rows
        if row.unit == "x" and row.value < floors.get(row.name, 0)
    ]


if __name__ == "__main__":
    sys.exit(main())
