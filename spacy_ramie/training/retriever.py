"""Trains a retriever: a model of sentence-transformers for one corpus."""

import logging
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from ..corpus.items import make_items
from ..engine.loading import load_base, load_tokenizer
from ..errors import CorpusError, Errors, RetrievalError
from ..retrieval.encoders import HashingEncoder
from ..retrieval.index import ExactIndex
from ..retrieval.retriever import Retriever
from ..retrieval.sentence_model import load_sentence_model
from .config import Setup, fill_arguments, load_setup
from .triplets import Triplet, make_triplets

logger = logging.getLogger(__name__)

# What the section [retriever] must have.
NEEDED = ("config", "start", "each", "depth", "training")
# Buckets of the encoder that finds similar words: those of the default retriever.
BUCKETS = 1024


def train_retriever(settings: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Train a retriever on the training split of a training config, and on no other.

    Sentences are drawn to the keys of exemplars whose answers share an item with
    theirs, and away from those whose words alone are similar.

    settings (Mapping): The section [retriever] of the config.
    output (Path): Folder of the model.
    RETURNS (dict): What the run measured, and `triplets`, their number.
    """
    from sentence_transformers import SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.losses import (
        MultipleNegativesRankingLoss,
    )
    from transformers import set_seed

    arguments = _arguments(output, settings["training"])
    set_seed(arguments.seed)
    setup = load_setup(Path(settings["config"]), {})
    triplets = collect_triplets(
        setup, settings["each"], settings["depth"], arguments.seed
    )
    counts = {task: len(found) for task, found in triplets.items()}
    logger.info("Triplets: %s", counts)
    if not any(counts.values()):
        raise CorpusError(Errors.R109.format(path=setup.paths["train"]))
    model = _first_model(settings["start"], setup.paths["base"], arguments.device)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=_dataset(triplets, setup.component.extraction.retriever),
        loss=MultipleNegativesRankingLoss(model),
    )
    result = trainer.train()
    if trainer.is_world_process_zero():
        # A model card would show sentences of the corpus.
        model.save_pretrained(str(output), create_model_card=False)
    return {**result.metrics, "triplets": sum(counts.values())}


def collect_triplets(
    setup: Setup, each: int, depth: int, seed: int
) -> dict[str, list[Triplet]]:
    """Make the triplets of all tasks from the training split.

    setup (Setup): The pipeline that asks.
    each (int): How many of an item at most.
    depth (int): How many similar sentences are looked through for negatives.
    seed (int): Source of chance.
    RETURNS (dict): The triplets of each task.
    """
    tasks = list(setup.component.extraction.tasks.values())
    items = make_items(setup.docs("train"), tasks)
    words = Retriever(HashingEncoder(BUCKETS), ExactIndex, depth, "sentence")
    words.fit((item.exemplar for item in items), setup.nlp)
    random = Random(seed)
    triplets = {}
    for task, bank in words.banks.items():
        hits = bank.search(bank.index.vectors(), depth, but=bank.exemplars)
        similar = [[hit.exemplar for hit in found] for found in hits]
        triplets[task] = make_triplets(bank.exemplars, similar, each, random)
    return triplets


def _dataset(triplets: Mapping[str, list[Triplet]], retriever: Retriever) -> Any:
    """One part a task: a batch, whose members are each other's negatives, is of one."""
    from datasets import Dataset, DatasetDict

    return DatasetDict(
        {
            task: Dataset.from_dict(
                {
                    "anchor": [t.anchor.sentence for t in found],
                    "positive": [retriever.key_of(t.positive) for t in found],
                    "negative": [retriever.key_of(t.negative) for t in found],
                }
            )
            for task, found in triplets.items()
            if found
        }
    )


def _first_model(start: str | None, base: str, device: Any) -> Any:
    """The model to go on from, or the mean of the base's own input embeddings."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    if start is not None:
        return load_sentence_model(start, str(device))
    tokenizer = Tokenizer.from_str(load_tokenizer(base).backend_tokenizer.to_str())
    weights = load_base(base).get_input_embeddings().weight.detach().float().clone()
    static = StaticEmbedding(tokenizer, embedding_weights=weights)
    return SentenceTransformer(modules=[static], device=str(device))


def _arguments(output: Path, settings: Mapping[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.util import is_training_available

    if not is_training_available():
        raise RetrievalError(Errors.R308)
    return fill_arguments(
        SentenceTransformerTrainingArguments,
        "retriever.training",
        output,
        settings,
        save_strategy="no",
    )
