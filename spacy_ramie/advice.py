"""What a pipeline can do and its maker may not have meant: said once, as warnings."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from spacy.tokens import Doc

from . import default
from .device import multiplies_bfloat16, torch_device
from .engine.transformers_engine import TransformersEngine
from .errors import Warnings

if TYPE_CHECKING:
    from .component import RamieExtractor


def advice(component: "RamieExtractor", docs: Sequence[Doc]) -> Iterator[str]:
    """Look at a component and its first notes.

    component (RamieExtractor): The component.
    docs (Sequence[Doc]): Notes, before they are annotated.
    YIELDS (str): Warnings.
    """
    retriever = component.extraction.retriever
    if retriever.k and not retriever.banks:
        yield Warnings.W001.format(name=component.name)
    engine = component.extraction.engine
    if isinstance(engine, TransformersEngine):
        yield from _of_engine(component, engine)
    known = component.schema.entities
    given = [ent.label_ for doc in docs for ent in doc.ents]
    if component.take_entities and given and not any(label in known for label in given):
        yield Warnings.W004.format(
            schema=component.schema.name,
            labels=", ".join(known),
            name=component.name,
        )


def _of_engine(
    component: "RamieExtractor", engine: TransformersEngine
) -> Iterator[str]:
    learnt = engine.learnt()
    tasks = component.extraction.tasks.values()
    foreign = [t.name for t in tasks if learnt.get(t.name) != t.instruction()]
    if engine.adapter is None and engine.base != default.NAME:
        yield Warnings.W002.format(base=engine.base)
    elif learnt and foreign:
        yield Warnings.W003.format(adapter=engine.adapter, tasks=", ".join(foreign))
    if engine.dtype == "bfloat16" and not multiplies_bfloat16(torch_device()):
        yield Warnings.W005.format(instead="leave [engine] dtype null for float32")
