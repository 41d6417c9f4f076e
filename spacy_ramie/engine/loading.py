"""Loading a base model and its adapter: from this machine, never from the network."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoTokenizer
from transformers.utils import logging

from .. import default
from ..errors import Errors, ModelError, first_line
from ..files import model_folder
from .merging import check_adapter, merge_adapter

# On a CPU oneDNN, and torch's layer above it, keep a kernel for each shape of a product
# in half precision, a thousand each: a stream of notes has that many shapes, and its
# memory would grow by half a gigabyte. Read when the first kernel is made.
KERNEL_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
KERNELS = "64"


class Loaded(NamedTuple):
    """A model that is ready to run, and its tokenizer."""

    model: Any
    tokenizer: Any
    context: int


def load_model(
    base: str, adapter: str | None, device: torch.device, dtype: torch.dtype
) -> Loaded:
    """Load a base model, merge its adapter into it and put it on a device.

    base (str): Folder, or Hugging Face name of a model in the local cache.
    adapter (str | None): Folder of a PEFT adapter.
    device (torch.device): Where to.
    dtype (torch.dtype): Of the weights.
    RETURNS (Loaded): Model in evaluation mode, tokenizer, length of the context.
    """
    for name in KERNEL_CACHES:
        os.environ.setdefault(name, KERNELS)
    if adapter is not None:
        check_adapter(base, Path(adapter))
    tokenizer = load_tokenizer(base)
    with _no_progress_bar():
        model = load_base(base, dtype=dtype)
    if adapter is not None:
        model = merge_adapter(model, base, Path(adapter))
    model.to(device).eval()
    return Loaded(model, tokenizer, context_length(model.config))


def load_tokenizer(base: str) -> Any:
    """Load the fast tokenizer of a base model.

    base (str): Folder or Hugging Face name.
    RETURNS (Any): The tokenizer, padding on the left.
    """
    folder = _folder(base)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, padding_side="left"
        )
    except Exception as error:
        # transformers raises OSError, ValueError, KeyError and more.
        raise _no_base(base, error) from error
    if not tokenizer.is_fast:
        raise ModelError(Errors.R205.format(base=base))
    return tokenizer


def load_base(base: str, **kwargs: Any) -> Any:
    """Load the weights of a base model.

    base (str): Folder or Hugging Face name.
    **kwargs: Further arguments of `from_pretrained`.
    RETURNS (Any): The model.
    """
    folder = _folder(base)
    try:
        # Called torch_dtype by transformers 4 and 5 alike, and dtype by the latter.
        kwargs["torch_dtype"] = kwargs.pop("dtype", torch.float32)
        model = _architecture(folder).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, **kwargs
        )
    except Exception as error:
        raise _no_base(base, error) from error
    # What PEFT writes into an adapter: the name, not its place in the cache. It asks
    # the Hub about names, and ours is none of the Hub's.
    model.name_or_path = str(folder) if base == default.NAME else base
    return model


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """A component of a pipeline draws nothing; transformers 5 does for any model."""
    shown, hidden = logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
        if hidden:
            # Those of downloads, which transformers switches along with its own.
            disable_progress_bars()


def _architecture(folder: Path) -> Any:
    """The class of a model; transformers' own code, never the folder's."""
    # AutoModelForCausalLM of transformers 4 imports the configs of all architectures
    # to find one, which takes longer than loading a small model.
    kind = type(AutoConfig.from_pretrained(folder, local_files_only=True))
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ValueError(f"{kind.__name__} is not of a causal language model")
    return MODEL_FOR_CAUSAL_LM_MAPPING[kind]


def context_length(config: Any) -> int:
    """Give the tokens that a model can see at once."""
    return int(getattr(config, "max_position_embeddings", 2048))


def _folder(base: str) -> Path:
    # With a name transformers asks the Hub for files that the cache does not have,
    # local_files_only or not.
    folder = model_folder(base)
    if folder is None:
        problem = "it is neither a folder nor in the Hugging Face cache"
        raise ModelError(Errors.R202.format(base=base, problem=problem))
    return folder


def _no_base(base: str, error: Exception) -> ModelError:
    problem = f"{type(error).__name__}: {first_line(error)}"
    return ModelError(Errors.R202.format(base=base, problem=problem))
