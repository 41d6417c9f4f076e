"""The plain things that travel the road of a note."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Unit:
    """A sentence of a note.

    text (str): The sentence as it stands in the note.
    start (int): Where it begins, in characters of the note.
    tokens (tuple): Start and end of each token that is not blank, in characters
        of the sentence.
    """

    text: str
    start: int
    tokens: tuple[tuple[int, int], ...]

    @property
    def end(self) -> int:
        """Where it ends, in characters of the note."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Entity:
    """A labelled span, in characters of the note; source is the task that found it."""

    start: int
    end: int
    label: str
    text: str
    ingredient: str | None = None
    score: float | None = None
    ambiguous: bool = False
    source: str = ""


@dataclass(frozen=True)
class Relation:
    """A labelled pair of entities; source is the task that found it."""

    head: Entity
    tail: Entity
    label: str
    score: float | None = None
    source: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    ambiguous: bool = False


@dataclass(frozen=True)
class Usage:
    """The class of one mention: its usage status, its assertion."""

    entity: Entity
    label: str
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A request that was not answered as asked.

    kind (str): One of unparsable, truncated, ungrounded, windowed, too_long,
        engine_error.
    message (str): What happened, in words.
    answer (str): What the model said, if anything.
    """

    kind: str
    message: str
    answer: str = ""


@dataclass(frozen=True)
class Annotations:
    """What is known of one unit: the gold labels of a corpus, or a prediction.

    values (Mapping): Per task of a user, plain dicts of its own form.
    unsure (tuple): What was found but is below the threshold of its label.
    """

    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    usage: tuple[Usage, ...] = ()
    values: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    unsure: tuple[Entity | Relation | Usage, ...] = ()


@dataclass(frozen=True)
class Question:
    """What a task wants to know of a unit.

    task (str): Name of the task.
    unit (Unit): The sentence.
    input (str): What stands under the prompt's input heading.
    about (tuple): The entities asked about: head and tail, or the mention.
    choices (tuple): All answers there are; the engine scores them instead of
        generating. Empty: the answer is generated.
    grammar (str): llguidance grammar of the answer; None: free text.
    """

    task: str
    unit: Unit
    input: str
    about: tuple[Entity, ...] = ()
    choices: tuple[str, ...] = ()
    grammar: str | None = None


@dataclass(frozen=True)
class Exemplar:
    """A labelled example that can be shown before a question.

    id (str): Record and running number.
    group (str): The note it comes from: training never shows a note to itself.
    sentence (str): The sentence alone, by which it is found.
    input (str): The question as the model sees it.
    answer (str): The gold completion.
    """

    id: str
    task: str
    group: str
    sentence: str
    input: str
    answer: str


@dataclass(frozen=True)
class Hit:
    """A retrieved exemplar and its cosine similarity to the sentence."""

    exemplar: Exemplar
    similarity: float


@dataclass(frozen=True)
class Request:
    """What the engine is asked.

    parts (tuple): Instruction, exemplars, input. Joined they are the prompt;
        they are tokenised one by one, so that a part shared by many requests
        has the same tokens in all of them.
    """

    task: str
    parts: tuple[str, ...]
    choices: tuple[str, ...] = ()
    grammar: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the engine answers.

    text (str): The completion, or the best of the choices.
    scores (tuple): The probability of each choice; empty when generated.
    pieces (tuple): For generated text, (end, log-probability) of each token:
        where it ends, in characters of text, and how sure the unmasked model
        was of it.
    truncated (bool): The completion was cut off.
    error (Failure): Set when there is no answer.
    exemplars (int): How many of the exemplars the model was shown: fewer than
        asked for where the context is too short; None: all.
    """

    text: str = ""
    scores: tuple[float, ...] = ()
    pieces: tuple[tuple[int, float], ...] = ()
    truncated: bool = False
    error: Failure | None = None
    exemplars: int | None = None
