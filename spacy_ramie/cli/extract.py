"""`ramie extract`: look at what a pipeline finds in a note."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from .common import Code, clear_errors, load_pipeline


def extract(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or a package")],
    text: Annotated[str, typer.Argument(help="A note, or a file that holds one")],
    code: Code = None,
) -> None:
    """Print the entities, relations and failures that a pipeline finds in a note."""
    with clear_errors():
        nlp, component = load_pipeline(model, code)
        # One word with an ending is a path, whether the file is there or not.
        named = _is_file(text) or (len(text.split()) == 1 and bool(Path(text).suffix))
        note = Path(text).read_text(encoding="utf8") if named else text
        doc = nlp(note)
    record = doc._.get(component.attrs["record"])
    console = Console()
    console.print(note, highlight=False, markup=False)
    entities = Table("entity", "label", "ingredient", "usage", "confidence")
    usage = {(u["start"], u["end"]): u["label"] for u in record["usage"]}
    for entity in record["entities"]:
        entities.add_row(
            entity["text"],
            entity["label"],
            entity["ingredient"] or "",
            usage.get((entity["start"], entity["end"]), ""),
            _percent(entity["score"]),
        )
    relations = Table("head", "relation", "tail", "task", "confidence")
    for relation in record["relations"]:
        relations.add_row(
            relation["head"]["text"],
            relation["label"],
            relation["tail"]["text"],
            relation["source"],
            _percent(relation["score"]),
        )
    console.print(entities, relations)
    for item in record["unsure"]:
        console.print(
            f"{item['task']}: set aside: {item['label']} ({_percent(item['score'])})",
            markup=False,
        )
    for failure in record["failures"]:
        console.print(
            f"{failure['task']}: {failure['kind']}: {failure['message']}", markup=False
        )


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:
        # A note is too long for a file name.
        return False


def _percent(score: float | None) -> str:
    return "" if score is None else f"{score:.0%}"
