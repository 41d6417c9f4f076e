"""Putting an adapter into the weights of its base, once it was seen to be the base's."""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ..errors import Errors, ModelError, first_line
from ..files import model_folder
from .fingerprint import fingerprint
from .transformers_engine import ADAPTER_CONFIG, TRAINED_ON

ADAPTER_WEIGHTS = "adapter_model.safetensors"

# What a LoRA config may say of how its matrices are added to the weights of linear
# layers, and what makes no difference to it. Whatever else is set is left to PEFT.
PLAIN = frozenset(
    (
        *("peft_type", "r", "lora_alpha", "target_modules", "init_lora_weights"),
        *("base_model_name_or_path", "revision", "task_type", "peft_version"),
        *("inference_mode", "lora_dropout", "megatron_core", "qalora_group_size"),
    )
)
# Others are switched on by an empty block.
MAY_BE_EMPTY = frozenset(("rank_pattern", "alpha_pattern", "loftq_config"))
MATRIX = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")


class _Layer(NamedTuple):
    """A linear layer, and the matrices whose product is added to its weight."""

    linear: torch.nn.Linear
    down: torch.Tensor
    up: torch.Tensor


def check_adapter(base: str, adapter: Path) -> None:
    """Refuse an adapter that is missing, damaged or made for another base.

    base (str): Folder or Hugging Face name of the base model.
    adapter (Path): Folder of the adapter.
    """
    for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        if not (adapter / name).is_file():
            raise bad_adapter(adapter, f"there is no {name} in it")
    _read_config(adapter)
    folder = model_folder(base)
    if folder is None or not (adapter / TRAINED_ON).is_file():
        return
    try:
        trained = json.loads((adapter / TRAINED_ON).read_text())["base_fingerprint"]
    except (ValueError, KeyError) as error:
        raise bad_adapter(adapter, f"{TRAINED_ON} is damaged") from error
    found = fingerprint(folder)
    if trained != found:
        raise ModelError(
            Errors.R204.format(adapter=adapter, trained=trained, base=base, found=found)
        )


def merge_adapter(model: Any, base: str, adapter: Path) -> Any:
    """Merge an adapter into the model that it was trained on.

    Plain LoRA, as nearly all of it is, needs no PEFT, whose import would be a quarter
    of the time until the first note is answered.

    model (Any): The base model; its weights are changed.
    base (str): Folder or Hugging Face name of it.
    adapter (Path): Folder of the adapter.
    RETURNS (Any): The model with the adapter in it.
    """
    config = _read_config(adapter)
    try:
        layers = _plain_layers(model, config, adapter / ADAPTER_WEIGHTS)
        if layers is None:
            return _merge_by_peft(model, adapter)
        for layer in layers:
            _add(layer, config["lora_alpha"] / config["r"])
    except Exception as error:
        problem = f"it does not fit the base model '{base}': {first_line(error)}"
        raise bad_adapter(adapter, problem) from error
    return model


def is_plain(config: Mapping[str, Any]) -> bool:
    """Say whether an adapter is the product of two matrices for each linear layer.

    config (Mapping): Its adapter_config.json.
    RETURNS (bool): Whether nothing else is set in it.
    """
    return (
        config["peft_type"] == "LORA"
        and {"r", "lora_alpha"} <= config.keys()
        and isinstance(config.get("target_modules"), list)
        # Some other beginnings take what they are made of off the base.
        and config.get("init_lora_weights") in (True, False, "gaussian")
        and not any(_is_set(key, config[key]) for key in config.keys() - PLAIN)
    )


def _is_set(key: str, value: Any) -> bool:
    empty = value == {} and key in MAY_BE_EMPTY
    return not (value is None or value is False or value == "none" or empty)


def _plain_layers(
    model: Any, config: Mapping[str, Any], file: Path
) -> list[_Layer] | None:
    """Give the layers of an adapter; None where adding them is PEFT's task."""
    if not is_plain(config):
        return None
    matrices: dict[tuple[str, str], torch.Tensor] = {}
    for name, matrix in load_file(file).items():
        match = MATRIX.fullmatch(name)
        if match is None:
            return None
        matrices[match[1], match[2]] = matrix
    layers = []
    for name, module in _targets(model, config["target_modules"]):
        down, up = matrices.pop((name, "A"), None), matrices.pop((name, "B"), None)
        if not _is_linear(module) or down is None or up is None:
            return None
        fits = (config["r"], module.in_features), (module.out_features, config["r"])
        if (down.shape, up.shape) != fits:
            return None
        layers.append(_Layer(module, down, up))
    # PEFT says what it is that does not fit.
    return None if matrices or not layers else layers


def _is_linear(module: Any) -> bool:
    """Say whether a module has a plain weight: not one of a quantised base."""
    if type(module) is not torch.nn.Linear:
        return False
    return type(module.weight) is torch.nn.Parameter


def _targets(model: Any, names: list[str]) -> Iterator[tuple[str, Any]]:
    """The modules that an adapter's `target_modules` mean: by the end of their name."""
    for name, module in model.named_modules():
        if any(f".{name}".endswith(f".{target}") for target in names):
            yield name, module


@torch.no_grad()
def _add(layer: _Layer, scale: float) -> None:
    """Add what an adapter learnt to a weight: in single precision, as PEFT does."""
    weight = layer.linear.weight
    down, up = (m.to(weight.device, torch.float32) for m in (layer.down, layer.up))
    merged = weight + (up @ down * scale).to(weight.dtype)
    if not merged.isfinite().all():
        raise ValueError("there are weights in it that are not numbers")
    weight.copy_(merged)


def _merge_by_peft(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    with warnings.catch_warnings():
        # PEFT asks transformers 5 about checkpointing by the name it had before.
        warnings.simplefilter("ignore", FutureWarning)
        merged = PeftModel.from_pretrained(model, str(adapter))
    _check_weights(merged, adapter / ADAPTER_WEIGHTS)
    return merged.merge_and_unload(safe_merge=True)


def _check_weights(model: Any, file: Path) -> None:
    """PEFT passes over the layers that only one of base and adapter has."""
    from peft import get_peft_model_state_dict

    with safe_open(file, "pt") as stored_weights:
        names = stored_weights.keys()
    stored = [name for name in names if ".lora_" in name]
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    taken = [name for name in weights if ".lora_" in name]
    if len(stored) != len(taken):
        raise ValueError(f"it has {len(stored)} weights, the base takes {len(taken)}")


def _read_config(adapter: Path) -> dict[str, Any]:
    try:
        config = json.loads((adapter / ADAPTER_CONFIG).read_text())
    except ValueError as error:
        raise bad_adapter(adapter, f"{ADAPTER_CONFIG}: {error}") from error
    if not isinstance(config, dict) or "peft_type" not in config:
        raise bad_adapter(adapter, f"{ADAPTER_CONFIG} has no peft_type")
    return config


def bad_adapter(adapter: Path, problem: str) -> ModelError:
    """Say what is wrong with an adapter.

    adapter (Path): Its folder.
    problem (str): What it is.
    RETURNS (ModelError): The error to raise.
    """
    return ModelError(Errors.R203.format(adapter=adapter, problem=problem))
