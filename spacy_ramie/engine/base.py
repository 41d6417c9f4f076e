"""What an engine is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..types import Answer, Request


@runtime_checkable
class Engine(Protocol):
    """Answers requests. It knows nothing of tasks or documents."""

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests, in their order, one answer each, whatever happens."""

    def load(self) -> object:
        """Load what it needs now rather than on the first request."""

    def set_adapter(self, adapter: str | None) -> None:
        """Use another adapter from now on."""

    def to_disk(self, path: Path) -> None:
        """Write what is needed to run elsewhere."""

    def from_disk(self, path: Path) -> None:
        """Find it again. Loads no weights."""
