"""Run all benchmarks, print the table and write the JSON."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import engine, peers, pipe, training
from .scene import set_scene

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Time everything."""
    scene = set_scene()
    console = Console(width=160)
    rows = []
    for part in (peers, engine, pipe, training):
        with console.status(f"{part.__doc__}"):
            rows += part.bench(scene)
    RESULTS.write_text(json.dumps([row._asdict() for row in rows], indent=2) + "\n")
    table = Table("what", "against", "target", "median", "least", "most", "met", "note")
    for row in rows:
        numbers = (
            f"{number:.2f} {row.unit}" for number in (row.value, row.low, row.high)
        )
        met = "yes" if row.met else "no"
        table.add_row(row.name, row.against, row.target, *numbers, met, row.note)
    console.print(table)


if __name__ == "__main__":
    main()
