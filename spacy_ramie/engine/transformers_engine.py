"""The in-process engine: batched generation and label scoring with transformers."""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import srsly

from .. import default
from ..device import torch_device
from ..errors import ConfigError, Errors, ModelError
from ..files import folder_size
from ..garbage import uncollected
from ..types import Answer, Failure, Request
from .base import Engine
from .batches import cut_batches

if TYPE_CHECKING:
    from .runner import Runner

logger = logging.getLogger(__name__)

# A base in a folder travels with the pipeline up to this size; a larger one is
# referred to.
BUNDLED_BYTES = 512 * 2**20
BASE_PATH = "base.txt"
# Says whether an adapter belongs to a saved pipeline.
SAVED = "engine.json"
ADAPTER_CONFIG = "adapter_config.json"
# Written beside the adapter by `spacy ramie train`.
TRAINED_ON = "ramie.json"

_T = TypeVar("_T")


class TransformersEngine:
    """One base model with one adapter, loaded on first use.

    base (str): Folder or Hugging Face name of the base model, or "ramie-small".
    adapter (str | None): Folder of its adapter; None: the base model alone, which
        "ramie-small" refuses.
    dtype (str | None): "float32", "bfloat16" or "float16"; None: float32 on CPU,
        bfloat16 on a GPU.
    token_budget (int): Tokens of a batch at most, padding and answers included.
    max_new_tokens (int): Tokens of an answer at most.
    """

    def __init__(
        self,
        base: str,
        adapter: str | None,
        dtype: str | None,
        token_budget: int,
        max_new_tokens: int,
    ) -> None:
        self.base = base
        self.adapter = _resolved(adapter)
        self.dtype = dtype
        self.token_budget = token_budget
        self.max_new_tokens = max_new_tokens
        self._runner: Runner | None = None
        self._process: int | None = None

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests, in their order; equal ones are answered once.

        requests (Sequence[Request]): The requests.
        RETURNS (list[Answer]): An answer each; what fails is an answer with an
            error, and fails alone.
        """
        distinct = list(dict.fromkeys(requests))
        if not distinct:
            return []
        runner = self.load()
        answers: dict[Request, Answer] = {}
        encoded = []
        for request in distinct:
            one = runner.encode(request)
            if isinstance(one, Answer):
                answers[request] = one
            else:
                encoded.append(one)
        lengths = [(len(one.prompt) + one.room) * one.rows for one in encoded]
        keys = [(one.request.task, one.request.choices) for one in encoded]
        for batch in cut_batches(lengths, keys, self.token_budget):
            members = [encoded[i] for i in batch]
            found = _in_halves(runner.answer, members)
            answers.update(
                (member.request, answer)
                for member, answer in zip(members, found, strict=True)
            )
        return [answers[request] for request in requests]

    def load(self) -> "Runner":
        """Load base model and adapter now rather than on the first request."""
        # A forked worker cannot use its parent's: the masks are made by threads,
        # and those are not there any more.
        if self._runner is None or self._process != os.getpid():
            self._runner = self._load()
            self._process = os.getpid()
        return self._runner

    @uncollected()
    def _load(self) -> "Runner":
        import torch

        from .loading import load_model
        from .runner import Runner

        if self.base == default.NAME and self.adapter is None:
            raise ModelError(Errors.R201.format(base=self.base))
        device = torch_device()
        name = self.dtype or ("float32" if device.type == "cpu" else "bfloat16")
        loaded = load_model(self.base, self.adapter, device, getattr(torch, name))
        logger.info("Loaded %s (%s) on %s as %s", self.base, self.adapter, device, name)
        return Runner(loaded, self.max_new_tokens)

    def learnt(self) -> dict[str, str]:
        """Give what the adapter was trained to do: task to instruction, where known."""
        file = None if self.adapter is None else Path(self.adapter) / TRAINED_ON
        if file is None or not file.is_file():
            return {}
        tasks: dict[str, str] = srsly.read_json(file).get("instructions", {})
        return tasks

    def set_adapter(self, adapter: str | None) -> None:
        """Use another adapter from now on; it must be there."""
        if adapter is not None and not (Path(adapter) / ADAPTER_CONFIG).is_file():
            problem = f"there is no {ADAPTER_CONFIG} in it"
            raise ModelError(Errors.R203.format(adapter=adapter, problem=problem))
        self.adapter = _resolved(adapter)
        self._runner = None

    def to_disk(self, path: Path) -> None:
        """Copy the adapter, and a base that is small enough to travel.

        What another pipeline left in the folder is replaced.
        """
        adapter, base = _folder(self.adapter), self._own_base()
        if self.adapter is not None and adapter is None:
            # Without it the pipeline would answer as the bare base does.
            problem = "there is no such folder any more"
            raise ModelError(Errors.R203.format(adapter=self.adapter, problem=problem))
        here = base is not None and base.resolve() == (path / "base").resolve()
        (path / BASE_PATH).unlink(missing_ok=True)
        if base is not None and not here and folder_size(base) > BUNDLED_BYTES:
            (path / BASE_PATH).write_text(str(base.resolve()), encoding="utf8")
            base = None
        srsly.write_json(path / SAVED, {"adapter": adapter is not None})
        _replace(path / "adapter", adapter)
        _replace(path / "base", base)

    def _own_base(self) -> Path | None:
        """The folder of the base; that of the package goes along with its adapter."""
        if self.base == default.NAME:
            return default.BASE if self.adapter is not None else None
        return _folder(self.base)

    def from_disk(self, path: Path) -> None:
        """Use the adapter and the base that travelled with the pipeline."""
        if (path / BASE_PATH).is_file():
            self.base = (path / BASE_PATH).read_text(encoding="utf8")
        if (path / "base").is_dir():
            self.base = str(path / "base")
        saved, adapter = path / SAVED, path / "adapter"
        if adapter.is_dir():
            self.adapter = str(adapter)
        elif saved.is_file():
            # Never that of the config, or the one that comes along, in its place.
            self.adapter = None
            if srsly.read_json(saved)["adapter"]:
                problem = "the pipeline was saved with it, and it is gone"
                raise ModelError(Errors.R203.format(adapter=adapter, problem=problem))
        self._runner = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_runner": None}


def _in_halves(
    run: Callable[[list[_T]], list[Answer]], members: list[_T]
) -> list[Answer]:
    """Run a batch; where it fails, its halves, down to the one that fails alone."""
    try:
        return run(members)
    except (RuntimeError, MemoryError, ValueError, IndexError) as error:
        # Out of memory is a RuntimeError of torch's.
        kind, message = type(error).__name__, f"{type(error).__name__}: {error}"
    # Not within the except: the error holds on to the memory of the batch.
    if len(members) == 1:
        logger.error("A request failed: %s", kind)
        return [Answer(error=Failure("engine_error", message))]
    logger.warning("A batch of %d failed and is halved", len(members))
    half = len(members) // 2
    return _in_halves(run, members[:half]) + _in_halves(run, members[half:])


def _folder(path: str | None) -> Path | None:
    return Path(path) if path is not None and Path(path).is_dir() else None


def _resolved(path: str | None) -> str | None:
    """A folder wherever the working directory will be."""
    folder = _folder(path)
    return path if folder is None else str(folder.resolve())


def _replace(target: Path, source: Path | None) -> None:
    """Make a folder the copy of another; None: of nothing."""
    if source is not None and source.resolve() == target.resolve():
        return
    shutil.rmtree(target, ignore_errors=True)
    if source is not None:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("checkpoint-*"))


def make_transformers_engine(
    base: str = default.NAME,
    adapter: str | None = None,
    dtype: str | None = None,
    token_budget: int = 16384,
    max_new_tokens: int = 512,
) -> Engine:
    """Make the in-process engine (`spacy_ramie.TransformersEngine.v1`).

    base (str): Folder or Hugging Face name of the base model; "ramie-small" is the
        one that comes along.
    adapter (str | None): Folder of its adapter; None with "ramie-small", the
        schema of supplements and the compact style: the one that comes along.
    dtype (str | None): "float32", "bfloat16" or "float16"; None: float32 on CPU,
        bfloat16 on a GPU.
    token_budget (int): Tokens of a batch at most.
    max_new_tokens (int): Tokens of an answer at most.
    RETURNS (Engine): The engine; nothing is loaded yet.
    """
    if dtype not in (None, "float32", "bfloat16", "float16"):
        raise ConfigError(
            Errors.R002.format(
                name="engine.dtype",
                expected="float32, bfloat16, float16 or null",
                value=dtype,
            )
        )
    return TransformersEngine(base, adapter, dtype, token_budget, max_new_tokens)
