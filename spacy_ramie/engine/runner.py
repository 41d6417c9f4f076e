"""One batch through the model: generated under grammars, or scored."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import llguidance
import llguidance.hf
import torch
from transformers import GenerationConfig, LogitsProcessorList

from ..types import Answer, Failure, Request
from .loading import Loaded
from .masking import GrammarMask
from .tokens import PromptTokenizer


class Prompt(NamedTuple):
    """A request that is ready to run.

    request (Request): The request.
    prompt (list[int]): Its token ids.
    room (int): Tokens that its answer may take.
    exemplars (int): How many exemplars are left in it.
    """

    request: Request
    prompt: list[int]
    room: int
    exemplars: int


class Runner:
    """A loaded model.

    loaded (Loaded): Model, tokenizer, context.
    max_new_tokens (int): Tokens of an answer at most.
    """

    def __init__(self, loaded: Loaded, max_new_tokens: int) -> None:
        self.model = loaded.model
        # transformers fills in what a base is published with (sampling, penalties)
        # wherever a value is its own default, also where that is greedy search.
        self.model.generation_config = GenerationConfig()
        self.tokens = PromptTokenizer(loaded.tokenizer, loaded.context)
        self.max_new_tokens = max_new_tokens
        self._vocabulary = int(self.model.config.vocab_size)
        self._masker: Any = None
        self._executor = llguidance.LLExecutor()

    def encode(self, request: Request) -> Prompt | Answer:
        """Encode a request, or answer that it is too long."""
        if request.choices:
            room = max(len(self.tokens.completion(c)) for c in request.choices)
        else:
            # Enough for a list of all pairs of a few entities.
            tail = len(self.tokens.completion(request.parts[-1]))
            room = min(self.max_new_tokens, 32 + 4 * tail, self.tokens.context // 2)
        encoded = self.tokens.encode(request, room)
        if encoded is None:
            message = f"the sentence does not fit into {self.tokens.context} tokens"
            return Answer(error=Failure("too_long", message))
        return Prompt(request, encoded.prompt, room, encoded.exemplars)

    @torch.inference_mode()
    def answer(self, prompts: list[Prompt]) -> list[Answer]:
        """Answer a batch of one task.

        prompts (list[Prompt]): Prompts that all generate, or all have the same
            choices.
        RETURNS (list[Answer]): Their answers.
        """
        choices = prompts[0].request.choices
        return self._score(prompts, choices) if choices else self._generate(prompts)

    def _generate(self, prompts: list[Prompt]) -> list[Answer]:
        mask = GrammarMask(
            self._grammar_tokenizer(),
            [prompt.request.grammar for prompt in prompts],
            self._executor,
        )
        ids, attention = self._pad([prompt.prompt for prompt in prompts])
        output = self.model.generate(
            input_ids=ids,
            attention_mask=attention,
            logits_processor=LogitsProcessorList([mask]),
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=max(prompt.room for prompt in prompts),
                eos_token_id=self.tokens.eos,
                pad_token_id=self.tokens.eos,
            ),
        )
        new = output[:, ids.shape[1] :].tolist()
        rows = zip(prompts, new, mask.logprobs, strict=True)
        return [self._read(*row) for row in rows]

    def _read(self, prompt: Prompt, ids: list[int], logprobs: list[float]) -> Answer:
        said = list(takewhile(lambda token: token != self.tokens.eos, ids))
        text, ends = self.tokens.decode(said)
        pieces = tuple(zip(ends, logprobs, strict=False))
        truncated = len(said) == len(ids)
        return Answer(text, (), pieces, truncated, exemplars=prompt.exemplars)

    def _score(self, prompts: list[Prompt], choices: tuple[str, ...]) -> list[Answer]:
        labels = [self.tokens.completion(choice) for choice in choices]
        shared = _shared_prefix(labels)
        ends = [label[shared] for label in labels]
        if len(set(ends)) == len(ends):
            chances = self._by_first_token(prompts, labels[0][:shared], ends)
        else:
            chances = self._by_whole_label(prompts, labels)
        answers = []
        for prompt, row in zip(prompts, chances, strict=True):
            best = max(range(len(choices)), key=row.__getitem__)
            answers.append(
                Answer(choices[best], tuple(row), exemplars=prompt.exemplars)
            )
        return answers

    def _by_first_token(
        self, prompts: list[Prompt], shared: list[int], ends: list[int]
    ) -> list[list[float]]:
        """Exact where the labels differ in their first token after what they share."""
        ids, attention = self._pad([[*prompt.prompt, *shared] for prompt in prompts])
        logits = self._logits(ids, attention, keep=1)[:, -1, ends]
        chances: list[list[float]] = logits.float().softmax(dim=-1).tolist()
        return chances

    def _by_whole_label(
        self, prompts: list[Prompt], labels: list[list[int]]
    ) -> list[list[float]]:
        """The probability of each whole label, its end included."""
        keep = max(map(len, labels)) + 1
        sums = []
        for label in labels:
            ids, attention = self._pad([[*prompt.prompt, *label] for prompt in prompts])
            logits = self._logits(ids, attention, keep=keep)
            # The logits at a position speak of the token behind it.
            logprobs = logits[:, -len(label) - 1 : -1].float().log_softmax(dim=-1)
            target = torch.tensor(label, device=logprobs.device)[None, :, None]
            picked = logprobs.gather(-1, target.expand(len(prompts), -1, -1))
            sums.append(picked.sum(dim=(1, 2)))
        chances: list[list[float]] = torch.stack(sums, dim=-1).softmax(dim=-1).tolist()
        return chances

    def _logits(
        self, ids: torch.Tensor, attention: torch.Tensor, *, keep: int
    ) -> torch.Tensor:
        positions = (attention.cumsum(dim=-1) - 1).clamp(min=0)
        logits: torch.Tensor = self.model(
            input_ids=ids,
            attention_mask=attention,
            position_ids=positions,
            logits_to_keep=keep,
            use_cache=False,
        ).logits
        return logits

    def _pad(self, rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Pad rows on the left; the mask hides the padding, so its id is of no matter."""
        width = max(map(len, rows))
        ids = [[self.tokens.eos] * (width - len(row)) + row for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        device = self.model.device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

    def _grammar_tokenizer(self) -> Any:
        if self._masker is None:
            self._masker = llguidance.hf.from_tokenizer(
                self.tokens.tokenizer, n_vocab=self._vocabulary
            )
        return self._masker


def _shared_prefix(labels: list[list[int]]) -> int:
    columns = zip(*labels, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
