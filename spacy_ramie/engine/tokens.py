"""From the parts of a prompt to token ids: one function for training and inference."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..types import Request


class Encoded(NamedTuple):
    """A request as token ids.

    prompt (list[int]): Ids of the whole prompt.
    instruction (int): How many of the ids are the instruction's.
    exemplars (int): How many exemplars it holds; fewer than asked for where it
        would not fit into the context.
    input (int): How many of the ids are the input's.
    """

    prompt: list[int]
    instruction: int
    exemplars: int
    input: int


class PromptTokenizer:
    """Encodes prompts part by part and completions apart from them.

    tokenizer (Any): A fast tokenizer of transformers.
    context (int): Tokens of prompt and completion at most.
    """

    def __init__(self, tokenizer: Any, context: int) -> None:
        self.tokenizer = tokenizer
        self.context = context
        self._start = _start_ids(tokenizer)
        # Instructions and exemplars come again and again.
        self._cached = lru_cache(maxsize=4096)(self._encode)

    @property
    def eos(self) -> int:
        """The id that ends a completion."""
        return int(self.tokenizer.eos_token_id)

    def completion(self, text: str) -> list[int]:
        """Encode a completion, with its end."""
        return [*self._cached(text), self.eos]

    def encode(self, request: Request, room: int) -> Encoded | None:
        """Encode a prompt so that a completion fits behind it.

        Where it would not fit, the exemplars are left out, the last first; the
        instruction and the input never are.

        request (Request): The request.
        room (int): Tokens to keep free for the completion.
        RETURNS (Encoded | None): The ids; None where even instruction and input
            are too long.
        """
        first, *exemplars, last = request.parts
        head = [*self._start, *self._cached(first)]
        tail = self._encode(last)
        shown = [self._cached(part) for part in exemplars]
        free = self.context - room - len(head) - len(tail)
        while shown and sum(map(len, shown)) > free:
            shown.pop()
        if free < 0:
            return None
        body = [token for part in shown for token in part]
        return Encoded([*head, *body, *tail], len(head), len(shown), len(tail))

    def _encode(self, text: str) -> tuple[int, ...]:
        # Special tokens in a note are plain characters (split_special_tokens).
        return tuple(
            self.tokenizer(
                text, add_special_tokens=False, split_special_tokens=True
            ).input_ids
        )

    def decode(self, ids: Sequence[int]) -> tuple[str, list[int]]:
        """Decode a completion without its end.

        ids (Sequence[int]): Its token ids.
        RETURNS (tuple): The text without blanks before it, and where each token
            ends in it, in characters.
        """
        pieces = [self._decode([token]) for token in ids]
        text = self._decode(list(ids))
        if "".join(pieces) == text:
            ends, at = [], 0
            for piece in pieces:
                at += len(piece)
                ends.append(at)
        else:
            # A character of several tokens, or a blank that depends on its place.
            ends = [len(self._decode(list(ids[: i + 1]))) for i in range(len(ids))]
        lead = len(text) - len(text.lstrip(" "))
        return text[lead:], [max(0, end - lead) for end in ends]

    def _decode(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(
            ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text


def _start_ids(tokenizer: Any) -> list[int]:
    """The beginning-of-sequence id, for tokenizers that put one."""
    ids = tokenizer("", add_special_tokens=True).input_ids
    bos = tokenizer.bos_token_id
    return [bos] if bos is not None and ids[:1] == [bos] else []
