"""A note with gold labels, what may be found in it, and the scores of that."""

import spacy
from spacy.training import Example

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.scorer import score_records
from spacy_ramie.views import attribute_names, register_views

register_views(attribute_names({}))

TEXT = "Melatonin for sleep, no nausea. Melatonin held."
SPANS = {
    "melatonin": (0, 9, "DS"),
    "sleep": (14, 19, "EVENT"),
    "nausea": (24, 30, "EVENT"),
    "again": (32, 41, "DS"),
}


def gold(**changed):
    """The gold record: four entities, two relations, two usage classes."""
    return {
        "id": "x",
        "text": TEXT,
        "entities": [
            {"id": name, "start": start, "end": end, "label": label}
            for name, (start, end, label) in SPANS.items()
        ],
        "relations": [
            {"head": "melatonin", "tail": "sleep", "label": "POSITIVE"},
            {"head": "melatonin", "tail": "nausea", "label": "NOT_RELATED"},
        ],
        "usage": [
            {"entity": "melatonin", "label": "UNCERTAIN"},
            {"entity": "again", "label": "DISCONTINUE"},
        ],
        **changed,
    }


def found_span(start, end, label):
    return {"start": start, "end": end, "label": label, "text": TEXT[start:end]}


def found_relation(label, head=SPANS["melatonin"], tail=SPANS["sleep"], source="re"):
    head, tail = found_span(*head), found_span(*tail)
    return {"head": head, "tail": tail, "label": label, "source": source}


def found_usage(label, mention=SPANS["melatonin"]):
    start, end, _ = mention
    return {"start": start, "end": end, "label": label}


def example(found, known=None):
    nlp = spacy.blank("en")
    reference = gold_doc(known or gold(), nlp, make_supplements())
    predicted = nlp.make_doc(reference.text)
    predicted._.ramie = found
    return Example(predicted, reference)


def scores_of(**found):
    return score_records([example(found)], "ramie")


def prf(scores, kind):
    return tuple(round(scores[f"{kind}_{x}"], 4) for x in "prf")
