"""The exemplar banks of all tasks and how they are searched."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy
import srsly
from spacy.language import Language
from spacy.tokens import Span

from ..errors import ConfigError, Errors, RetrievalError
from ..types import Exemplar, Hit
from .bank import Bank
from .encoders import Encoder, Vectors
from .exemplars import EXEMPLARS, read_exemplars, write_exemplars
from .index import IndexMaker
from .sidecar import read_sidecar


class Retriever:
    """One bank per task, one embedding per distinct sentence.

    encoder (Encoder): Makes the vectors.
    make_index (IndexMaker): Makes an empty index.
    k (int): How many exemplars a question is shown.
    key (str): What of an exemplar is embedded: "sentence_and_answer" as in the
        paper, or "sentence".
    """

    def __init__(
        self, encoder: Encoder, make_index: IndexMaker, k: int, key: str
    ) -> None:
        self.encoder = encoder
        self.make_index = make_index
        self.k = k
        self.key = key
        self._banks: dict[str, Bank] = {}
        self._later: Callable[[], None] | None = None

    @property
    def banks(self) -> dict[str, Bank]:
        """The bank of each task."""
        if self._later is not None:
            self._later()
        return self._banks

    @banks.setter
    def banks(self, banks: dict[str, Bank]) -> None:
        self._banks, self._later = banks, None

    def fit(self, exemplars: Iterable[Exemplar], nlp: Language) -> None:
        """Build the banks.

        exemplars (Iterable[Exemplar]): Exemplars of all tasks.
        nlp (Language): The pipeline, for encoders that are part of it.
        """
        by_task = _by_task(exemplars)
        keys = {
            task: [self.key_of(exemplar) for exemplar in members]
            for task, members in by_task.items()
        }
        distinct = list(dict.fromkeys(chain.from_iterable(keys.values())))
        rows = {text: row for row, text in enumerate(distinct)}
        banks = {}
        if distinct:
            vectors = self.encoder.documents(distinct, nlp)
            for task, members in by_task.items():
                index = self.make_index()
                index.build(vectors[[rows[text] for text in keys[task]]])
                banks[task] = Bank(members, index)
        self.banks = banks

    def later(self, fill: Callable[[], None]) -> None:
        """Build the banks when they are first needed.

        fill (Callable): Calls `fit` or `from_disk`.
        """
        self._later = fill

    def embed(self, sentences: Sequence[Span]) -> dict[str, Vectors]:
        """Embed sentences, each distinct one once.

        sentences (Sequence[Span]): Sentences of notes.
        RETURNS (dict): A vector for each distinct text.
        """
        distinct = {sentence.text: sentence for sentence in sentences}
        if not distinct or not self.k or not self.banks:
            return {}
        vectors = self.encoder.queries(list(distinct.values()))
        return dict(zip(distinct, vectors, strict=True))

    def search(
        self,
        task: str,
        vectors: Sequence[Vectors],
        *,
        but: Sequence[Exemplar] | None = None,
    ) -> list[list[Hit]]:
        """Find the exemplars of a task for sentences; none where it has no bank.

        task (str): Name of the task.
        vectors (Sequence[Vectors]): The embedded sentences.
        but (Sequence[Exemplar] | None): While training, the items themselves.
        RETURNS (list): For each sentence the best, the most similar first.
        """
        bank = self.banks.get(task) if self.k and vectors else None
        if bank is None:
            return [[] for _ in vectors]
        return bank.search(numpy.stack(vectors), self.k, but=but)

    def key_of(self, exemplar: Exemplar) -> str:
        """Give the text by which an exemplar is found."""
        if self.key == "sentence":
            return exemplar.sentence
        return with_answer(exemplar.sentence, exemplar.answer)

    def to_disk(self, path: Path) -> None:
        """Write the banks: the exemplars, and an index and a sidecar per task."""
        path.mkdir(parents=True, exist_ok=True)
        write_exemplars(path, {t: bank.exemplars for t, bank in self.banks.items()})
        for task, bank in self.banks.items():
            bank.index.to_disk(path / task, self.encoder.identity)

    def from_disk(self, path: Path) -> None:
        """Read the banks back; they must be this encoder's."""
        banks = {}
        for task, members in read_exemplars(path).items():
            self._check(path / f"{task}.json", len(members))
            index = self.make_index()
            index.from_disk(path / task)
            banks[task] = Bank(members, index)
        self.banks = banks

    def _check(self, sidecar: Path, count: int) -> None:
        if not sidecar.is_file():
            return  # The index says so.
        meta = read_sidecar(sidecar)
        self._check_encoder(meta.get("encoder"))
        if meta["count"] != count:
            problem = f"{EXEMPLARS} has {count} exemplars of this task"
            raise RetrievalError(Errors.R301.format(path=sidecar, problem=problem))

    def _check_encoder(self, stored: str | None) -> None:
        found = self.encoder.identity
        if stored != found:
            raise RetrievalError(Errors.R302.format(stored=stored, found=found))

    def to_bytes(self) -> bytes:
        """Serialise the banks: exemplars and vectors; indices are built again."""
        banks = [
            {
                "encoder": self.encoder.identity,
                "exemplars": [asdict(e) for e in bank.exemplars],
                "vectors": bank.index.vectors(),
            }
            for bank in self.banks.values()
        ]
        packed: bytes = srsly.msgpack_dumps(banks)
        return packed

    def from_bytes(self, data: bytes) -> None:
        """Build the banks from what `to_bytes` gave."""
        self.banks = {}
        for bank in srsly.msgpack_loads(data):
            self._check_encoder(bank["encoder"])
            exemplars = [Exemplar(**data) for data in bank["exemplars"]]
            index = self.make_index()
            index.build(bank["vectors"].copy())
            self.banks[exemplars[0].task] = Bank(exemplars, index)

    def __getstate__(self) -> dict[str, Any]:
        # Neither an Annoy index nor an encoder's model can be pickled as it is.
        data = self.to_bytes()
        return {**self.__dict__, "_banks": {}, "_later": None, "bytes": data}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("bytes")
        self.__dict__.update(state)
        self.from_bytes(data)


def with_answer(sentence: str, answer: str) -> str:
    """Join a sentence and its answer, as the paper does for exemplars.

    sentence (str): The sentence.
    answer (str): Its answer.
    RETURNS (str): A key; as a query it would give the answer away.
    """
    return f"{sentence}\nResponse:{answer}"


def _by_task(exemplars: Iterable[Exemplar]) -> dict[str, list[Exemplar]]:
    by_task: dict[str, list[Exemplar]] = defaultdict(list)
    for exemplar in exemplars:
        by_task[exemplar.task].append(exemplar)
    return by_task


def make_retriever(
    encoder: Encoder,
    index: IndexMaker,
    k: int = 1,
    key: str = "sentence_and_answer",
) -> Retriever:
    """Make a retriever (`spacy_ramie.Retriever.v1`).

    encoder (Encoder): Makes the vectors.
    index (IndexMaker): Makes an empty index.
    k (int): How many exemplars a question is shown; 0 turns retrieval off.
    key (str): "sentence_and_answer" or "sentence".
    RETURNS (Retriever): The retriever.
    """
    if key not in ("sentence_and_answer", "sentence"):
        raise ConfigError(
            Errors.R002.format(
                name="retriever.key",
                expected="'sentence_and_answer' or 'sentence'",
                value=key,
            )
        )
    if k < 0:
        raise ConfigError(
            Errors.R002.format(name="retriever.k", expected="0 or more", value=k)
        )
    return Retriever(encoder, index, k, key)
