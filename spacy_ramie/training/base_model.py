"""Builds and pretrains the small base model that needs no download.

A Llama of a few million weights with a byte-level BPE tokenizer of its own. It
learns to read the sentences of the training split and to answer in the prompt
format, so that LoRA has something to adapt. It is a stand-in for a real LLM.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from spacy.tokens import Doc
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    set_seed,
)

from ..corpus.docbin import gold_doc, record_of
from ..corpus.items import make_items
from ..engine.tokens import PromptTokenizer
from ..prompting import build_request
from .config import Setup
from .features import Feature, embed_units, encode_items
from .swap import make_pool, swap_entities
from .trainer import (
    CompletionCollator,
    CompletionTrainer,
    Features,
    make_arguments,
    run_training,
)

logger = logging.getLogger(__name__)

START, END = "<s>", "</s>"


def build_base(setup: Setup, output: Path) -> dict[str, Any]:
    """Build, pretrain and save the base model.

    setup (Setup): The pipeline and its settings: `[ramie.base]` is the shape,
        `[ramie.pretraining]` the schedule.
    output (Path): Folder of the model.
    RETURNS (dict): What the run measured.
    """
    shape = setup.settings["base"]
    set_seed(shape["seed"])
    docs = setup.docs("train")
    setup.component.fit_exemplars(docs, setup.nlp)
    tokenizer = train_tokenizer(_prompt_texts(setup, docs), shape["vocabulary"])
    model = small_llama(shape, tokenizer)
    features = _features(setup, docs, PromptTokenizer(tokenizer, shape["context"]))
    logger.info("%d examples, %d weights", len(features), model.num_parameters())
    trainer = CompletionTrainer(
        model=model,
        args=make_arguments(output, dict(setup.settings["pretraining"])),
        train_dataset=Features(features),
        data_collator=CompletionCollator(whole=True),
    )
    result = run_training(trainer)
    if trainer.is_world_process_zero():
        model.save_pretrained(output)
        tokenizer.save_pretrained(output)
    return dict(result.metrics)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer.

    texts (Iterable[str]): What it shall write with few tokens.
    vocabulary (int): Number of tokens.
    RETURNS (PreTrainedTokenizerFast): The tokenizer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, tokenizer.token_to_id(START))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def small_llama(
    shape: dict[str, Any], tokenizer: PreTrainedTokenizerFast
) -> LlamaForCausalLM:
    """Make a Llama with random weights.

    shape (dict): hidden, layers, heads, context.
    tokenizer (PreTrainedTokenizerFast): Gives the vocabulary.
    RETURNS (LlamaForCausalLM): The model; input and output embeddings are one.
    """
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape["hidden"],
            intermediate_size=shape["hidden"] * 8 // 3,
            num_hidden_layers=shape["layers"],
            num_attention_heads=shape["heads"],
            max_position_embeddings=shape["context"],
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def _prompt_texts(setup: Setup, docs: Sequence[Doc]) -> Iterator[str]:
    """Prompts and completions of the training split, for the tokenizer."""
    extraction = setup.component.extraction
    for item in make_items(docs, list(extraction.tasks.values())):
        task = extraction.tasks[item.question.task]
        yield from build_request(task, extraction.style, item.question, []).parts
        yield item.completion


def _features(
    setup: Setup, docs: Sequence[Doc], tokens: PromptTokenizer
) -> list[Feature]:
    """Training examples from the documents and from variants of them.

    Every other round shows exemplars: the model learns both forms, and what it
    reads twice in a prompt teaches it to copy.
    """
    shape = setup.settings["base"]
    random = Random(shape["seed"])
    records = [record for doc in docs if (record := record_of(doc)) is not None]
    pool = make_pool(records)
    extraction = setup.component.extraction
    features: list[Feature] = []
    for variant in range(shape["variants"]):
        swapped = [swap_entities(r, pool, shape["swap"], random) for r in records]
        varied = setup.component.prepare(
            [gold_doc(r, setup.nlp, setup.component.schema) for r in swapped],
            setup.nlp,
        )
        shown = variant % 2 == 1
        features += encode_items(
            list(make_items(varied, list(extraction.tasks.values()))),
            embed_units(varied, extraction.retriever) if shown else {},
            extraction.tasks,
            extraction.style,
            extraction.retriever,
            tokens,
            held_out=False,
        )
    return features
