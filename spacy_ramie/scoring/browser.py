"""The error browser: every mistake with its sentence, its exemplars and its prompt."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ..extraction import Extraction, Finding, NoteFindings
from ..prompting import build_request
from ..tasks.base import ends_of
from ..types import Annotations, Answer, Exemplar, Unit
from .items import Item, Place, items_of, unsure_of
from .mistakes import Mistake, find_mistakes, is_copied


class Entry(NamedTuple):
    """What is shown of a mistake.

    record (str): Id of the record.
    kind (str): One of `mistakes.KINDS`.
    copied (bool): It is what the exemplar's answer says.
    labels (tuple[str, ...]): Of gold and found, each once.
    pieces (list): The sentence in pieces, each with "gold", "found", both or nothing.
    gold (str): What should have been answered.
    answer (str): What was.
    score (float | None): Its probability.
    gold_score (float | None): The probability of the gold label, where it is known.
    exemplars (list): Exemplar and similarity.
    failures (list[str]): What else happened to the question.
    prompt (str): Empty where the model was not asked.
    """

    task: str
    record: str
    kind: str
    copied: bool
    labels: tuple[str, ...]
    pieces: list[tuple[str, str]]
    gold: str
    answer: str
    score: float | None
    gold_score: float | None
    exemplars: list[tuple[Exemplar, float]]
    failures: list[str]
    prompt: str


def browse(
    extraction: Extraction,
    records: Sequence[Mapping[str, Any]],
    gold: Sequence[Annotations],
    notes: Sequence[NoteFindings],
) -> Iterator[Entry]:
    """List the mistakes of all notes.

    extraction (Extraction): Its tasks read, its style words.
    records (Sequence[Mapping]): The corpus records.
    gold (Sequence[Annotations]): What they call for.
    notes (Sequence[NoteFindings]): What was found.
    YIELDS (Entry): Note by note, task by task.
    """
    for record, known, note in zip(records, gold, notes, strict=True):
        wanted = items_of(known)
        for task in wanted:
            given = task == "ner" and note.given is not None
            if task not in extraction.tasks and not given:
                continue
            found = _found(task, note)
            for mistake in find_mistakes(wanted[task], [item for item, _ in found]):
                yield _entry(extraction, record, task, note, mistake, found)


def marked(
    text: str, start: int, end: int, gold: Sequence[Place], found: Sequence[Place]
) -> list[tuple[str, str]]:
    """Cut a piece of a note at the borders of what was marked in it.

    text (str): The note.
    start (int): Where the piece begins.
    end (int): Where it ends.
    gold (Sequence[Place]): Places that annotators marked.
    found (Sequence[Place]): Places that the model marked.
    RETURNS (list): Pieces in order, each with "gold", "found", "gold found" or "".
    """
    borders = {at for place in (*gold, *found) for at in place}
    cuts = sorted({start, end, *(at for at in borders if start < at < end)})

    def mark(first: int, last: int) -> str:
        of = {"gold": gold, "found": found}
        inside = [
            name
            for name, places in of.items()
            if any(s <= first and last <= e for s, e in places)
        ]
        return " ".join(inside)

    return [(text[i:j], mark(i, j)) for i, j in pairwise(cuts)]


def describe(item: Item) -> str:
    """Write an item: texts and label."""
    return f"{' → '.join(item.texts)}: {item.label}"


def _found(task: str, note: NoteFindings) -> list[tuple[Item, Finding | None]]:
    """The items of a task, each with the question it answers."""
    found: list[tuple[Item, Finding | None]] = []
    if task == "ner" and note.given is not None:
        given = items_of(Annotations(entities=note.given))[task]
        found += [(item, None) for item in given]
    for finding in note.findings:
        # Entities can be the ends of triples.
        if finding.question.task == task or task == "ner":
            items = items_of(finding.annotations)[task]
            found += [(item, finding) for item in items]
    return found


def _entry(
    extraction: Extraction,
    record: Mapping[str, Any],
    task: str,
    note: NoteFindings,
    mistake: Mistake,
    found: Sequence[tuple[Item, Finding | None]],
) -> Entry:
    kind, gold, wrong = mistake
    known = [item for item in (gold, wrong) if item is not None]
    if wrong is not None:
        asked = next(finding for item, finding in found if item is wrong)
        answer = describe(wrong)
        if asked is None:
            answer += " (given by an earlier component)"
    else:
        asked = _asked(task, known[0], note)
        answer = _instead(task, known[0], note, asked)
    start, end = _sentence(note.units, known)
    return Entry(
        task,
        record["id"],
        kind,
        wrong is not None and is_copied(wrong, _of_exemplars(extraction, asked)),
        tuple(dict.fromkeys(item.label for item in known)),
        marked(
            record["text"],
            start,
            end,
            gold.places if gold else (),
            wrong.places if wrong else (),
        ),
        describe(gold) if gold else "nothing",
        answer,
        wrong.score if wrong else None,
        wrong.scores.get(gold.label) if gold and wrong else None,
        [(hit.exemplar, hit.similarity) for hit in asked.hits] if asked else [],
        [f"{f.kind}: {f.message}" for f in asked.annotations.failures] if asked else [],
        _prompt(extraction, asked),
    )


def _asked(task: str, gold: Item, note: NoteFindings) -> Finding | None:
    """The question that a missed item should have been the answer to."""
    places = tuple(at for place in gold.places for at in place)
    for finding in note.findings:
        question = finding.question
        if question.task != task:
            continue
        if question.about:
            if ends_of(*question.about) == places:
                return finding
        elif _holds(question.unit, gold):
            return finding
    return None


def _instead(task: str, gold: Item, note: NoteFindings, asked: Finding | None) -> str:
    """What was answered where an item was missed."""
    if asked is None:
        return f"not asked: {_why_not(task, gold, note)}"
    for item in unsure_of(asked.annotations)[task]:
        if (item.label, item.key) == (gold.label, gold.key):
            return f"{describe(item)} was set aside as unsure, with {item.score:.0%}"
    answered = items_of(asked.annotations)[task]
    return "; ".join(map(describe, answered)) or "nothing"


def _why_not(task: str, gold: Item, note: NoteFindings) -> str:
    if not any(_holds(unit, gold) for unit in note.units):
        return "it is not within one sentence"
    if task == "ner":
        return "an earlier component gives the entities"
    found = {place for item, _ in _found("ner", note) for place in item.places}
    for place, text in zip(gold.places, gold.texts, strict=True):
        if place not in found:
            return f"'{text}' was not found as an entity"
    return "it was found with an entity label that nothing is asked about"


def _of_exemplars(extraction: Extraction, asked: Finding | None) -> list[Item]:
    """What the answers of the exemplars would say of the sentence."""
    if asked is None:
        return []
    task = extraction.tasks[asked.question.task]
    read = [
        task.read(asked.question, Answer(hit.exemplar.answer)) for hit in asked.hits
    ]
    return [item for said in read for item in items_of(said)[task.name]]


def _prompt(extraction: Extraction, asked: Finding | None) -> str:
    if asked is None:
        return ""
    task = extraction.tasks[asked.question.task]
    request = build_request(task, extraction.style, asked.question, asked.hits)
    return "".join(request.parts)


def _sentence(units: Sequence[Unit], items: Sequence[Item]) -> tuple[int, int]:
    """Start and end of the sentences that items stand in."""
    places = [place for item in items for place in item.places]
    first, last = min(s for s, _ in places), max(e for _, e in places)
    around = [unit for unit in units if unit.start < last and first < unit.end]
    return (
        min([first, *(unit.start for unit in around)]),
        max([last, *(unit.end for unit in around)]),
    )


def _holds(unit: Unit, item: Item) -> bool:
    return all(unit.start <= start and end <= unit.end for start, end in item.places)
