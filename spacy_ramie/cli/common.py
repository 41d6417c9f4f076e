"""What the commands share: errors without a traceback, and schemas by name."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import spacy
import typer
from catalogue import RegistryError
from spacy.cli._util import import_code, show_validation_error
from spacy.language import Language
from wasabi import msg

from ..component import RamieExtractor
from ..errors import ConfigError, Errors, ModelError, RamieError, first_line
from ..schema import SCHEMAS, Schema, read_schema

SCHEMA_HELP = (
    f"One of {', '.join(sorted(p.stem for p in SCHEMAS.glob('*.cfg')))}, "
    "or a config file with a [schema] section"
)

GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="-1 for CPU")]
Code = Annotated[
    Path | None, typer.Option(help="Python file with registered functions", exists=True)
]


@contextmanager
def clear_errors() -> Iterator[None]:
    """Print what a user can mend as one message and leave with status 1."""
    try:
        with show_validation_error(hint_fill=False):
            yield
    except (RamieError, RegistryError, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError | UnicodeDecodeError):
            error = ConfigError(Errors.R403.format(problem=first_line(error)))
        # The printer would run the lines of a list together.
        title, *listed = str(error).split("\n")
        msg.fail(title)
        for line in listed:
            print(line)
        sys.exit(1)


def schema_by_name(name: str) -> Schema:
    """Find a schema by the name of one that comes with the package, or by file.

    name (str): The name, or a path.
    RETURNS (Schema): The schema.
    """
    packaged = SCHEMAS / f"{name}.cfg"
    return read_schema(packaged if packaged.is_file() else Path(name))


def percent(share: float | None) -> str:
    """Write a share of one for a table; nothing where there is none."""
    return "" if share is None else f"{100 * share:.1f}"


def load_pipeline(
    model: str, code: Path | None = None
) -> tuple[Language, RamieExtractor]:
    """Load a pipeline and find the component in it.

    model (str): A folder or a package.
    code (Path | None): Python file with what it needs registered.
    RETURNS (tuple): Both.
    """
    import_code(code)
    try:
        nlp = spacy.load(model)
    except OSError as error:
        raise ModelError(Errors.R010.format(model=model, problem=error)) from error
    for _, component in nlp.pipeline:
        if isinstance(component, RamieExtractor):
            return nlp, component
    raise ConfigError(Errors.R011.format(model=model))
