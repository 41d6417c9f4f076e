"""`ramie base`: have a base model ready."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides
from spacy.util import load_config
from wasabi import msg

from ..errors import ConfigError, Errors, ModelError, first_line
from ..files import model_folder
from .common import clear_errors


def base(
    ctx: typer.Context,
    config: Annotated[
        Path,
        typer.Argument(help="Training config, or one with [ramie.base]", exists=True),
    ],
    code: Annotated[
        Path | None, typer.Option(help="Python file with registered functions")
    ] = None,
) -> None:
    """Have the base model of a config ready, the one in [paths].

    A model that is on this machine, in the package, in a folder or in the Hugging
    Face cache, is left as it is. Where the config has a section [ramie.base], a
    small model is built and pretrained on the training splits named there. Any other
    name is downloaded from Hugging Face: this is the only command that uses the
    network.
    """
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    logging.getLogger("spacy_ramie").setLevel(logging.INFO)
    with clear_errors():
        settings = load_config(config, overrides=overrides, interpolate=True)
        name = settings.get("paths", {}).get("base")
        if name is None:
            raise ConfigError(
                Errors.R012.format(path=config, section="paths", key="base")
            )
        folder = model_folder(name)
        if folder is not None and (folder / "config.json").is_file():
            msg.good(f"Base model {name} is there")
        elif "base" in settings.get("ramie", {}):
            _build(config, settings["ramie"], Path(name))
        else:
            msg.info(f"Downloading {name}")
            _download(name)
            msg.good(f"Base model {name} is there")


def _build(config: Path, settings: dict[str, dict[str, object]], output: Path) -> None:
    from ..training.base_model import NEEDED, build_base
    from ..training.config import require

    for section, keys in NEEDED.items():
        require(config, f"ramie.{section}", settings.get(section, {}), keys)
    measured = build_base(settings, output)
    msg.good(
        f"Built base model {output} in {measured['train_runtime']:.0f} s, "
        f"training loss {measured['train_loss']:.3f}"
    )


def _download(name: str) -> None:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt"]
    try:
        snapshot_download(name, allow_patterns=patterns)
    except Exception as error:
        # No network, no such model, no licence accepted, no valid name.
        problem = first_line(error)
        raise ModelError(Errors.R206.format(base=name, problem=problem)) from error
