"""`ramie base`: have a base model ready."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli._util import import_code, parse_config_overrides
from spacy.util import load_config, load_model_from_config
from thinc.api import Config
from wasabi import msg

from ..component import RamieExtractor
from ..errors import Errors, ModelError, first_line
from ..files import model_folder
from ..retrieval.sentence_encoder import SentenceEncoder
from ..training.config import EXAMPLE, section_of
from .common import Code, clear_errors


def base(
    ctx: typer.Context,
    config: Annotated[
        Path,
        typer.Argument(help="Training config, or one with [ramie.base]", exists=True),
    ],
    code: Code = None,
) -> None:
    """Have the base model of a config ready, the one in [paths].

    A model that is on this machine, in the package, in a folder or in the Hugging
    Face cache, is left as it is. Where the config has a section [ramie.base], a
    small model is built and pretrained on the training splits named there. Any other
    name is downloaded from Hugging Face, and so are the encoders of the retriever:
    this is the only command that uses the network.
    """
    overrides = parse_config_overrides(ctx.args)
    import_code(code)
    logging.getLogger("spacy_ramie").setLevel(logging.INFO)
    with clear_errors():
        settings = load_config(config, overrides=overrides, interpolate=True)
        name = section_of(config, settings, "paths", ["base"], EXAMPLE)["base"]
        folder = model_folder(name)
        if folder is not None and (folder / "config.json").is_file():
            msg.good(f"Base model {name} is there")
        elif "base" in settings.get("ramie", {}):
            _build(config, settings, Path(name))
        else:
            msg.info(f"Downloading {name}")
            _download(name)
            msg.good(f"Base model {name} is there")
        for encoder in _encoders(settings):
            if model_folder(encoder) is None:
                msg.info(f"Downloading {encoder}")
                _download(encoder)
            msg.good(f"Encoder {encoder} is there")


def _encoders(settings: Config) -> tuple[str, ...]:
    """The models that the retriever of a config embeds with."""
    if "components" not in settings:
        return ()
    nlp = load_model_from_config(settings, auto_fill=True)
    made = (pipe for _, pipe in nlp.pipeline if isinstance(pipe, RamieExtractor))
    encoders = (component.extraction.retriever.encoder for component in made)
    return tuple(
        name
        for encoder in encoders
        if isinstance(encoder, SentenceEncoder)
        for name in encoder.models
    )


def _build(config: Path, settings: Config, output: Path) -> None:
    from ..training.base_model import NEEDED, build_base

    for section, keys in NEEDED.items():
        section_of(config, settings, f"ramie.{section}", keys, "base.cfg")
    measured = build_base(settings["ramie"], output)
    msg.good(
        f"Built base model {output} in {measured['train_runtime']:.0f} s, "
        f"training loss {measured['train_loss']:.3f}"
    )


def _download(name: str) -> None:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt"]
    try:
        folder = Path(snapshot_download(name, allow_patterns=patterns))
        if not any(folder.rglob("*.safetensors")):
            # Some encoders are published in this form alone. It is read by torch's
            # loader of weights, which makes tensors and nothing else.
            snapshot_download(name, allow_patterns=[*patterns, "pytorch_model.bin"])
    except Exception as error:
        # No network, no such model, no licence accepted, no valid name.
        problem = first_line(error)
        raise ModelError(Errors.R206.format(base=name, problem=problem)) from error
