"""The pipeline component: `nlp.add_pipe("ramie_extractor")`."""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import srsly
from spacy import util
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from . import default
from .advice import advice
from .annotate import set_annotations
from .corpus.docbin import read_docs, record_of
from .corpus.items import make_items
from .corpus.records import gold_annotations
from .errors import RamieError
from .extraction import Extraction, NoteFindings
from .files import restore_folder
from .linking import ingredient_of, learn_ingredients
from .record import failed_record, make_record
from .schema import Schema
from .scoring.given import score_given
from .storage import bytes_readers, bytes_writers, disk_readers, disk_writers
from .types import Entity
from .views import register_views

logger = logging.getLogger(__name__)

Scorer = Callable[[Iterable[Example], str], dict[str, Any]]


class RamieExtractor(Pipe):
    """Extracts entities, relations, triples and usage from notes.

    vocab (Vocab): The pipeline's vocabulary.
    name (str): Name in the pipeline.
    extraction (Extraction): Tasks, style, retriever and engine.
    schema (Schema): The labels.
    take_entities (bool): Ask about `doc.ents` instead of predicting entities.
    overwrite_ents (bool): Replace entities set by earlier components.
    spans_key (str): Key of all entities in `doc.spans`.
    window (int): How many sentences are worked on at a time.
    attrs (Mapping[str, str]): Names of the extension attributes.
    scorer (Callable | None): Compares predictions with gold documents.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str,
        extraction: Extraction,
        schema: Schema,
        *,
        take_entities: bool,
        overwrite_ents: bool,
        spans_key: str,
        window: int,
        attrs: Mapping[str, str],
        scorer: Scorer | None,
    ) -> None:
        self.vocab = vocab
        self.name = name
        self.extraction = extraction
        self.schema = schema
        self.take_entities = take_entities
        self.overwrite_ents = overwrite_ents
        self.spans_key = spans_key
        self.window = window
        self.attrs = attrs
        self.scorer = scorer
        self.ingredients: dict[str, str] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._advised = False
        register_views(attrs)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all tasks."""
        tasks = self.extraction.tasks.values()
        return tuple(dict.fromkeys(label for task in tasks for label in task.labels))

    @property
    def label_data(self) -> dict[str, list[str]]:
        """The labels by task."""
        return {n: list(task.labels) for n, task in self.extraction.tasks.items()}

    def __call__(self, doc: Doc) -> Doc:
        """Annotate one note.

        doc (Doc): The note.
        RETURNS (Doc): The same note.
        """
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 1000) -> Iterator[Doc]:
        """Annotate a stream of notes, many at a time.

        stream (Iterable[Doc]): The notes.
        batch_size (int): How many notes are worked on at a time at most; the
            window of sentences ends a batch before that.
        YIELDS (Doc): The same notes in their order, every one of them.
        """
        for docs in self._batches(iter(stream), batch_size):
            self._annotate(docs)
            yield from docs

    def _batches(self, stream: Iterator[Doc], size: int) -> Iterator[list[Doc]]:
        batch: list[Doc] = []
        tokens = 0
        for doc in stream:
            batch.append(doc)
            # A sentence of a note has some twenty tokens; segmenting twice to know
            # better would cost more than it gives.
            tokens += len(doc)
            if len(batch) >= size or tokens >= 20 * self.window:
                yield batch
                batch, tokens = [], 0
        if batch:
            yield batch

    def ask(self, docs: Sequence[Doc]) -> list[NoteFindings]:
        """Ask about notes without annotating them.

        docs (Sequence[Doc]): Notes, after the components before this one.
        RETURNS (list[NoteFindings]): What came of it, for each note.
        """
        if not self._advised:
            self._advised = True
            for text in advice(self, docs):
                warnings.warn(text, stacklevel=2)
        given = [self._given(doc) for doc in docs] if self.take_entities else None
        return self.extraction.run(docs, given)

    def _annotate(self, docs: Sequence[Doc]) -> None:
        try:
            records = [make_record(note, self._link) for note in self.ask(docs)]
        except RamieError:
            # Config and models: every note would fail alike.
            raise
        except Exception as error:
            # Nothing in a note may end the stream: find the note, record it, go on.
            if len(docs) == 1:
                self._fail(docs[0], error)
            else:
                for doc in docs:
                    self._annotate([doc])
            return
        for doc, record in zip(docs, records, strict=True):
            # Where nothing asks for entities, none says nothing.
            found = "ner" in self.extraction.tasks or bool(record["entities"])
            mirrored = found and not self.take_entities
            self._set(doc, record, ents=self.overwrite_ents if mirrored else None)

    def _fail(self, doc: Doc, error: Exception) -> None:
        kind = type(error).__name__
        logger.error("A note of %d characters failed: %s", len(doc.text), kind)
        # A message can be made of the note.
        logger.debug("This is why", exc_info=error)
        given = self._given(doc) if self.take_entities else ()
        record = failed_record(error, len(doc.text), given, self._link)
        # What earlier components found is not replaced by nothing.
        self._set(doc, record, ents=None)

    def _link(self, entity: Entity) -> str | None:
        return ingredient_of(entity, self.ingredients)

    def _set(self, doc: Doc, record: dict[str, Any], *, ents: bool | None) -> None:
        set_annotations(
            doc,
            record,
            attr=self.attrs["record"],
            spans_key=self.spans_key,
            classes=tuple(self.schema.usage) if self._asks_usage else (),
            ents=ents,
        )

    @property
    def _asks_usage(self) -> bool:
        return "uc" in self.extraction.tasks

    def _given(self, doc: Doc) -> list[Entity]:
        return [
            Entity(e.start_char, e.end_char, e.label_, e.text, e.kb_id_ or None)
            for e in doc.ents
            if e.label_ in self.schema.entities
        ]

    def use_default(self, nlp: Language) -> None:
        """Use the adapter and the exemplars that come along with the package.

        The exemplars are read when they are first needed.

        nlp (Language): The pipeline.
        """
        self.extraction.engine.set_adapter(str(default.ADAPTER))
        retriever = self.extraction.retriever
        retriever.later(partial(default.fill, retriever, nlp))
        self.ingredients = srsly.read_json(default.INGREDIENTS)
        self.extraction.temperatures = srsly.read_json(default.TEMPERATURES)
        self.extraction.floors = srsly.read_json(default.FLOORS)

    def load(self) -> None:
        """Load the model now rather than on the first note."""
        self.extraction.engine.load()

    def initialize(  # type: ignore[override] # spaCy always gives nlp
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language,
        exemplars: str | None = None,
        adapter: str | None = None,
    ) -> None:
        """Take in what training left: the exemplar bank and the adapter.

        get_examples (Callable): Gives gold examples; they are the exemplars where
            no file is named.
        nlp (Language): The pipeline.
        exemplars (str | None): A corpus, .jsonl or .spacy.
        adapter (str | None): Folder of the adapter.
        """
        if exemplars is not None:
            docs = read_docs(Path(exemplars), nlp, self.schema)
        else:
            # Copies: components before this one annotate them.
            docs = [example.reference.copy() for example in get_examples()]
        docs = [doc for doc in docs if record_of(doc) is not None]
        # nlp.initialize() for the sake of another component gives no examples.
        if docs:
            self.fit_exemplars(docs, nlp)
        if adapter is not None:
            self.extraction.engine.set_adapter(adapter)
            # Those of the adapter that comes along say nothing about this one.
            self.extraction.temperatures, self.extraction.floors = {}, {}

    def fit_exemplars(self, docs: Sequence[Doc], nlp: Language) -> None:
        """Build the exemplar bank from gold documents.

        docs (Sequence[Doc]): Documents with their corpus record.
        nlp (Language): The pipeline; its components before this one segment the
            documents as they will segment notes.
        """
        items = make_items(self.prepare(docs, nlp), [*self.extraction.tasks.values()])
        self.extraction.retriever.fit((item.exemplar for item in items), nlp)
        gold = [gold_annotations(record) for doc in docs if (record := record_of(doc))]
        mentions = (entity for known in gold for entity in known.entities)
        self.ingredients = learn_ingredients(mentions)

    def prepare(self, docs: Iterable[Doc], nlp: Language) -> list[Doc]:
        """Run the components before this one on documents.

        docs (Iterable[Doc]): The documents.
        nlp (Language): The pipeline.
        RETURNS (list[Doc]): The same documents.
        """
        for _, component in islice(nlp.pipeline, nlp.pipe_names.index(self.name)):
            pipe = getattr(component, "pipe", partial(map, component))
            docs = pipe(docs)
        return list(docs)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score predictions, and answers about the gold entities.

        examples (Iterable[Example]): Predicted and gold documents.
        RETURNS (dict): The scores.
        """
        examples = list(examples)
        if self.scorer is None or not examples:
            return {}
        scores = self.scorer(examples, self.attrs["record"])
        return {**scores, **score_given(examples, self.extraction)}

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Save exemplars, adapter and, where it is small, the base model.

        path (Path | str): A folder.
        exclude (Iterable[str]): "retriever" or "engine".
        """
        util.to_disk(util.ensure_path(path), disk_writers(self), exclude)

    def from_disk(
        self, path: Path | str, *, exclude: Iterable[str] = ()
    ) -> "RamieExtractor":
        """Load what `to_disk` saved. Model weights are loaded on the first note.

        path (Path | str): The folder.
        exclude (Iterable[str]): "retriever" or "engine".
        RETURNS (RamieExtractor): This component.
        """
        util.from_disk(util.ensure_path(path), disk_readers(self), exclude)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialise what `to_disk` saves; an adapter can be hundreds of megabytes.

        exclude (Iterable[str]): "retriever" or "engine".
        RETURNS (bytes): The data.
        """
        data: bytes = util.to_bytes(bytes_writers(self), exclude)
        return data

    def from_bytes(
        self, data: bytes, *, exclude: Iterable[str] = ()
    ) -> "RamieExtractor":
        """Load what `to_bytes` gave.

        data (bytes): The data.
        exclude (Iterable[str]): "retriever" or "engine".
        RETURNS (RamieExtractor): This component.
        """
        util.from_bytes(data, bytes_readers(self), exclude)
        return self

    def restore_engine(self, files: dict[str, bytes]) -> None:
        """Take in the files of an engine.

        files (dict[str, bytes]): What `folder_bytes` gave.
        """
        # Engines load from files, so they get some; they go with the component.
        self._folder = TemporaryDirectory(prefix="spacy_ramie_")
        restore_folder(files, Path(self._folder.name))
        self.extraction.engine.from_disk(Path(self._folder.name))

    def __getstate__(self) -> dict[str, Any]:
        # For worker processes: they read the parent's files.
        return {**self.__dict__, "_folder": None}
