"""The device that models run on, in a worker process too, and what it can do."""

import multiprocessing
from typing import TYPE_CHECKING

from .errors import ConfigError, Errors

if TYPE_CHECKING:
    import torch


def torch_device() -> "torch.device":
    """Give the device that spaCy was told to use, if this process can use it.

    To be called before a model is run, also one that is already loaded: a worker
    that was forked has the models of its parent, but not its threads.

    RETURNS (torch.device): The device.
    """
    import torch
    from thinc.util import get_torch_default_device

    device: torch.device = get_torch_default_device()
    if multiprocessing.parent_process() is not None:
        if device.type == "cuda":
            raise ConfigError(Errors.R005)
        # The processes share the cores, and with one thread none is waited for.
        torch.set_num_threads(1)
    return device


def multiplies_bfloat16(device: "torch.device") -> bool:
    """Say whether a device multiplies in bfloat16 itself.

    For a processor that does not, one with AVX2 alone for instance, torch imitates it, a
    hundred times more slowly than it multiplies in float32.

    device (torch.device): The device.
    RETURNS (bool): Whether it does; of a GPU transformers finds out itself.
    """
    import torch

    if device.type != "cpu":
        return True
    built_in = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(built_in and torch.ops.mkldnn._is_mkldnn_bf16_supported())
