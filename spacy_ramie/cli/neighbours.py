"""`ramie neighbours`: how good retrieval is in itself."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from rich.console import Console
from rich.table import Table
from wasabi import msg

from ..corpus.docbin import read_docs
from .common import clear_errors, load_pipeline, percent

# The file has more.
SHOWN = ("copied", "precision@1", "recall@5", "ndcg@5")


def neighbours(
    model: Annotated[Path, typer.Argument(help="The pipeline")],
    corpus: Annotated[Path, typer.Argument(help="Gold records it has not seen")],
    output: Annotated[Path, typer.Argument(help="JSON file to write")],
) -> None:
    """Compare gold answers with those of the exemplars found, the model left out.

    Also with the gold answer in the query, as the paper's released code has it: what
    that is better by is faked.
    """
    with clear_errors():
        from ..experiments.neighbours import study_neighbours

        nlp, component = load_pipeline(str(model))
        docs = read_docs(corpus, nlp, component.schema)
        found = study_neighbours(nlp, component, docs)
    output.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(output, found)
    table = Table("task", "query", *SHOWN)
    for task, queries in found.items():
        for name, scores in queries.items():
            table.add_row(task, name, *(percent(scores[key]) for key in SHOWN))
    Console().print(table)
    msg.good(f"Wrote {output}")
