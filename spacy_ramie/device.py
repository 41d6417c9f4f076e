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
    """Say whether a device multiplies matrices in bfloat16, or torch imitates it.

    For a processor without AVX-512, or what other makers have in its place, it does: 2,000
    x 384 by 384 x 1,536 took 1.9 s on two cores with AVX2, and in float32 0.02 s.

    device (torch.device): The device.
    RETURNS (bool): Whether it does; a GPU is taken to.
    """
    import torch

    if device.type != "cpu":
        return True
    built_in = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(built_in and torch.ops.mkldnn._is_mkldnn_bf16_supported())
