"""Trains the LoRA adapter: one for all tasks."""

import json
import logging
import shutil
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from peft import (
    LoraConfig,
    PeftModel,
    get_peft_model,
    prepare_model_for_kbit_training,
)
from transformers import TrainingArguments, set_seed

from .. import default
from ..corpus.docbin import record_of
from ..corpus.items import make_items
from ..engine.fingerprint import fingerprint
from ..engine.loading import context_length, load_base, load_tokenizer
from ..engine.merging import bad_adapter, check_adapter
from ..engine.tokens import PromptTokenizer
from ..engine.transformers_engine import TRAINED_ON
from ..errors import ConfigError, Errors, first_line
from ..files import model_folder
from ..retrieval.chance import ChanceIndex
from ..retrieval.index import ExactIndex
from .collator import CompletionCollator
from .config import Setup
from .features import Feature, embed_units, encode_items
from .trainer import (
    CompletionTrainer,
    Features,
    make_arguments,
    run_training,
    training_reach,
)

logger = logging.getLogger(__name__)

# Losses and seconds; written last.
LOG = "log.json"


def train_adapter(setup: Setup) -> dict[str, Any]:
    """Train an adapter on the training split, selected by loss on the dev split.

    A run that was interrupted goes on from its last checkpoint. Where `start` names an
    adapter, training goes on from that one, as it was made; where `eval_strategy` is
    "no", the last step counts and the dev split is not read.

    setup (Setup): The pipeline and its settings.
    RETURNS (dict): What the run measured: steps, losses, seconds.
    """
    base = setup.paths["base"]
    output = Path(setup.paths["adapter"])
    tokenizer = load_tokenizer(base)
    arguments = make_arguments(output, dict(setup.settings["training"]))
    # The matrices of an adapter begin with random numbers.
    set_seed(arguments.seed)
    # A frozen base needs no more digits than it is computed with, and takes half.
    dtype = torch.bfloat16 if arguments.bf16 else torch.float32
    model = _lora_model(base, setup.settings, dtype)
    tokens = PromptTokenizer(tokenizer, context_length(model.config))
    train, dev = make_features(setup, tokens, _asked_for(arguments))
    logger.info("%d training and %d dev examples", len(train), len(dev))
    trainer = CompletionTrainer(
        model=model,
        args=arguments,
        train_dataset=Features(train),
        eval_dataset=Features(sorted(dev, key=lambda f: (f.kind, len(f.ids)))),
        data_collator=CompletionCollator(
            reading=0.0,
            even=setup.settings.get("even", 0.0),
            reach=training_reach(model, arguments),
        ),
    )
    result = run_training(trainer)
    # Checkpoints are removed now, and another process may still be reading one.
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        _save(trainer, setup, output)
    trainer.accelerator.wait_for_everyone()
    return {**result.metrics, "best_dev_loss": trainer.state.best_metric}


def _lora_model(base: str, settings: dict[str, Any], dtype: torch.dtype) -> Any:
    quantisation = settings.get("quantization")
    kwargs: dict[str, Any] = {"dtype": dtype}
    if quantisation:
        from transformers import BitsAndBytesConfig

        kwargs["quantization_config"] = BitsAndBytesConfig(**quantisation)
    model = load_base(base, **kwargs)
    if quantisation:
        model = prepare_model_for_kbit_training(model)
    start = settings.get("start")
    if start is not None:
        check_adapter(base, Path(start))
        try:
            return PeftModel.from_pretrained(model, start, is_trainable=True)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise bad_adapter(Path(start), first_line(error)) from error
    try:
        lora = LoraConfig(task_type="CAUSAL_LM", **settings["lora"])
        return get_peft_model(model, lora)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            Errors.R013.format(
                section="ramie.lora", owner="peft.LoraConfig", problem=error
            )
        ) from error


def _asked_for(arguments: TrainingArguments) -> int | None:
    """Give the examples that so many steps learn; None where epochs are counted."""
    if arguments.max_steps <= 0:
        return None
    batches: int = arguments.max_steps * arguments.gradient_accumulation_steps
    return batches * int(arguments.train_batch_size) * int(arguments.world_size)


def make_features(
    setup: Setup, tokens: PromptTokenizer, most: int | None = None
) -> tuple[list[Feature], list[Feature]]:
    """Make the examples of both splits, and the exemplar bank of the training split.

    setup (Setup): The pipeline and its settings.
    tokens (PromptTokenizer): The tokenizer of the base model.
    most (int | None): Training examples that are asked for; drawn by chance where
        there are more. Those of them that are too long for the context are left out.
    RETURNS (tuple): Training and dev examples.
    """
    extraction = setup.component.extraction
    tasks = list(extraction.tasks.values())
    selects = setup.settings["training"].get("eval_strategy", "no") != "no"
    train_docs = setup.docs("train")
    dev_docs = setup.docs("dev") if selects else []
    if not isinstance(extraction.retriever.make_index(), ChanceIndex):
        # A split asks for all its exemplars at once: one product of matrices.
        extraction.retriever.make_index = ExactIndex
    items = list(make_items(train_docs, tasks))
    extraction.retriever.fit((item.exemplar for item in items), setup.nlp)
    Random(setup.settings["training"].get("seed", 42)).shuffle(items)
    # What no step will come to is not encoded.
    items = items[:most]
    # What is not shown an exemplar learns to do without: some contexts are too short.
    shown = round(len(items) * setup.settings.get("exemplars", 1.0))
    encode = partial(
        encode_items,
        tasks=extraction.tasks,
        style=extraction.style,
        retriever=extraction.retriever,
        tokens=tokens,
    )
    notes = {item.exemplar.group for item in items[:shown]}
    asked = [doc for doc in train_docs if (record_of(doc) or {}).get("id") in notes]
    vectors = embed_units(asked, extraction.retriever)
    train = encode(items[:shown], vectors, held_out=False)
    train += encode(items[shown:], {}, held_out=False)
    vectors = embed_units(dev_docs, extraction.retriever)
    return train, encode(list(make_items(dev_docs, tasks)), vectors, held_out=True)


def _save(trainer: CompletionTrainer, setup: Setup, output: Path) -> None:
    base, tasks = setup.paths["base"], setup.component.extraction.tasks
    model = trainer.accelerator.unwrap_model(trainer.model)
    kwargs: dict[str, Any] = {}
    if base == default.NAME:
        # Else PEFT would ask the Hub whether the vocabulary grew.
        kwargs["save_embedding_layers"] = False
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(str(output), **kwargs)
    # PEFT's blank model card says nothing but where the base lies on this machine.
    (output / "README.md").unlink(missing_ok=True)
    folder = model_folder(base)
    trained_on = {
        "base": Path(base).name if Path(base).is_dir() else base,
        "base_fingerprint": None if folder is None else fingerprint(folder),
        "instructions": {name: task.instruction() for name, task in tasks.items()},
    }
    (output / TRAINED_ON).write_text(json.dumps(trained_on, indent=2) + "\n")
    (output / LOG).write_text(json.dumps(trainer.state.log_history, indent=2))
    for checkpoint in output.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
