"""From a question and its exemplars to a request: training and inference alike."""

from collections.abc import Sequence

from .styles import Style
from .tasks import Task
from .types import Hit, Question, Request


def build_request(
    task: Task, style: Style, question: Question, hits: Sequence[Hit]
) -> Request:
    """Build the prompt of a question: instruction, exemplars, input.

    What repeats comes first, so that it is a prefix shared by many prompts.

    task (Task): The task that asks.
    style (Style): The wording.
    question (Question): The question.
    hits (Sequence[Hit]): The exemplars to show.
    RETURNS (Request): The request.
    """
    examples = [style.example_part(h.exemplar.input, h.exemplar.answer) for h in hits]
    return Request(
        task.name,
        (
            style.instruction_part(task.instruction()),
            *examples,
            style.input_part(question.input),
        ),
        question.choices,
        question.grammar,
    )
