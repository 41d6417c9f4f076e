"""What the commands share: errors without a traceback, and schemas by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wasabi import msg

from ..errors import RamieError
from ..schema import SCHEMAS, Schema, read_schema

SCHEMA_HELP = (
    f"One of {', '.join(sorted(p.stem for p in SCHEMAS.glob('*.cfg')))}, "
    "or a config file with a [schema] section"
)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Print what a user can mend as one message and leave with status 1."""
    try:
        yield
    except RamieError as error:
        msg.fail(str(error), exits=1)


def schema_by_name(name: str) -> Schema:
    """Find a schema by the name of one that comes with the package, or by file.

    name (str): The name, or a path.
    RETURNS (Schema): The schema.
    """
    packaged = SCHEMAS / f"{name}.cfg"
    return read_schema(packaged if packaged.is_file() else Path(name))
