"""The config file of a training run: a spaCy pipeline and a [ramie] section."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spacy import util
from spacy.language import Language
from spacy.tokens import Doc

from ..component import RamieExtractor
from ..corpus.docbin import read_docs
from ..errors import ConfigError, Errors

# What every training config has.
_NEEDED = {"paths": ("train", "dev", "base", "adapter"), "ramie": ("lora", "training")}


def require(
    path: Path, section: str, settings: Mapping[str, Any], keys: Iterable[str]
) -> None:
    """Refuse a section of a config in which a key is missing.

    path (Path): The config file.
    section (str): Dotted name of the section.
    settings (Mapping): The section.
    keys (Iterable[str]): What it must have.
    """
    for key in keys:
        if key not in settings:
            raise ConfigError(Errors.R012.format(path=path, section=section, key=key))


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

    try:
        return kind(
            output_dir=str(output),
            use_cpu=get_torch_default_device().type == "cpu",
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
    plain = config.interpolate()
    for section in ("paths", "ramie"):
        if section not in plain:
            raise ConfigError(
                Errors.R006.format(
                    path=path, section=section, example="supplements.cfg"
                )
            )
    component = next(
        (pipe for _, pipe in nlp.pipeline if isinstance(pipe, RamieExtractor)), None
    )
    if component is None:
        raise ConfigError(Errors.R007.format(path=path))
    for section, keys in _NEEDED.items():
        require(path, section, plain[section], keys)
    return Setup(nlp, component, plain["paths"], plain["ramie"])
