"""`ramie index-sweep`: Annoy against exact search."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from wasabi import msg

from ..corpus.docbin import read_docs
from .common import Code, clear_errors, load_pipeline, percent


def index_sweep(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    corpus: Annotated[
        Path, typer.Argument(help="Records whose sentences are searched")
    ],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    encoder: Annotated[
        str | None,
        typer.Option(help="A model of sentence-transformers in place of its encoder"),
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="How many neighbours")] = 1,
    code: Code = None,
) -> None:
    """Measure what Annoy misses and saves against exact search, over its settings."""
    with clear_errors():
        from ..experiments.index_sweep import sweep_index
        from ..experiments.retrievers import reencoded
        from ..retrieval.sentence_encoder import make_sentence_encoder

        nlp, component = load_pipeline(str(model), code)
        docs = component.prepare(read_docs(corpus, nlp, component.schema), nlp)
        retriever = component.extraction.retriever
        if encoder is not None:
            retriever = reencoded(retriever, make_sentence_encoder(encoder), nlp)
        found = sweep_index(retriever, docs, k)
    output.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(output, found)
    title = "Annoy; times as fast as exact search"
    table = Table("trees", "search_k", "recall", "one by one", "at once", title=title)
    for row in found["rows"]:
        nodes = "its own" if row["search_k"] < 0 else f"{row['search_k']:,}"
        speeds = (f"{row[key]:.2f}" for key in ("one by one", "at once"))
        table.add_row(str(row["trees"]), nodes, percent(row["recall"]), *speeds)
    Console().print(table)
    msg.good(f"Wrote {output}")
