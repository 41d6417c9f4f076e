"""How long the first note takes: `python -m benchmarks.first_note`.

Beside what transformers and peft take to be imported, and to load the same base.
"""

import os
import subprocess
import sys
from collections import defaultdict
from statistics import median
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table

# Each in a process of its own: what was imported stays.
CLOCK = """
import json, time
laps, last = {}, time.perf_counter()
def lap(name):
    global last
    now = time.perf_counter()
    laps[name], last = now - last, now
"""
PIPELINE = """
import spacy
lap("import spacy")
nlp = spacy.blank("en")
nlp.add_pipe("ramie_extractor")
lap("add_pipe")
assert nlp("Started melatonin 3 mg qhs for insomnia.").ents
lap("first note")
nlp("She stopped ginkgo because of nosebleeds.")
lap("second note")
print(json.dumps(laps))
"""
BARE = """
import spacy
import spacy_ramie.default
lap("")
import peft, torch
from transformers import AutoTokenizer, LlamaForCausalLM
base = spacy_ramie.default.BASE
LlamaForCausalLM.from_pretrained(base, torch_dtype=torch.float32)
AutoTokenizer.from_pretrained(base)
lap("transformers and peft alone")
del laps[""]
print(json.dumps(laps))
"""


def main(
    starts: Annotated[int, typer.Option(help="Processes of each kind")] = 5,
) -> None:
    """Start Python again and again, and print the seconds until each step was done."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(starts):
        for code in (PIPELINE, BARE):
            for name, taken in laps_of(CLOCK + code).items():
                seconds[name].append(taken)
    table = Table("seconds", "median", "least", "most")
    for name, laps in seconds.items():
        numbers = (median(laps), min(laps), max(laps))
        table.add_row(name, *(f"{number:.2f}" for number in numbers))
    Console().print(table)


def laps_of(code: str) -> dict[str, float]:
    """Run code in a new Python, and read the seconds it prints."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    laps: dict[str, float] = srsly.json_loads(run.stdout)
    return laps


if __name__ == "__main__":
    typer.run(main)
