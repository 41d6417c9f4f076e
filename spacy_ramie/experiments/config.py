"""The config file of an experiment: what its arms have in common, and what not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spacy.util import load_config

from ..errors import ConfigError, Errors
from ..training.config import section_of

NEEDED = ("config", "test", "work", "seeds", "steps", "against", "overrides", "arms")
EXEMPLARS = ("retrieved", "random", "none")
BANKS = ("train", "full")


class Arm(NamedTuple):
    """One row of a table.

    name (str): Its name.
    groups (tuple): The tasks of each adapter; each is trained and asked by itself.
        Empty: one adapter for all tasks.
    exemplars (str): "retrieved", "random" or "none", in training and afterwards.
    share (float): How much of the training records is used.
    few (int | None): How many of them are used, in place of a share.
    bank (str): Where exemplars come from: "train", the records used, or "full".
    train (str): Another training config, whose labels and records it learns; it is
        measured on those of the experiment all the same. Its records are no exemplars.
    start (str): An arm above it whose adapter it goes on from.
    steps (int | None): Training steps for each task, in place of the experiment's; 0:
        the adapter stays as it starts.
    overrides (Mapping[str, Any]): Further settings, as on the command line.
    """

    name: str
    groups: tuple[tuple[str, ...], ...] = ()
    exemplars: str = "retrieved"
    share: float = 1.0
    few: int | None = None
    bank: str = "train"
    train: str = ""
    start: str = ""
    steps: int | None = None
    overrides: Mapping[str, Any] = {}


class Experiment(NamedTuple):
    """What is compared.

    config (Path): The training config that every arm starts from.
    test (Path): The corpus to measure on.
    seen (list[Path]): Corpora (.spacy) that the base has read: test records that are
        nearly one of theirs are not measured.
    work (Path): Folder of adapters and of the counts of each trial.
    seeds (list[int]): Each arm is trained with each.
    steps (int): Training steps for each task of an adapter.
    against (str): Name of the arm that the others are tested against.
    overrides (dict): Settings of all arms.
    arms (list[Arm]): The rows.
    """

    config: Path
    test: Path
    seen: list[Path]
    work: Path
    seeds: list[int]
    steps: int
    against: str
    overrides: dict[str, Any]
    arms: list[Arm]

    def arm(self, name: str) -> Arm:
        """Give the arm of a name."""
        return next(arm for arm in self.arms if arm.name == name)


def load_experiment(path: Path, overrides: dict[str, Any]) -> Experiment:
    """Read an experiment.

    path (Path): The file, with a section [experiment].
    overrides (dict): Dotted names to values, as on spaCy's command line.
    RETURNS (Experiment): What is compared.
    """
    config = load_config(path, overrides=overrides, interpolate=True)
    plain = section_of(path, config, "experiment", NEEDED, "experiments/ablation.cfg")
    arms = [_arm(path, name, block) for name, block in plain["arms"].items()]
    _check_starts(path, arms)
    if plain["against"] not in {arm.name for arm in arms}:
        _refuse(path, "against", "the name of an arm", plain["against"])
    return Experiment(
        Path(plain["config"]),
        Path(plain["test"]),
        [Path(seen) for seen in plain.get("seen", ())],
        Path(plain["work"]),
        plain["seeds"],
        plain["steps"],
        plain["against"],
        plain["overrides"],
        arms,
    )


def _arm(path: Path, name: str, block: dict[str, Any]) -> Arm:
    unknown = set(block) - set(Arm._fields)
    if unknown:
        _refuse(path, f"arms.{name}", f"keys of {Arm._fields[1:]}", sorted(unknown))
    groups = tuple(tuple(group) for group in block.get("groups", ()))
    arm = Arm(name, **{**block, "groups": groups})
    for key, known in (("exemplars", EXEMPLARS), ("bank", BANKS)):
        if getattr(arm, key) not in known:
            _refuse(path, f"arms.{name}.{key}", f"one of {known}", getattr(arm, key))
    if not 0 < arm.share <= 1:
        _refuse(path, f"arms.{name}.share", "above 0 and at most 1", arm.share)
    if arm.few is not None and arm.few < 1:
        _refuse(path, f"arms.{name}.few", "1 or more", arm.few)
    return arm


def _check_starts(path: Path, arms: Sequence[Arm]) -> None:
    above: dict[str, Arm] = {}
    for arm in arms:
        if arm.start and (
            arm.start not in above or above[arm.start].groups != arm.groups
        ):
            expected = "the name of an arm above it with the same groups"
            _refuse(path, f"arms.{arm.name}.start", expected, arm.start)
        above[arm.name] = arm


def _refuse(path: Path, key: str, expected: str, value: Any) -> None:
    raise ConfigError(
        Errors.R015.format(path=path, key=key, expected=expected, value=value)
    )
