"""A bank of a few exemplars, and retrievers over it."""

from typing import Any

import spacy
from spacy import registry

from spacy_ramie.retrieval.encoders import HashingEncoder
from spacy_ramie.retrieval.retriever import Retriever
from spacy_ramie.types import Exemplar

NLP = spacy.blank("en")

MELATONIN = "Started melatonin for insomnia."
GINKGO = "Ginkgo stopped after nosebleeds."
NOTHING = "No supplements."


def make_retriever(
    kind: str = "Annoy", encoder: Any = None, **config: Any
) -> Retriever:
    maker = registry.misc.get(f"spacy_ramie.{kind}Index.v1")()
    encoder = encoder or HashingEncoder(64)
    config.setdefault("key", "sentence")
    return registry.misc.get("spacy_ramie.Retriever.v1")(encoder, maker, **config)


def exemplar(
    sentence: str,
    answer: str = "None",
    task: str = "ner",
    note: str = "",
    number: int = 0,
) -> Exemplar:
    note = note or f"note of {sentence}"
    return Exemplar(f"{note}/{number}", task, note, sentence, sentence, answer)


BANK = [
    exemplar(MELATONIN, "melatonin\tsupplement", number=0),
    exemplar(MELATONIN, "melatonin\tpositive\tinsomnia", task="te", number=1),
    exemplar(GINKGO, "ginkgo\tsupplement", number=0),
    exemplar(GINKGO, "ginkgo\tnegative\tnosebleeds", task="te", number=1),
    exemplar(NOTHING, "None", number=0),
]


def hits_of(retriever: Retriever, text: str, task: str = "ner", **but: Any) -> Any:
    vectors = retriever.embed([NLP.make_doc(text)[:]])
    if "but" in but:
        but = {"but": [but["but"]]}
    return next(iter(retriever.search(task, list(vectors.values()), **but)), [])
