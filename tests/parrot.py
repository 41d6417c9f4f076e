"""The script of an engine that copies its exemplar."""

from spacy_ramie.types import Answer


def parrot(request):
    """Answer what the exemplar answers."""
    if len(request.parts) < 3:
        return Answer(request.choices[0] if request.choices else "None")
    said = request.parts[1].split("Response:\n")[1].strip("\n")
    if not request.choices:
        return Answer(said)
    scores = tuple(float(choice == said) for choice in request.choices)
    return Answer(said, scores)
