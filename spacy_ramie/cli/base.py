"""`ramie base`: have a base model ready."""

from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides
from wasabi import msg

from .common import clear_errors

DEFAULT_BASE = Path("training/base")


def base(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="Training config", exists=True)],
    code: Annotated[
        Path | None, typer.Option(help="Python file with registered functions")
    ] = None,
) -> None:
    """Have the base model of a config ready, the one in [paths].

    A folder that holds a model and a name in the Hugging Face cache are left as
    they are. Another Hugging Face name is downloaded: this is the only command
    that uses the network. A folder that is not there is made: the small model is
    built and pretrained on the training split.
    """
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    with clear_errors():
        from ..engine.loading import base_folder
        from ..training.config import load_setup

        setup = load_setup(config, overrides)
        name = setup.paths["base"]
        folder = base_folder(name)
        if folder is not None and (folder / "config.json").is_file():
            msg.good(f"Base model {name} is there")
        elif _is_hub_name(name):
            from huggingface_hub import snapshot_download

            msg.info(f"Downloading {name}")
            patterns = ["*.json", "*.safetensors", "*.model", "*.txt"]
            snapshot_download(name, allow_patterns=patterns)
            msg.good(f"Base model {name} is there")
        else:
            from ..training.base_model import build_base

            measured = build_base(setup, Path(name))
            msg.good(
                f"Built base model {name} in {measured['train_runtime']:.0f} s, "
                f"training loss {measured['train_loss']:.3f}"
            )


def _is_hub_name(name: str) -> bool:
    """Say whether a name is one of the hub (owner/model) and not a folder here.

    A folder that is to be made has its parent in the project, or is a path.
    """
    path = Path(name)
    return (
        len(path.parts) == 2
        and not path.is_absolute()
        and name != str(DEFAULT_BASE)
        and path.parts[0] not in (".", "..", "training")
    )
