"""The model that comes along: a small base, a LoRA adapter and an exemplar bank."""

from itertools import chain
from pathlib import Path

from spacy.language import Language

from ..retrieval.exemplars import read_exemplars
from ..retrieval.index import ExactIndex
from ..retrieval.retriever import Retriever
from ..retrieval.sidecar import read_sidecar

# How the base is called in configs, wherever the package lies.
NAME = "ramie-small"

FOLDER = Path(__file__).parent
BASE = FOLDER / "base"
ADAPTER = FOLDER / "adapter"
RETRIEVER = FOLDER / "retriever"
INGREDIENTS = FOLDER / "ingredients.json"
TEMPERATURES = FOLDER / "temperatures.json"
FLOORS = FOLDER / "floors.json"

# What of the exemplars was embedded.
KEY = "sentence_and_answer"


def fill(retriever: Retriever, nlp: Language) -> None:
    """Give a retriever the exemplars of the supplement corpus's training split.

    Their vectors lie beside them; for another encoder, key or index they are made anew.

    retriever (Retriever): Gets the banks.
    nlp (Language): The pipeline.
    """
    encoder = read_sidecar(RETRIEVER / "ner.json").get("encoder")
    exact = type(retriever.make_index()) is ExactIndex
    if exact and (encoder, KEY) == (retriever.encoder.identity, retriever.key):
        retriever.from_disk(RETRIEVER)
    else:
        stored = read_exemplars(RETRIEVER).values()
        retriever.fit(chain.from_iterable(stored), nlp)
