"""How much memory a long stream of notes takes: `python -m benchmarks.memory`."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Annotated

import spacy
import srsly
import typer

CORPUS = Path(__file__).parent.parent / "corpus" / "train.jsonl"


def main(
    notes: Annotated[int, typer.Option(help="Length of the stream")] = 10_000,
    every: Annotated[int, typer.Option(help="Notes between two looks")] = 1_000,
    dtype: Annotated[str, typer.Option(help="Of the weights")] = "float32",
) -> None:
    """Print the most memory taken so far after every so many notes, all different."""
    nlp = spacy.blank("en")
    nlp.add_pipe("ramie_extractor", config={"engine": {"dtype": dtype}})
    seen: list[float] = []
    done = nlp.pipe(stream(notes), batch_size=100)
    while len(list(islice(done, every))) == every:
        # In KiB on Linux.
        seen.append(getrusage(RUSAGE_SELF).ru_maxrss / 2**10)
        print(f"{len(seen) * every:,} notes: {seen[-1]:,.0f} MiB", flush=True)
    growth = seen[-1] / seen[0] - 1
    print(f"{growth:+.1%} since the first {every:,} notes")


def stream(notes: int) -> Iterator[str]:
    """Sentences of the corpus, each time with another number in them."""
    texts = [record["text"] for record in srsly.read_jsonl(CORPUS)]
    short = [text for text in texts if "\n" not in text and len(text) < 80]
    for number in range(notes):
        yield f"{short[number % len(short)]} #{number}"


if __name__ == "__main__":
    typer.run(main)
