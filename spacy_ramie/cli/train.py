"""`ramie train`: train the adapter."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides, setup_gpu
from wasabi import msg

from .common import Code, GpuId, clear_errors


def train(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="Training config", exists=True)],
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Train the LoRA adapter of a config on all its tasks.

    Settings of the config can be overridden on the command line, as with spaCy's
    own commands: --ramie.training.max_steps 100. A run that was interrupted goes
    on from its last checkpoint. Also runs under `accelerate launch -m spacy ramie
    train ...`.
    """
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    setup_gpu(gpu_id)
    logging.getLogger("spacy_ramie").setLevel(logging.INFO)
    with clear_errors():
        from ..training.adapter import train_adapter
        from ..training.config import load_setup

        setup = load_setup(config, overrides)
        measured = train_adapter(setup)
        msg.good(
            f"Adapter {setup.paths['adapter']}: trained in "
            f"{measured['train_runtime']:.0f} s, best dev loss "
            f"{measured['best_dev_loss']}"
        )
