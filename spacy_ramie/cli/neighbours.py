"""`ramie neighbours`: how good retrieval is in itself."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from wasabi import msg

from ..corpus.docbin import read_docs
from .common import Code, clear_errors, load_pipeline, percent

# The file has more.
SHOWN = ("copied", "precision@1", "recall@5", "ndcg@5", "shared entities")


def neighbours(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    corpus: Annotated[Path, typer.Argument(help="Gold records it has not seen")],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="A model of sentence-transformers to put beside its encoder"),
    ] = None,
    code: Code = None,
) -> None:
    """Compare gold answers with those of the exemplars found, the model left out.

    Also with the gold answer in the query, as the paper's released code has it: what
    that is better by is faked. And with exemplars drawn by chance.
    """
    with clear_errors():
        from ..experiments.neighbours import study_neighbours
        from ..experiments.retrievers import retrievers_beside

        nlp, component = load_pipeline(str(model), code)
        docs = read_docs(corpus, nlp, component.schema)
        retrievers = retrievers_beside(
            nlp, component.extraction.retriever, encoder or []
        )
        found = study_neighbours(nlp, component, docs, retrievers)
    output.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(output, found)
    table = Table("task", "encoder", "query", *SHOWN)
    for task in component.extraction.retriever.banks:
        for name, tasks in found.items():
            for query, scores in tasks[task].items():
                shares = (percent(scores.get(key)) for key in SHOWN)
                table.add_row(task, name, query, *shares)
    Console().print(table)
    msg.good(f"Wrote {output}")
