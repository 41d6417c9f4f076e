"""A second lesson for a small base model: which words of a prompt its answer copies.

The answer alone tells a model little of where to look: each of its spans is one hint
for a whole sentence. Here every token of the input is a hint, as it is for a tagger:
a linear layer on the hidden states says whether the answer will copy the token. It is
taken off after training; the states that it asked for stay.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from .collator import IGNORED, CompletionCollator
from .features import Feature
from .trainer import CompletionTrainer

# What the answer does with a token of the input.
PASSED, BEGUN, CONTINUED = range(3)
# After how many layers it is asked for: those above can use it to copy.
DEPTH = 2
# What a token of the input counts beside one of the answer.
WEIGHT = 0.6


class PointingCollator(CompletionCollator):
    """Adds what the answer copies.

    reading, even, reach: As for a CompletionCollator.
    separators (frozenset[int]): Tokens between the spans of an answer.
    """

    def __init__(
        self,
        *,
        reading: float,
        even: float,
        reach: int,
        separators: frozenset[int],
    ) -> None:
        super().__init__(reading=reading, even=even, reach=reach)
        self.separators = separators

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Make a batch.

        features (Sequence[Feature]): Its examples.
        RETURNS (dict): A batch with `copied` of shape (examples, width); IGNORED
            outside the input, and everywhere where the answer copies nothing.
        """
        batch = super().__call__(features)
        copied = torch.full_like(batch["input_ids"], IGNORED)
        width = copied.shape[1]
        for row, feature in enumerate(features):
            marks = copied_tokens(feature, self.separators)
            if any(marks):
                end = width - feature.completion
                copied[row, end - feature.input : end] = torch.tensor(marks)
        return {**batch, "copied": copied}


def copied_tokens(feature: Feature, separators: frozenset[int]) -> list[int]:
    """Find the spans of an answer in its input.

    feature (Feature): The example.
    separators (frozenset[int]): Tokens between the spans of an answer.
    RETURNS (list[int]): PASSED, BEGUN or CONTINUED for each token of the input. The
        n-th span of a kind is its n-th occurrence.
    """
    answer = feature.ids[-feature.completion : -1]
    end = len(feature.ids) - feature.completion
    text = feature.ids[end - feature.input : end]
    marks = [PASSED] * len(text)
    sought: dict[tuple[int, ...], int] = {}
    for between, group in groupby(answer, key=separators.__contains__):
        span = () if between else tuple(group)
        for at in range(sought.get(span, 0), len(text) - len(span) + 1):
            if span and tuple(text[at : at + len(span)]) == span:
                marks[at : at + len(span)] = [BEGUN, *[CONTINUED] * (len(span) - 1)]
                sought[span] = at + 1
                break
    return marks


class PointingTrainer(CompletionTrainer):
    """Trains a model to say what it will copy, beside the answer itself.

    model (PreTrainedModel): Its pointer is a part of it until it is dropped, so that
        checkpoints hold it.
    """

    def __init__(self, model: Any, **kwargs: Any) -> None:
        model.pointer = nn.Linear(model.config.hidden_size, 3)
        model.config.output_hidden_states = True
        super().__init__(model=model, **kwargs)

    def further_loss(self, model: Any, outputs: Any, inputs: dict[str, Any]) -> Any:
        """Give the loss of the pointer."""
        states = outputs.hidden_states[min(DEPTH, len(outputs.hidden_states) - 1)]
        pointer = self.accelerator.unwrap_model(model).pointer
        logits, copied = pointer(states).float().flatten(0, 1), inputs["copied"]
        return WEIGHT * cross_entropy(
            logits, copied.flatten(), ignore_index=IGNORED, reduction="sum"
        )

    def drop_pointer(self) -> None:
        """Take the pointer off the model."""
        del self.model.pointer
        self.model.config.output_hidden_states = False
