"""Masks the tokens that a grammar forbids, and remembers how sure the model was."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import llguidance
import llguidance.hf
import numpy
import torch
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask_par
from transformers import LogitsProcessor


class GrammarMask(LogitsProcessor):
    """A logits processor for one batch of greedy generation.

    tokenizer (LLTokenizer): The tokenizer as llguidance wants it.
    grammars (Sequence): A grammar for each row; None: no mask.
    executor (LLExecutor): Computes the masks of the rows side by side.

    logprobs (list): For each row how sure the unmasked model was of each token.
    """

    def __init__(
        self,
        tokenizer: llguidance.LLTokenizer,
        grammars: Sequence[str | None],
        executor: llguidance.LLExecutor,
    ) -> None:
        self._executor = executor
        # Compiling one for a long sentence takes milliseconds, without Python's lock.
        with ThreadPoolExecutor() as pool:
            self._matchers = list(pool.map(partial(_matcher, tokenizer), grammars))
        self._rows = list(range(len(grammars)))
        self._started = False
        self.logprobs: list[list[float]] = [[] for _ in grammars]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Mask the scores of the next token of every row."""
        if self._started:
            for row, token in zip(self._rows, input_ids[:, -1].tolist(), strict=True):
                matcher = self._matchers[row]
                if matcher is not None and not matcher.is_stopped():
                    matcher.consume_token(token)
        self._started = True
        # One that has stopped goes on masking: nothing but the end may follow.
        bound = [
            (matcher, i)
            for i, row in enumerate(self._rows)
            if (matcher := self._matchers[row]) is not None
        ]
        masked = self._apply(scores, bound) if bound else scores
        best = masked.argmax(dim=-1, keepdim=True)
        sure = torch.log_softmax(scores.float(), dim=-1).gather(-1, best)[:, 0]
        for row, value in zip(self._rows, sure.tolist(), strict=True):
            self.logprobs[row].append(value)
        return masked

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the rows.

        rows (Sequence[int]): Which of those that it has been called for.
        """
        self._rows = [self._rows[row] for row in rows]

    def broken(self) -> list[bool]:
        """Say of each row whether its grammar grew too large for the parser.

        What such a row has said is legal, but it could say no more.
        """
        return [m is not None and m.is_error() for m in self._matchers]

    def _apply(
        self, scores: torch.Tensor, bound: list[tuple[Any, int]]
    ) -> torch.Tensor:
        rows, vocabulary = scores.shape
        bits = allocate_token_bitmask(rows, vocabulary)
        fill_next_token_bitmask_par(self._executor, bound, bits)
        legal = numpy.unpackbits(
            bits.view(numpy.uint8), axis=1, count=vocabulary, bitorder="little"
        ).view(bool)
        return scores.masked_fill(
            ~torch.from_numpy(legal).to(scores.device), float("-inf")
        )


def _matcher(
    tokenizer: llguidance.LLTokenizer, grammar: str | None
) -> llguidance.LLMatcher | None:
    if grammar is None:
        return None
    matcher = llguidance.LLMatcher(tokenizer, grammar)
    if matcher.is_error():
        raise ValueError(f"the grammar is wrong: {matcher.get_error()}")
    return matcher
