"""The config file of a training run: a spaCy pipeline and a [ramie] section."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spacy import util
from spacy.language import Language
from spacy.tokens import Doc

from ..component import RamieExtractor
from ..corpus.docbin import read_docs
from ..device import multiplies_bfloat16
from ..errors import ConfigError, Errors, Warnings

logger = logging.getLogger(__name__)

# What every training config has, and the one to start from.
_NEEDED = {"paths": ("train", "dev", "base", "adapter"), "ramie": ("lora", "training")}
EXAMPLE = "supplements.cfg"


def section_of(
    path: Path, config: Mapping[str, Any], name: str, keys: Iterable[str], example: str
) -> dict[str, Any]:
    """Give a section of a config, or refuse one that lacks it or a key of it.

    path (Path): The config file.
    config (Mapping): What it holds, interpolated.
    name (str): Dotted name of the section.
    keys (Iterable[str]): What it must have.
    example (str): A config that has it, in `configs`.
    RETURNS (dict): The section.
    """
    section: Any = config
    for part in name.split("."):
        if part not in section:
            raise ConfigError(
                Errors.R006.format(path=path, section=name, example=example)
            )
        section = section[part]
    for key in keys:
        if key not in section:
            raise ConfigError(
                Errors.R012.format(path=path, section=name, key=key, example=example)
            )
    return dict(section)


def fill_arguments(
    kind: Callable[..., Any],
    section: str,
    output: Path,
    settings: Mapping[str, Any],
    **fixed: Any,
) -> Any:
    """Make the arguments of a trainer, on the device that spaCy was told to use.

    kind (Callable): Their class.
    section (str): Where the settings come from, for the error.
    output (Path): Where checkpoints go.
    settings (Mapping): Its fields.
    fixed (Any): Fields that settings may not have.
    RETURNS (Any): The arguments; nothing is reported to a server.
    """
    from thinc.util import get_torch_default_device

    device = get_torch_default_device()
    if settings.get("bf16") and not multiplies_bfloat16(device):
        instead = "training goes on in float32"
        logger.warning(Warnings.W005.format(instead=instead))
        settings = {**settings, "bf16": False}
    try:
        return kind(
            output_dir=str(output),
            use_cpu=device.type == "cpu",
            report_to=[],
            **fixed,
            **settings,
        )
    except (TypeError, ValueError) as error:
        owner = f"{kind.__module__.split('.')[0]}.{kind.__name__}"
        raise ConfigError(
            Errors.R013.format(section=section, owner=owner, problem=error)
        ) from error


class Setup(NamedTuple):
    """A pipeline that is to be trained.

    nlp (Language): The pipeline, with nothing loaded into it.
    component (RamieExtractor): Its component.
    paths (dict): The [paths] section: train, dev, base, adapter.
    settings (dict): The [ramie] section.
    """

    nlp: Language
    component: RamieExtractor
    paths: dict[str, str]
    settings: dict[str, Any]

    def docs(self, split: str) -> list[Doc]:
        """Read a split of the corpus and segment it as the pipeline segments notes."""
        path = Path(self.paths[split])
        docs = read_docs(path, self.nlp, self.component.schema)
        return self.component.prepare(docs, self.nlp)


def load_setup(path: Path, overrides: dict[str, Any]) -> Setup:
    """Read a training config.

    path (Path): The file.
    overrides (dict): Dotted names to values, as on spaCy's command line.
    RETURNS (Setup): The pipeline and the settings.
    """
    config = util.load_config(path, overrides=overrides, interpolate=False)
    nlp = util.load_model_from_config(config, auto_fill=True)
    component = next(
        (pipe for _, pipe in nlp.pipeline if isinstance(pipe, RamieExtractor)), None
    )
    if component is None:
        raise ConfigError(Errors.R007.format(path=path))
    plain = config.interpolate()
    sections = {
        name: section_of(path, plain, name, keys, EXAMPLE)
        for name, keys in _NEEDED.items()
    }
    return Setup(nlp, component, sections["paths"], sections["ramie"])
