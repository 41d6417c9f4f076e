"""Labels of a domain: entity types, relations, usage classes and their wording."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thinc.api import Config

from .errors import ConfigError, Errors

SCHEMAS = Path(__file__).parent / "schemas"


@dataclass(frozen=True)
class Schema:
    """The labels of a domain, each with the words that stand for it in prompts.

    name (str): Name of the domain.
    entities (Mapping[str, str]): Entity label to wording.
    relations (Mapping[str, str]): Relation label to wording.
    usage (Mapping[str, str]): Class label to wording.
    heads (Sequence[str]): Entity labels that can be the head of a relation.
    tails (Sequence[str]): Entity labels that can be the tail.
    usage_of (Sequence[str]): Entity labels whose mentions have a class.
    usage_name (str): What the class is called in prompts ("usage", "assertion").
    """

    name: str
    entities: Mapping[str, str]
    relations: Mapping[str, str]
    usage: Mapping[str, str]
    heads: Sequence[str]
    tails: Sequence[str]
    usage_of: Sequence[str]
    usage_name: str = "usage"

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ConfigError(Errors.R001.format(schema=self.name, problem=problem))

    def _problems(self) -> Iterator[str]:
        if not self.entities:
            yield "it has no entity label"
        for kind in ("entities", "relations", "usage"):
            words = list(getattr(self, kind).values())
            if len(set(words)) < len(words):
                yield f"two labels of '{kind}' share a wording"
            for label, word in getattr(self, kind).items():
                if word != word.strip() or not word or set(word) & set("\t\n\r"):
                    yield f"the wording {word!r} of {label} is empty, has a tab, a line break or a blank at its edge"
                if word == "None":
                    yield f"the wording 'None' of {label} means that there is no item"
        for kind in ("heads", "tails", "usage_of"):
            for label in getattr(self, kind):
                if label not in self.entities:
                    yield f"'{label}' of '{kind}' is not among its entities"

    def can_relate(self, head: str, tail: str) -> bool:
        """Say whether a relation may go from an entity label to another."""
        return head in self.heads and tail in self.tails


def make_schema(
    name: str,
    entities: dict[str, str],
    relations: dict[str, str],
    usage: dict[str, str],
    heads: list[str],
    tails: list[str],
    usage_of: list[str],
    usage_name: str = "usage",
) -> Schema:
    """Make a schema from a config block (`spacy_ramie.Schema.v1`)."""
    return Schema(name, entities, relations, usage, heads, tails, usage_of, usage_name)


def read_schema(path: Path) -> Schema:
    """Read a schema from the [schema] section of a config file.

    path (Path): The file.
    RETURNS (Schema): The schema.
    """
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in SCHEMAS.glob("*.cfg")))
        raise ConfigError(Errors.R009.format(path=path, known=known))
    config = Config().from_disk(path)
    if "schema" not in config:
        raise ConfigError(
            Errors.R006.format(path=path, section="schema", example="supplements.cfg")
        )
    block = {k: v for k, v in config["schema"].items() if not k.startswith("@")}
    return make_schema(**block)


def make_supplements() -> Schema:
    """Dietary supplements and events (`spacy_ramie.Supplements.v1`)."""
    return read_schema(SCHEMAS / "supplements.cfg")


def make_supplements_paper() -> Schema:
    """The paper's closed set: 'event' and 15 ingredients (`spacy_ramie.SupplementsPaper.v1`)."""
    return read_schema(SCHEMAS / "supplements_paper.cfg")


def make_phee() -> Schema:
    """Drugs and events of PHEE, assertion in place of usage (`spacy_ramie.PHEE.v1`)."""
    return read_schema(SCHEMAS / "phee.cfg")


def make_ade() -> Schema:
    """Drugs and adverse effects of ADE (`spacy_ramie.ADE.v1`)."""
    return read_schema(SCHEMAS / "ade.cfg")
