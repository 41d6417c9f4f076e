"""Reading once what many prompts begin with."""

import copy
import sys
from collections import OrderedDict
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache

# Instructions that are remembered: one for each task, and some of other pipelines.
KEPT = 8
# Share of the rows with a head of their own up to which it pays to read heads apart.
WORTH = 0.8


class Begun(NamedTuple):
    """The part of a batch that is read already.

    ids (torch.Tensor): Of shape (rows, tokens), padded within.
    mask (torch.Tensor): Of the same shape; 0 is padding.
    cache (DynamicCache | None): Its keys and values, to write into; None: nothing
        is read.
    read (list[int]): How many tokens of each row it holds.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    cache: DynamicCache | None
    read: list[int]


class Prefixes:
    """Reads what rows begin with once: an instruction, and exemplars that they share.

    model (Any): A causal language model of transformers.
    padding (int): Id of the padding; the mask hides it, so it is of no matter.
    """

    def __init__(self, model: Any, padding: int) -> None:
        self.reach = prefix_reach(model)
        self._model = model
        self._padding = padding
        self._instructions: OrderedDict[tuple[int, ...], DynamicCache] = OrderedDict()

    def begin(
        self, rows: Sequence[Sequence[int]], instruction: int, heads: Sequence[int]
    ) -> Begun:
        """Read the heads of rows, each once, where that pays; else their instruction.

        rows (Sequence): Token ids of each row.
        instruction (int): How many of them are the instruction, the same in all.
        heads (Sequence[int]): How many ids of each row may be read apart from the
            rest, the instruction included; not all.
        RETURNS (Begun): What is read.
        """
        known = min(instruction, shared_length(rows))
        texts = [tuple(row[:head]) for row, head in zip(rows, heads, strict=True)]
        distinct = list(dict.fromkeys(texts))
        if max(heads) == known or len(distinct) > WORTH * len(rows):
            return self._instruction(tuple(rows[0][:known]), len(rows))
        first = self._instruction(tuple(rows[0][:known]), len(distinct))
        more, seen = pad_left([text[known:] for text in distinct], self._padding)
        ids = torch.cat([first.ids, more.to(first.ids.device)], dim=1)
        mask = torch.cat([first.mask, seen.to(first.mask.device)], dim=1)
        cache = DynamicCache() if first.cache is None else first.cache
        self._model(
            input_ids=ids[:, known:],
            attention_mask=mask,
            position_ids=positions(mask)[:, known:],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        places = {text: place for place, text in enumerate(distinct)}
        chosen = torch.tensor([places[text] for text in texts], device=ids.device)
        cache.batch_select_indices(chosen)
        return Begun(ids[chosen], mask[chosen], cache, list(heads))

    def _instruction(self, ids: tuple[int, ...], rows: int) -> Begun:
        tensor = torch.tensor([ids], dtype=torch.long, device=self._model.device)
        every = tensor.expand(rows, -1)
        if not ids:
            return Begun(every, torch.ones_like(every), None, [0] * rows)
        if ids not in self._instructions:
            self._instructions[ids] = read_prefix(self._model, tensor)
        self._instructions.move_to_end(ids)
        cache = copy.deepcopy(self._instructions[ids])
        if len(self._instructions) > KEPT:
            self._instructions.popitem(last=False)
        cache.batch_repeat_interleave(rows)
        return Begun(every, torch.ones_like(every), cache, [len(ids)] * rows)


def pad_left(
    rows: Sequence[Sequence[int]], padding: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make rows of token ids equally long.

    rows (Sequence): Token ids.
    padding (int): What to put before them.
    RETURNS (tuple): Ids and mask, of shape (rows, tokens of the longest).
    """
    width = max(map(len, rows))
    ids = [[padding] * (width - len(row)) + [*row] for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


def positions(mask: torch.Tensor) -> torch.Tensor:
    """Count the tokens of each row without its padding.

    mask (torch.Tensor): Of shape (rows, tokens).
    RETURNS (torch.Tensor): The place of each token, of the same shape.
    """
    return (mask.cumsum(dim=-1) - 1).clamp(min=0)


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
