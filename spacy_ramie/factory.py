"""The factory of the component: its config and the defaults in it."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.util import registry

from . import default
from .component import RamieExtractor
from .engine.base import Engine
from .engine.transformers_engine import TransformersEngine
from .errors import ConfigError, Errors
from .extraction import Extraction
from .retrieval.retriever import Retriever
from .schema import Schema, make_supplements
from .styles import Style
from .styles.compact import CompactStyle
from .tasks import Task
from .views import attribute_names

DEFAULT_CONFIG: dict[str, Any] = {
    "schema": {"@misc": "spacy_ramie.Supplements.v1"},
    "style": {"@misc": "spacy_ramie.Compact.v1"},
    "tasks": {
        "ner": {"@misc": "spacy_ramie.NER.v1"},
        "re": {"@misc": "spacy_ramie.RE.v1"},
        "te": {"@misc": "spacy_ramie.TE.v1"},
        "uc": {"@misc": "spacy_ramie.UC.v1"},
    },
    "retriever": {
        "@misc": "spacy_ramie.Retriever.v1",
        "encoder": {"@misc": "spacy_ramie.HashingEncoder.v1"},
        "index": {"@misc": "spacy_ramie.ExactIndex.v1"},
    },
    "engine": {"@misc": "spacy_ramie.TransformersEngine.v1"},
    "entities": "predict",
    "overwrite_ents": True,
    "spans_key": "ramie",
    "window": 2048,
    "thresholds": {},
    "attrs": {},
    "scorer": {"@scorers": "spacy_ramie.Scorer.v1"},
}

TASK_MEMBERS = ("name", "wave", "labels", "instruction", "questions", "gold", "read")

SCORE_WEIGHTS = {
    "ents_f": 0.25,
    "ents_p": 0.0,
    "ents_r": 0.0,
    "ents_per_type": None,
    "ramie_re_f": 0.25,
    "ramie_re_p": 0.0,
    "ramie_re_r": 0.0,
    "ramie_te_f": 0.25,
    "ramie_te_p": 0.0,
    "ramie_te_r": 0.0,
    "ramie_uc_f": 0.25,
    "ramie_uc_p": 0.0,
    "ramie_uc_r": 0.0,
}


@Language.factory(
    "ramie_extractor",
    assigns=[
        "doc.ents",
        "doc.spans",
        "doc.cats",
        "doc._.ramie",
        "token.ent_iob",
        "token.ent_type",
    ],
    default_config=DEFAULT_CONFIG,
    default_score_weights=SCORE_WEIGHTS,
)
def make_ramie_extractor(
    nlp: Language,
    name: str,
    schema: Schema,
    style: Style,
    tasks: dict[str, Any],
    retriever: Retriever,
    engine: Engine,
    entities: str,
    overwrite_ents: bool,
    spans_key: str,
    window: int,
    thresholds: dict[str, float],
    attrs: dict[str, str],
    scorer: Callable[[Iterable[Example], str], dict[str, Any]] | None,
) -> RamieExtractor:
    """Make the component. Nothing is loaded before the first note.

    nlp (Language): The pipeline.
    name (str): Name of the component in it.
    schema (Schema): Labels and their wording.
    style (Style): How prompts are worded and answers written.
    tasks (dict): Name to task; null switches one off, and so does a schema without
        labels for it, or with a single one to choose from.
    retriever (Retriever): Finds exemplars.
    engine (Engine): Answers requests.
    entities (str): "predict": what NER finds and, where no entity overlaps, the ends
        of triples; "ner": what NER finds; "doc": those of earlier components.
    overwrite_ents (bool): Replace entities set by earlier components.
    spans_key (str): Key of all entities, overlapping ones too, in `doc.spans`.
    window (int): How many sentences are worked on at a time.
    thresholds (dict[str, float]): Per label the probability below which what was
        found is set aside, in place of the floor fitted by `ramie calibrate`.
    attrs (dict[str, str]): Other names for the extension attributes.
    scorer (Callable | None): Compares predictions with gold documents.
    RETURNS (RamieExtractor): The component.
    """
    if entities not in ("predict", "ner", "doc"):
        expected = "'predict', 'ner' or 'doc'"
        raise ConfigError(
            Errors.R002.format(name="entities", expected=expected, value=entities)
        )
    component = RamieExtractor(
        nlp.vocab,
        name,
        Extraction(_make_tasks(tasks, schema, style), style, retriever, engine),
        schema,
        take_entities=entities == "doc",
        overwrite_ents=overwrite_ents,
        spans_key=spans_key,
        window=window,
        attrs=attribute_names(attrs),
        scorer=scorer,
    )
    _check_thresholds(thresholds, component.labels)
    component.extraction.thresholds = thresholds
    component.extraction.join_ends = entities == "predict"
    if _can_use_default(component):
        component.use_default(nlp)
    return component


def _check_thresholds(thresholds: dict[str, float], labels: Collection[str]) -> None:
    for label, threshold in thresholds.items():
        if label not in labels or not 0 <= threshold <= 1:
            expected = f"labels ({', '.join(labels)}) with probabilities"
            raise ConfigError(
                Errors.R002.format(
                    name="thresholds", expected=expected, value={label: threshold}
                )
            )


def _can_use_default(component: RamieExtractor) -> bool:
    """Say whether the adapter that comes along was trained for all this."""
    extraction = component.extraction
    engine, style = extraction.engine, extraction.style
    if not (
        isinstance(engine, TransformersEngine)
        and engine.base == default.NAME
        and engine.adapter is None
        and isinstance(style, CompactStyle)
        and component.schema == make_supplements()
    ):
        return False
    # An instruction in other words is another question.
    makers = registry.resolve({"tasks": DEFAULT_CONFIG["tasks"]})["tasks"]
    known = _make_tasks(makers, component.schema, style)
    return all(
        task.instruction() == known[name].instruction()
        for name, task in extraction.tasks.items()
        if name in known
    )


def _make_tasks(
    makers: dict[str, Any], schema: Schema, style: Style
) -> dict[str, Task]:
    tasks = {}
    for name, maker in makers.items():
        if maker is None:
            continue
        if not callable(maker):
            problem = f"{maker!r} cannot be called"
            raise ConfigError(Errors.R004.format(task=name, problem=problem))
        task = maker(schema, style)
        lacking = [member for member in TASK_MEMBERS if not hasattr(task, member)]
        if lacking or task.name != name:
            problem = f"it makes {task!r}, which " + (
                f"lacks {', '.join(lacking)}" if lacking else f"is called {task.name!r}"
            )
            raise ConfigError(Errors.R004.format(task=name, problem=problem))
        # What a schema has no labels for cannot be asked, nor what has one answer.
        least = 2 if task.wave == 2 else 1
        if len(task.labels) >= least or name not in DEFAULT_CONFIG["tasks"]:
            tasks[name] = task
    return tasks
