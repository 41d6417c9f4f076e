"""Tasks: what to ask of a sentence and what an answer to it means."""

from .base import Task, TaskMaker
from .classify import Classifier
from .entities import EntityTask, make_ner
from .relations import RelationTask, make_re
from .triples import TripleTask, make_te
from .usage import UsageTask, make_uc

__all__ = [
    "Classifier",
    "EntityTask",
    "RelationTask",
    "Task",
    "TaskMaker",
    "TripleTask",
    "UsageTask",
    "make_ner",
    "make_re",
    "make_te",
    "make_uc",
]
