"""`ramie retriever`: train a retriever for a corpus."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides, setup_gpu
from spacy.util import load_config
from wasabi import msg

from .common import Code, GpuId, clear_errors


def retriever(
    ctx: typer.Context,
    config: Annotated[
        Path, typer.Argument(help="Config with a section [retriever]", exists=True)
    ],
    output: Annotated[Path, typer.Argument(help="Folder of the model to write")],
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Train an encoder on a training split, for `spacy_ramie.SentenceEncoder.v1`.

    It learns to find exemplars whose answers share an item with the one that is
    wanted, rather than exemplars with the same words. The extra `retriever` must be
    installed. Settings can be overridden: --retriever.training.num_train_epochs 3.
    """
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    setup_gpu(gpu_id)
    logging.getLogger("spacy_ramie").setLevel(logging.INFO)
    with clear_errors():
        from ..training.config import section_of
        from ..training.retriever import NEEDED, train_retriever

        settings = load_config(config, overrides=overrides, interpolate=True)
        section = section_of(config, settings, "retriever", NEEDED, "retriever.cfg")
        measured = train_retriever(section, output)
    msg.good(
        f"Retriever {output}: {measured['triplets']:,} triplets, trained in "
        f"{measured['train_runtime']:.0f} s, loss {measured['train_loss']:.3f}"
    )
