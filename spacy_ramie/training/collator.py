"""Training examples as a batch: padded, with what all begin with put aside."""

from collections.abc import Sequence
from typing import Any

import torch

from ..engine.prefix import shared_length
from .features import Feature

IGNORED = -100
# Widths are rounded up to this: fewer shapes for the kernels to prepare for.
MULTIPLE = 16
# Tokens of a completion that counts as it is, whatever makes up for length.
TYPICAL = 8


class CompletionCollator:
    """Pads examples on the left, so that all completions end in the same column.

    The language model's head and the loss then run on few columns: a prompt is ten
    times as long as its answer. What all examples of a batch begin with, the
    instruction of their task, is put aside: the model reads it once.

    reading (float): Share of the columns before the completions that are learnt
        too, drawn by chance for each batch, as a base model learns to read; never
        the instruction.
    even (float): How much a short completion makes up for its length. 0: every token
        counts the same, so that a label is lost among lists; 1: every completion.
    reach (int): Widest batch, in tokens, whose beginning the model can put aside.
    """

    def __init__(self, *, reading: float, even: float, reach: int) -> None:
        self.reading = reading
        self.even = even
        self.reach = reach

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Make a batch.

        features (Sequence[Feature]): Its examples.
        RETURNS (dict): `prefix` of shape (1, shared), what all begin with;
            `input_ids` and `position_ids` of shape (examples, width), the rest;
            `attention_mask` of shape (examples, shared + width); `labels` of shape
            (examples, width), where what is not learnt is -100; and `weights` of
            that shape, what each label counts.
        """
        shared = _shared(features)
        if max(len(feature.ids) for feature in features) + MULTIPLE > self.reach:
            shared = 0
        rests = [feature.ids[shared:] for feature in features]
        width = -(-max(map(len, rests)) // MULTIPLE) * MULTIPLE
        ids = torch.zeros(len(features), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, IGNORED)
        weights = torch.ones(ids.shape)
        read = torch.rand(width) < self.reading
        for row, (feature, rest) in enumerate(zip(features, rests, strict=True)):
            ids[row, width - len(rest) :] = torch.tensor(rest)
            mask[row, width - len(rest) :] = 1
            own = width - len(feature.ids) + feature.instruction
            labels[row, own:] = ids[row, own:].where(read[own:], IGNORED)
            answer = width - feature.completion
            labels[row, answer:] = ids[row, answer:]
            weights[row, answer:] = (TYPICAL / feature.completion) ** self.even
        return {
            "prefix": torch.tensor([features[0].ids[:shared]]),
            "input_ids": ids,
            "attention_mask": torch.cat([mask.new_ones(len(ids), shared), mask], 1),
            "position_ids": shared + (mask.cumsum(dim=-1) - 1).clamp(min=0),
            "labels": labels,
            "weights": weights,
        }


def _shared(features: Sequence[Feature]) -> int:
    """How many tokens all instructions begin with, but for one.

    The token before the first one that is learnt stays with the rest.
    """
    most = min(feature.instruction for feature in features) - 1
    return max(0, min(most, shared_length([feature.ids for feature in features])))
