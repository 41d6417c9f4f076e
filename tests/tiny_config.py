"""The configs that come along, made small enough for a test."""

from pathlib import Path
from typing import Any

from spacy.util import load_config

# As on the command line of `spacy ramie`, but in the file.
TINY = {
    "components.ramie_extractor.engine.max_new_tokens": 12,
    "ramie.even": 0.0,
    "ramie.lora.r": 4,
    "ramie.training.max_steps": 4,
    "ramie.training.per_device_train_batch_size": 2,
    "ramie.training.gradient_accumulation_steps": 2,
    "ramie.training.eval_steps": 2,
    "ramie.training.save_steps": 2,
    "ramie.training.logging_steps": 1,
    "ramie.training.warmup_steps": 0,
    "ramie.training.bf16": False,
}


def write_tiny(source: Path, target: Path, changed: dict[str, Any]) -> Path:
    """Write a small copy of a config, with further changes."""
    config = load_config(source, overrides={**TINY, **changed}, interpolate=False)
    config.to_disk(target, interpolate=False)
    return target
