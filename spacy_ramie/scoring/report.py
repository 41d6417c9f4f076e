"""The HTML report: one page that needs no network."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from spacy.language import Language
from spacy.tokens import Doc

from ..about import __version__
from ..component import RamieExtractor
from ..corpus.alike import Alike
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..plots.calibration import reliability_diagrams
from ..plots.retrieval import retrieval_curves
from .browser import Entry, browse
from .mistakes import KINDS
from .room import choose
from .studies import study_of
from .table import side_by_side, variant_rows

# Name, prefix of the keys, key with gold entities given.
METRIC_ROWS = (
    ("Entities (NER)", "ents", ""),
    ("Relations (RE)", "ramie_re", "ramie_re_gold_acc"),
    ("Triples (TE)", "ramie_te", ""),
    ("Triples, RE and TE together", "ramie_triples", ""),
    ("Usage (UC)", "ramie_uc", "ramie_uc_gold_acc"),
)
# Name, prefix of the keys.
TRUSTED = (
    ("Entities", "ents"),
    ("Relations, gold entities", "ramie_re_gold"),
    ("Triples", "ramie_te"),
    ("Usage, gold entities", "ramie_uc_gold"),
)
# How many bytes of mistakes are shown.
ROOM = 2_300_000

_environment = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Measured(NamedTuple):
    """What was measured beforehand: the contents of JSON files.

    scores (Mapping): Of `spacy evaluate`.
    systems (Mapping): Of `ramie compare`; empty: there is no comparison.
    variants (Mapping): Scores of `ramie variants`, by name; empty: likewise.
    cases (Mapping): Where exemplars helped and harmed; empty: likewise.
    experiments (Mapping): Of `ramie experiment`, by file.
    neighbours (Mapping): Of `ramie neighbours`; empty: likewise.
    """

    scores: Mapping[str, Any]
    systems: Mapping[str, Mapping[str, Any]]
    variants: Mapping[str, Mapping[str, Any]]
    cases: Mapping[str, Any]
    experiments: Mapping[str, Mapping[str, Any]]
    neighbours: Mapping[str, Any]


def render_report(
    measured: Measured,
    docs: Sequence[Doc],
    nlp: Language,
    component: RamieExtractor,
    recall: Mapping[str, float],
    leaks: Sequence[Alike],
    commands: Mapping[str, str],
) -> str:
    """Render figures, tables and every mistake.

    measured (Measured): What was measured beforehand.
    docs (Sequence[Doc]): The gold documents.
    nlp (Language): The pipeline.
    component (RamieExtractor): Its component.
    recall (Mapping): Recall@1 of the index by task.
    leaks (Sequence[Alike]): Records that are nearly exemplars.
    commands (Mapping): What each part of the page was made by.
    RETURNS (str): The page.
    """
    scores, systems, variants, cases, experiments, neighbours = measured
    diagrams = {
        name: scores[f"{key}_bins"]
        for name, key in TRUSTED
        if scores.get(f"{key}_bins")
    }
    # Drawn before the model is asked: an error comes soon.
    figures = {
        "calibration": diagrams
        and Markup(reliability_diagrams("calibration", diagrams)),
        "retrieval": {
            name: Markup(retrieval_curves(f"retrieval-{number}", tasks))
            for number, (name, tasks) in enumerate(neighbours.items())
        },
    }
    studies = [
        study_of(f"experiment-{number}", path, report)
        for number, (path, report) in enumerate(experiments.items(), start=1)
    ]
    page: str = _environment.get_template("report.jinja").render(
        version=__version__,
        rows=METRIC_ROWS,
        trusted=TRUSTED,
        scores=scores,
        counts={
            key.removeprefix("ramie_"): value
            for key, value in scores.items()
            if key.startswith("ramie_") and isinstance(value, int)
        },
        recall=recall,
        systems=list(systems),
        compared=list(side_by_side(systems)) if systems else [],
        leaks=leaks,
        variants=list(variants),
        varied=list(variant_rows(variants)) if variants else [],
        cases=cases,
        exemplars=_named_exemplars(component, cases),
        figures=figures,
        studies=studies,
        browser=_browser(_mistakes(docs, nlp, component)),
        records=len(docs),
        commands=commands,
    )
    return page


def _mistakes(
    docs: Sequence[Doc], nlp: Language, component: RamieExtractor
) -> list[Entry]:
    records = [record_of(doc) or {"id": "", "text": doc.text} for doc in docs]
    notes = component.ask(component.prepare((nlp.make_doc(d.text) for d in docs), nlp))
    gold = [gold_annotations(record) for record in records]
    return list(browse(component.extraction, records, gold, notes))


def _browser(entries: Sequence[Entry]) -> dict[str, Any]:
    """The mistakes that there is room for, how many there are, and their labels."""
    labels = sorted({label for entry in entries for label in entry.labels})
    template = _environment.get_template("mistake.jinja")
    written = [template.render(entry=entry, labels=labels) for entry in entries]
    sizes = [len(text.encode()) for text in written]
    shown = choose([(entry.task, entry.kind) for entry in entries], sizes, ROOM)
    return {
        "tasks": list(dict.fromkeys(entry.task for entry in entries)),
        "kinds": KINDS,
        "labels": labels,
        "counts": _counts(entries),
        "hidden": _counts([entries[i] for i in set(range(len(entries))) - {*shown}]),
        "entries": [Markup(written[i]) for i in shown],
    }


def _counts(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """How many mistakes of each task are of each kind, and how many are copies."""
    counts: dict[str, dict[str, int]] = {}
    for entry in entries:
        of_task = counts.setdefault(entry.task, dict.fromkeys((*KINDS, "copied"), 0))
        of_task[entry.kind] += 1
        of_task["copied"] += entry.copied
    return counts


def _named_exemplars(
    component: RamieExtractor, cases: Mapping[str, Any]
) -> dict[str, Any]:
    """The exemplars that cases name, by id."""
    named = {
        exemplar["id"]
        for tasks in cases.values()
        for task in tasks.values()
        for case in task["cases"]
        for exemplar in case["exemplars"]
    }
    banks = component.extraction.retriever.banks.values()
    return {e.id: e for bank in banks for e in bank.exemplars if e.id in named}
