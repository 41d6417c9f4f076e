"""Where the time of a whole pipe goes, and what an import costs."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from .rounds import Row, alternate, share
from .scene import Scene


def bench(scene: Scene) -> list[Row]:
    """Shares of wall time, and the import beyond spaCy's."""
    return [*shares(scene), importing(scene.rounds)]


def shares(scene: Scene) -> list[Row]:
    """How much of a pipe is search, and how much neither engine nor encoder."""
    spent: Counter[str] = Counter()
    retriever, engine = scene.extraction.retriever, scene.extraction.engine
    embedded = []
    queries = retriever.encoder.queries

    def counted(sentences: Any) -> Any:
        embedded.extend(sentences)
        return queries(sentences)

    retriever.encoder.queries = timed(counted, "encoder", spent)  # type: ignore[method-assign]
    retriever.search = timed(retriever.search, "search", spent)  # type: ignore[method-assign]
    engine.run = timed(engine.run, "engine", spent)  # type: ignore[method-assign]
    texts = [doc.text for doc in scene.docs]
    rounds = []

    def run() -> None:
        spent.clear()
        embedded.clear()
        start = time.perf_counter()
        for _ in scene.nlp.pipe(texts):
            pass
        whole = time.perf_counter() - start
        rounds.append({name: 100 * part / whole for name, part in spent.items()})

    alternate({"pipe": run}, scene.rounds)
    del retriever.encoder.queries, retriever.search, engine.run
    rounds = rounds[-scene.rounds :]
    bank = max(len(bank.exemplars) for bank in retriever.banks.values())
    note = f"{bank:,} exemplars in the largest bank; {len(embedded)} embeddings for {len(texts)} sentences"
    searched = [r["search"] for r in rounds]
    rest = [100 - r["engine"] - r["encoder"] for r in rounds]
    return [
        share("search", "whole pipe", target=5, shares=searched, note=note),
        share(
            "outside engine and encoder",
            "whole pipe",
            target=10,
            shares=rest,
            note="search included",
        ),
    ]


def timed(
    run: Callable[..., Any], name: str, spent: Counter[str]
) -> Callable[..., Any]:
    """Add the seconds of a function to a counter."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return run(*args, **kwargs)
        finally:
            spent[name] += time.perf_counter() - start  # type: ignore[assignment]

    return wrapper


def importing(rounds: int) -> Row:
    """What `import spacy_ramie` adds to `import spacy`, in seconds of a process."""
    code = (
        "import sys, time, spacy; before = set(sys.modules);"
        " start = time.perf_counter(); import spacy_ramie;"
        " print(time.perf_counter() - start, 'torch' in set(sys.modules) - before)"
    )
    seconds = []
    for _ in range(rounds):
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        seconds.append(float(said[0]))
    middle = sorted(seconds)[rounds // 2]
    torch = f"it loads {'torch' if said[1] == 'True' else 'no torch'}"
    met = middle <= 0.3 and said[1] == "False"
    spread = min(seconds), max(seconds)
    wanted = "0.3 s, no torch"
    return Row(
        "import spacy_ramie", "import spacy", wanted, middle, *spread, "s", met, torch
    )
