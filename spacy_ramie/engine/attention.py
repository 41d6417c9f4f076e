"""Attention masks of a batch, made in one step.

transformers (4.53) makes them entry by entry through `torch.vmap`, at every token of an
answer: an eighth of the time of a small model. What it is given in four dimensions it
takes as it is.
"""

import sys
from typing import Any

import torch

from .prefix import prefix_reach


def make_masks(model: Any) -> None:
    """Have a model take masks that are made here, where that is the same.

    That is where attention is plain (torch's, over all that came before) and nothing
    but attention looks at the mask: positions are rotary and come with the tokens.

    model (Any): A causal language model of transformers.
    """
    config = model.config
    plain = (
        config._attn_implementation == "sdpa"
        and prefix_reach(model) == sys.maxsize
        and hasattr(model.base_model, "rotary_emb")
        and not getattr(config, "alibi", False)
    )
    if plain:
        model.register_forward_pre_hook(_with_mask, with_kwargs=True)


def causal_mask(seen: torch.Tensor, tokens: int) -> torch.Tensor:
    """Say what the last tokens of rows may look at: what came before and is no padding.

    seen (torch.Tensor): Of shape (rows, columns); 0 is padding.
    tokens (int): How many of the columns, at the end, are to be read.
    RETURNS (torch.Tensor): Of shape (rows, 1, tokens, columns); True: looks at it.
    """
    columns = seen.shape[1]
    before = torch.ones(tokens, columns, dtype=torch.bool, device=seen.device)
    return seen.bool()[:, None, None, :] & before.tril(columns - tokens)


def _with_mask(
    _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    seen, ids = kwargs.get("attention_mask"), kwargs.get("input_ids")
    # Without padding torch needs no mask, and is faster: so it was, and so it stays.
    if seen is not None and seen.dim() == 2 and ids is not None and not seen.all():
        kwargs = {**kwargs, "attention_mask": causal_mask(seen, ids.shape[1])}
    return args, kwargs
