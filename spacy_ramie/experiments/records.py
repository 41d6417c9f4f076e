"""Which records an arm learns from, and which ones it is measured on."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from spacy.tokens import Doc, DocBin

from ..corpus.alike import Record, near_duplicates
from ..corpus.docbin import open_docbin, read_docs, record_of
from ..training.config import Setup
from .config import Arm, Experiment


def read_test(experiment: Experiment, setup: Setup) -> list[Doc]:
    """Read what is measured on: not what the base has read.

    experiment (Experiment): Names the corpus, and those that the base has read.
    setup (Setup): The pipeline.
    RETURNS (list[Doc]): The documents.
    """
    docs = read_docs(experiment.test, setup.nlp, setup.component.schema)
    read = [doc for path in experiment.seen for doc in open_docbin(path, docs[0].vocab)]
    known = {pair.other for pair in near_duplicates(_records(read), _records(docs))}
    return [doc for doc in docs if _record(doc)["id"] not in known]


def draw(setup: Setup, arm: Arm, seed: int, test: Sequence[Doc], target: Path) -> int:
    """Write the training records of an arm; of the same seed, few are part of more.

    Records that are nearly one of the test records are not among them.

    setup (Setup): The pipeline; its training split is drawn from.
    arm (Arm): Says how many.
    seed (int): Source of chance.
    test (Sequence[Doc]): What is measured on.
    target (Path): The .spacy file to write.
    RETURNS (int): How many records were left out since they are nearly test records.
    """
    path = Path(setup.paths["train"])
    docs = read_docs(path, setup.nlp, setup.component.schema)
    alike = near_duplicates(_records(docs), _records(test))
    known = {pair.one for pair in alike}
    rest = [doc for doc in docs if _record(doc)["id"] not in known]
    number = max(1, round(arm.share * len(rest))) if arm.few is None else arm.few
    if number < len(rest):
        Random(seed).shuffle(rest)
    DocBin(docs=rest[:number], store_user_data=True).to_disk(target)
    return len(known)


def _records(docs: Iterable[Doc]) -> list[Record]:
    return [_record(doc) for doc in docs]


def _record(doc: Doc) -> Record:
    return record_of(doc) or {}
