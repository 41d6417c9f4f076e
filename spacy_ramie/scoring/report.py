"""The HTML report: one page that needs no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc

from ..about import __version__
from ..component import RamieExtractor
from ..corpus.alike import Alike
from .scorer import found_items, gold_items
from .table import side_by_side, variant_rows

# Name, prefix of the keys, key with gold entities given.
METRIC_ROWS = (
    ("Entities (NER)", "ents", ""),
    ("Relations (RE)", "ramie_re", "ramie_re_gold_acc"),
    ("Triples (TE)", "ramie_te", ""),
    ("Usage (UC)", "ramie_uc", "ramie_uc_gold_acc"),
)
# Name, prefix of the keys.
TRUSTED = (
    ("Entities", "ents"),
    ("Relations, gold entities", "ramie_re_gold"),
    ("Usage, gold entities", "ramie_uc_gold"),
)
# How many notes are shown with their errors.
SHOWN = 40

_environment = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
)


def render_report(
    scores: Mapping[str, Any],
    recall: Mapping[str, float],
    docs: Sequence[Doc],
    nlp: Language,
    component: RamieExtractor,
    systems: Mapping[str, Mapping[str, Any]],
    variants: Mapping[str, Mapping[str, Any]],
    leaks: Sequence[Alike],
) -> str:
    """Render metrics and examples.

    scores (Mapping): What `spacy evaluate` wrote.
    recall (Mapping): Recall@1 of the index by task.
    docs (Sequence[Doc]): The gold documents; the first ones are shown.
    nlp (Language): The pipeline.
    component (RamieExtractor): Its component.
    systems (Mapping): What `ramie compare` wrote; empty: there is no comparison.
    variants (Mapping): What `ramie variants` wrote; empty: they are not shown.
    leaks (Sequence[Alike]): Records that are nearly exemplars.
    RETURNS (str): The page.
    """
    attr = component.attrs["record"]
    shown = docs[:SHOWN]
    predicted = list(nlp.pipe(doc.text for doc in shown))
    notes = [_note(g, p, attr) for g, p in zip(shown, predicted, strict=True)]
    counts = {
        key.removeprefix("ramie_"): value
        for key, value in scores.items()
        if key.startswith("ramie_") and isinstance(value, int)
    }
    page: str = _environment.get_template("report.jinja").render(
        version=__version__,
        rows=METRIC_ROWS,
        trusted=TRUSTED,
        scores=scores,
        counts=counts,
        recall=recall,
        notes=notes,
        systems=list(systems),
        compared=list(side_by_side(systems)) if systems else [],
        leaks=leaks,
        variants=list(variants),
        varied=list(variant_rows(variants)) if variants else [],
        records=len(docs),
    )
    return page


def _note(gold: Doc, predicted: Doc, attr: str) -> dict[str, Any]:
    record = predicted._.get(attr)
    wanted, found = gold_items(gold), found_items(record)
    wrong = {}
    for kind, title in (("ents", "entity"), ("ramie_te", "triple")):
        labels = sorted({*wanted[kind], *found[kind]})
        for label in labels:
            want, got = wanted[kind].get(label, set()), found[kind].get(label, set())
            for name, items in (("missed", want - got), ("wrong", got - want)):
                for item in sorted(items, key=str):
                    text = _text(gold.text, item) if kind == "ents" else _join(item)
                    wrong[f"{name} {title}: {text} ({label})", kind] = name
    return {
        "gold": Markup(displacy.render(gold, style="ent", page=False, jupyter=False)),
        "found": Markup(
            displacy.render(predicted, style="ent", page=False, jupyter=False)
        ),
        "errors": [text for text, _ in wrong],
        "failures": record["failures"],
    }


def _text(text: str, item: Any) -> str:
    return text[item[0] : item[1]]


def _join(item: Any) -> str:
    return " → ".join(item)
