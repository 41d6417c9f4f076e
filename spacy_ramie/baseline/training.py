"""Trains spaCy's own pipeline on the records that an adapter is trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import srsly
from spacy.cli.train import train
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ..corpus.items import make_items
from ..tasks import Task
from ..training.config import Setup

_CONFIGS = Path(__file__).parent
# Where the models lie in the folder of a baseline, and how long they took.
NER, BEST, SECONDS = "ner", "model-best", "seconds.json"


def train_baseline(
    setup: Setup, output: Path, overrides: Mapping[str, Any]
) -> dict[str, float]:
    """Train an NER model, and a text classifier for every task with one label.

    setup (Setup): Gives schema, tasks and the splits; nothing of it is trained.
    output (Path): Folder of the models, one for each task.
    overrides (Mapping): Dotted names to values, for the configs of both.
    RETURNS (dict[str, float]): Seconds of each training, by task.
    """
    splits = {split: setup.docs(split) for split in ("train", "dev")}
    seconds = {NER: _train("ner.cfg", splits, output / NER, overrides)}
    for name, task in setup.component.extraction.tasks.items():
        asked = {k: ask(docs, task, setup.nlp) for k, docs in splits.items()}
        if all(asked.values()):
            folder = output / name
            seconds[name] = _train("textcat.cfg", asked, folder, overrides)
    srsly.write_json(output / SECONDS, seconds)
    return seconds


def ask(docs: Sequence[Doc], task: Task, nlp: Language) -> list[Doc]:
    """Make a document of each question that is answered by one of its choices.

    docs (Sequence[Doc]): Gold documents.
    task (Task): Asks; one whose answers are generated gives no documents.
    nlp (Language): Its tokenizer is used.
    RETURNS (list[Doc]): The questions, with the answer among their cats.
    """
    asked = []
    for item in make_items(docs, [task]):
        if item.question.choices:
            doc = nlp.make_doc(item.question.input)
            doc.cats = {c: float(c == item.completion) for c in item.question.choices}
            asked.append(doc)
    return asked


def _train(
    config: str,
    splits: Mapping[str, Sequence[Doc]],
    output: Path,
    overrides: Mapping[str, Any],
) -> float:
    output.mkdir(parents=True, exist_ok=True)
    paths = {}
    for split, docs in splits.items():
        file = output / f"{split}.spacy"
        DocBin(docs=docs).to_disk(file)
        paths[f"paths.{split}"] = str(file)
    start = perf_counter()
    train(_CONFIGS / config, output, overrides={**paths, **overrides})
    return perf_counter() - start
