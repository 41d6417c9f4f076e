"""What NOTE holds, a bank that knows a part of it, and other answers about it."""

from conftest import NOTE, answer_by_note

from spacy_ramie.types import Answer

FIRST = NOTE.partition(" No")[0]

# The first sentence of NOTE, labelled; the ingredient has another name than the text.
TAUGHT = {
    "id": "bank-1",
    "text": FIRST,
    "entities": [
        {"id": "T1", "start": 8, "end": 17, "label": "DS", "ingredient": "melatonin"},
        {"id": "T2", "start": 31, "end": 39, "label": "EVENT"},
        {"id": "T3", "start": 41, "end": 47, "label": "DS", "ingredient": "g. biloba"},
    ],
    "relations": [{"head": "T1", "tail": "T2", "label": "POSITIVE"}],
    "usage": [{"entity": "T1", "label": "START"}],
    "doses": [{"entity": "T1", "dose": "3 mg"}],
}
OTHER = {"id": "bank-2", "text": "Nothing taken, nothing felt.", "entities": []}

ALL = [
    ("melatonin", "DS"),
    ("insomnia", "EVENT"),
    ("ginkgo", "DS"),
    ("nosebleeds", "EVENT"),
    ("headache", "EVENT"),
]


def labelled(spans) -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in spans]


def answering(task: str, answer: Answer):
    """An engine's script that answers one task so and the others well."""
    return lambda request: answer if request.task == task else answer_by_note(request)


def ruled(nlp, patterns, *, sentences: bool = False):
    """Put an entity ruler, and a sentenciser, before the component."""
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in patterns])
    if sentences:
        nlp.add_pipe("sentencizer", first=True)
