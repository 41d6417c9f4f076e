"""Builds and pretrains the small base model that needs no download.

A Llama of a few million weights with a byte-level BPE tokenizer of its own. It
learns to read the sentences of training splits and to answer in the prompt format,
so that LoRA has something to adapt.
"""

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from spacy.tokens import Doc
from transformers import PreTrainedTokenizerFast, set_seed

from ..corpus.docbin import gold_doc, record_of
from ..corpus.items import make_items
from ..engine.loading import load_base, load_tokenizer
from ..engine.tokens import PromptTokenizer
from ..errors import CorpusError, Errors
from ..prompting import build_request
from ..retrieval.index import ExactIndex
from .config import Setup, load_setup
from .copying import wire_copying
from .features import Feature, embed_units, encode_items
from .pointing import PointingCollator, PointingTrainer
from .small_llama import small_llama, train_tokenizer
from .swap import make_pool, swap_entities
from .trainer import Features, make_arguments, run_training, training_reach

logger = logging.getLogger(__name__)

# What the sections of [ramie] must have.
NEEDED = {
    "base": (
        *("vocabulary", "hidden", "layers", "heads", "context"),
        *("start", "sources", "examples", "swap", "exemplars", "reading", "even"),
        "seed",
    ),
    "pretraining": ("max_steps",),
}


def build_base(settings: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Build, pretrain and save the base model.

    A run that was interrupted goes on from its last checkpoint.

    settings (Mapping): The [ramie] section of the config: `base` is the shape and
        where the examples come from, `pretraining` is the schedule.
    output (Path): Folder of the model.
    RETURNS (dict): What the run measured.
    """
    shape = settings["base"]
    set_seed(shape["seed"])
    sources = [
        _Source(name, load_setup(Path(block["config"]), {}), block["share"])
        for name, block in shape["sources"].items()
    ]
    model, tokenizer = _first_model(shape, sources)
    tokens = PromptTokenizer(tokenizer, shape["context"])
    features = [
        feature
        for source in sources
        for feature in source.features(
            round(shape["examples"] * source.share),
            tokens,
            shape["swap"],
            shape["exemplars"],
            shape["seed"],
        )
    ]
    counts = Counter(feature.kind.split("/")[0] for feature in features)
    found = ", ".join(f"{n} examples from {name}" for name, n in counts.items())
    logger.info("%s; %d weights", found, model.num_parameters())
    arguments = make_arguments(output, dict(settings["pretraining"]))
    reach = training_reach(model, arguments)
    trainer = PointingTrainer(
        model=model,
        args=arguments,
        train_dataset=Features(features),
        data_collator=PointingCollator(
            reading=shape["reading"],
            even=shape["even"],
            reach=reach,
            separators=_separators(tokens),
        ),
    )
    result = run_training(trainer)
    if trainer.is_world_process_zero():
        trainer.drop_pointer()
        model.to(torch.bfloat16).save_pretrained(output)
        tokenizer.save_pretrained(output)
        for checkpoint in output.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        (output / "log.json").write_text(
            json.dumps(trainer.state.log_history, indent=2) + "\n"
        )
    return dict(result.metrics)


def _first_model(
    shape: dict[str, Any], sources: Sequence["_Source"]
) -> tuple[Any, PreTrainedTokenizerFast]:
    """The model to train and its tokenizer: new ones, or those of a base to go on from."""
    if shape["start"] is not None:
        start = shape["start"]
        # Short rows on a CPU: the fused kernel is slower.
        model = load_base(start, attn_implementation="eager")
        return model, load_tokenizer(start)
    texts = (text for source in sources for text in source.prompt_texts())
    tokenizer = train_tokenizer(texts, shape["vocabulary"])
    model = small_llama(shape, tokenizer)
    wire_copying(model, shape["seed"])
    return model, tokenizer


def _separators(tokens: PromptTokenizer) -> frozenset[int]:
    """The tokens between the fields and lines of an answer."""
    return frozenset(tokens.completion("\t")[:-1] + tokens.completion("\n")[:-1])


class _Source:
    """A training split, asked in the words of its own schema.

    name (str): Name of the source.
    setup (Setup): The pipeline that asks; only its training split is read.
    share (float): Its part of all examples.
    """

    def __init__(self, name: str, setup: Setup, share: float) -> None:
        self.name = name
        self.setup = setup
        self.share = share
        self.docs = setup.docs("train")
        self.extraction = setup.component.extraction
        self.tasks = list(self.extraction.tasks.values())
        self.records = [r for doc in self.docs if (r := record_of(doc)) is not None]
        self.pool = make_pool(self.records)
        # A split asks for all its exemplars at once: one product of matrices.
        self.extraction.retriever.make_index = ExactIndex
        setup.component.fit_exemplars(self.docs, setup.nlp)

    def prompt_texts(self) -> Iterator[str]:
        """Give prompts and completions, for the tokenizer."""
        for item in make_items(self.docs, self.tasks):
            task = self.extraction.tasks[item.question.task]
            request = build_request(task, self.extraction.style, item.question, [])
            yield from request.parts
            yield item.completion

    def features(
        self,
        number: int,
        tokens: PromptTokenizer,
        swap: float,
        exemplars: float,
        seed: int,
    ) -> list[Feature]:
        """Make training examples from variants of the documents.

        number (int): How many.
        tokens (PromptTokenizer): The tokenizer of the model.
        swap (float): How likely an entity is changed for another of its label:
            on average, since in some records none shall be and in some all.
        exemplars (float): Share of the examples that show exemplars: they take
            twice the time.
        seed (int): Source of chance.
        RETURNS (list[Feature]): The examples.
        """
        random = Random(seed)
        found: list[Feature] = []
        while len(found) < number:
            before = len(found)
            docs = self._variants(swap, random)
            items = list(make_items(docs, self.tasks))
            random.shuffle(items)
            shown = round(len(items) * exemplars)
            retriever = self.extraction.retriever
            for some, vectors in (
                (items[:shown], embed_units(docs, retriever) if shown else {}),
                (items[shown:], {}),
            ):
                features = encode_items(
                    some,
                    vectors,
                    self.extraction.tasks,
                    self.extraction.style,
                    retriever,
                    tokens,
                    held_out=False,
                )
                found += [f._replace(kind=f"{self.name}/{f.kind}") for f in features]
            if len(found) == before:
                raise CorpusError(
                    Errors.R107.format(name=self.name, context=tokens.context)
                )
        return random.sample(found, number)

    def _variants(self, swap: float, random: Random) -> list[Doc]:
        """Change entities of all documents for others."""
        component, nlp = self.setup.component, self.setup.nlp
        swapped = [
            swap_entities(r, self.pool, random.uniform(0, 2 * swap), random)
            for r in self.records
        ]
        docs = [gold_doc(r, nlp, component.schema) for r in swapped]
        return component.prepare(docs, nlp)
