"""`ramie base`: have a base model ready."""

from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides
from spacy.util import load_config
from wasabi import msg

from ..errors import Errors, ModelError
from ..files import model_folder
from .common import clear_errors


def base(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="Training config", exists=True)],
    code: Annotated[
        Path | None, typer.Option(help="Python file with registered functions")
    ] = None,
) -> None:
    """Have the base model of a config ready, the one in [paths].

    A model that is on this machine, in a folder or in the Hugging Face cache, is
    left as it is. Where the config has a section [ramie.base], and no other base
    is named on the command line, the small model is built and pretrained on the
    training split. Any other name is downloaded from Hugging Face: this is the
    only command that uses the network.
    """
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    with clear_errors():
        from ..training.config import load_setup

        setup = load_setup(config, overrides)
        name = setup.paths["base"]
        folder = model_folder(name)
        if folder is not None and (folder / "config.json").is_file():
            msg.good(f"Base model {name} is there")
        elif "base" not in setup.settings or name != _own_base(config):
            msg.info(f"Downloading {name}")
            _download(name)
            msg.good(f"Base model {name} is there")
        else:
            from ..training.base_model import build_base

            measured = build_base(setup, Path(name))
            msg.good(
                f"Built base model {name} in {measured['train_runtime']:.0f} s, "
                f"training loss {measured['train_loss']:.3f}"
            )


def _download(name: str) -> None:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt"]
    try:
        snapshot_download(name, allow_patterns=patterns)
    except Exception as error:
        # No network, no such model, no licence accepted, no valid name.
        problem = str(error).strip().split("\n")[0]
        raise ModelError(Errors.R206.format(base=name, problem=problem)) from error


def _own_base(config: Path) -> str:
    """The base that the config file names itself."""
    return str(load_config(config, interpolate=True)["paths"]["base"])
