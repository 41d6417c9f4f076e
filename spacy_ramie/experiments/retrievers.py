"""Retrievers over the same exemplars: another index, another encoder."""

from collections.abc import Iterable
from functools import partial
from itertools import chain

from spacy.language import Language

from ..retrieval.chance import ChanceIndex
from ..retrieval.encoders import Encoder
from ..retrieval.index import ExactIndex, IndexMaker
from ..retrieval.retriever import Retriever
from ..retrieval.sentence_encoder import make_sentence_encoder

# What the pipeline's own retriever and the control are called.
OWN, CHANCE = "pipeline", "chance"


def retrievers_beside(
    nlp: Language, retriever: Retriever, folders: Iterable[str], seed: int = 0
) -> dict[str, Retriever]:
    """Put others beside the retriever of a pipeline, and one that goes by chance.

    nlp (Language): The pipeline.
    retriever (Retriever): Its retriever.
    folders (Iterable[str]): Further models of sentence-transformers.
    seed (int): Source of chance.
    RETURNS (dict): The retrievers by name; all but the last search exactly.
    """
    own = reindexed(retriever, ExactIndex)
    others = {
        name: reencoded(retriever, make_sentence_encoder(name), nlp) for name in folders
    }
    chance = reindexed(retriever, partial(ChanceIndex, seed))
    return {OWN: own, **others, CHANCE: chance}


def reindexed(retriever: Retriever, make_index: IndexMaker) -> Retriever:
    """Give the same vectors another index.

    retriever (Retriever): Left as it is.
    make_index (IndexMaker): Makes an empty index.
    RETURNS (Retriever): The other one.
    """
    other = Retriever(retriever.encoder, make_index, retriever.k, retriever.key)
    other.banks = {t: b.indexed_by(make_index()) for t, b in retriever.banks.items()}
    return other


def reencoded(retriever: Retriever, encoder: Encoder, nlp: Language) -> Retriever:
    """Embed the same exemplars with another encoder.

    retriever (Retriever): Left as it is.
    encoder (Encoder): The other encoder.
    nlp (Language): The pipeline.
    RETURNS (Retriever): The other one, which searches exactly.
    """
    other = Retriever(encoder, ExactIndex, retriever.k, retriever.key)
    banks = retriever.banks.values()
    other.fit(chain.from_iterable(bank.exemplars for bank in banks), nlp)
    return other
