"""Reading once what many prompts begin with."""

import copy
import sys
from collections import OrderedDict
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from transformers import DynamicCache

# Beginnings that are remembered: an instruction for each task, and what was shared
# lately.
KEPT = 8


class Prefixes:
    """What a model remembers of the beginnings of prompts.

    model (Any): A causal language model of transformers.
    """

    def __init__(self, model: Any) -> None:
        self.reach = prefix_reach(model)
        self._model = model
        self._read: OrderedDict[tuple[int, ...], DynamicCache] = OrderedDict()

    def read(self, ids: tuple[int, ...], rows: int) -> DynamicCache:
        """Read a beginning, if that was not done yet.

        ids (tuple): Its token ids.
        rows (int): How many prompts go on from it.
        RETURNS (DynamicCache): Its keys and values for each row, to write into.
        """
        if ids not in self._read:
            tensor = torch.tensor([ids], device=self._model.device)
            self._read[ids] = read_prefix(self._model, tensor)
        self._read.move_to_end(ids)
        cache = copy.deepcopy(self._read[ids])
        if len(self._read) > KEPT:
            self._read.popitem(last=False)
        cache.batch_repeat_interleave(rows)
        return cache


def read_prefix(model: Any, ids: torch.Tensor) -> DynamicCache:
    """Read what all rows begin with.

    model (Any): A causal language model of transformers.
    ids (torch.Tensor): Of shape (1, tokens).
    RETURNS (DynamicCache): Keys and values of one row.
    """
    cache = DynamicCache()
    model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


def shared_length(rows: Sequence[Sequence[int]]) -> int:
    """Count the tokens that all rows begin with.

    rows (Sequence): Token ids.
    RETURNS (int): Tokens.
    """
    columns = zip(*rows, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))


def prefix_reach(model: Any) -> int:
    """Give the widest batch, in tokens, whose beginning a model can put aside.

    model (Any): A causal language model of transformers.
    RETURNS (int): Tokens. None where a model has another memory than attention; the
        window where attention slides, since it counts the padding behind the
        beginning.
    """
    kinds = set(getattr(model.config, "layer_types", None) or ())
    if getattr(model, "_is_stateful", False) or not kinds <= {
        "full_attention",
        "sliding_attention",
    }:
        return 0
    return getattr(model.config, "sliding_window", None) or sys.maxsize
