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
from .prefix import Prefixes, shared_length
from .tokens import PromptTokenizer

# Tokens behind the instruction from which on it pays to remember them with it.
LEAST_SHARED = 16


class Prompt(NamedTuple):
    """A request that is ready to run.

    request (Request): The request.
    prompt (list[int]): Its token ids.
    instruction (int): How many of its ids are the instruction's.
    room (int): Tokens that its answer may take.
    exemplars (int): How many exemplars are left in it.
    """

    request: Request
    prompt: list[int]
    instruction: int
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
        self.prefixes = Prefixes(self.model)
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
        return Prompt(
            request, encoded.prompt, encoded.instruction, room, encoded.exemplars
        )

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
        room = max(prompt.room for prompt in prompts)
        batch = self._batch(prompts, (), room)
        ids = batch["input_ids"]
        output = self.model.generate(
            **batch,
            logits_processor=LogitsProcessorList([mask]),
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=room,
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
        shared = shared_length(labels)
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
        logits = self._logits(prompts, shared, keep=1)[:, -1, ends]
        chances: list[list[float]] = logits.float().softmax(dim=-1).tolist()
        return chances

    def _by_whole_label(
        self, prompts: list[Prompt], labels: list[list[int]]
    ) -> list[list[float]]:
        """The probability of each whole label, its end included."""
        keep = max(map(len, labels)) + 1
        sums = []
        for label in labels:
            logits = self._logits(prompts, label, keep=keep)
            # The logits at a position speak of the token behind it.
            logprobs = logits[:, -len(label) - 1 : -1].float().log_softmax(dim=-1)
            target = torch.tensor(label, device=logprobs.device)[None, :, None]
            picked = logprobs.gather(-1, target.expand(len(prompts), -1, -1))
            sums.append(picked.sum(dim=(1, 2)))
        chances: list[list[float]] = torch.stack(sums, dim=-1).softmax(dim=-1).tolist()
        return chances

    def _logits(
        self, prompts: list[Prompt], said: list[int], *, keep: int
    ) -> torch.Tensor:
        """The logits of the last columns, where all answers begin the same."""
        batch = self._batch(prompts, said)
        past = batch["past_key_values"]
        attention = batch["attention_mask"]
        known = 0 if past is None else past.get_seq_length()
        positions = (attention.cumsum(dim=-1) - 1).clamp(min=0)
        batch["input_ids"] = batch["input_ids"][:, known:]
        logits: torch.Tensor = self.model(
            **batch,
            position_ids=positions[:, known:],
            logits_to_keep=keep,
            use_cache=past is not None,
        ).logits
        return logits

    def _batch(
        self, prompts: list[Prompt], said: Sequence[int], room: int = 0
    ) -> dict[str, Any]:
        """Prompts, and what all say already, as arguments for the model.

        The padding lies behind what all rows begin with, where that was read before,
        and before the rest; the mask hides it, so its id is of no matter.
        """
        rows = [[*prompt.prompt, *said] for prompt in prompts]
        width = max(map(len, rows))
        known = self._known(prompts) if width + room <= self.prefixes.reach else 0
        pads = [width - len(row) for row in rows]
        padding = self.tokens.eos
        ids = [
            row[:known] + [padding] * pad + row[known:]
            for row, pad in zip(rows, pads, strict=True)
        ]
        mask = [[1] * known + [0] * pad + [1] * (width - known - pad) for pad in pads]
        device = self.model.device
        past = self.prefixes.read(tuple(rows[0][:known]), len(rows)) if known else None
        return {
            "input_ids": torch.tensor(ids, device=device),
            "attention_mask": torch.tensor(mask, device=device),
            "past_key_values": past,
        }

    def _known(self, prompts: list[Prompt]) -> int:
        """How many tokens to read once: the instruction, and exemplars shared by all."""
        instruction = prompts[0].instruction
        shared = shared_length([prompt.prompt for prompt in prompts])
        # What is shared by chance behind the instruction is not worth remembering.
        if len(prompts) > 1 and shared > instruction + LEAST_SHARED:
            return min(shared, *(len(prompt.prompt) - 1 for prompt in prompts))
        return min(instruction, shared)

    def _grammar_tokenizer(self) -> Any:
        if self._masker is None:
            self._masker = llguidance.hf.from_tokenizer(
                self.tokens.tokenizer, n_vocab=self._vocabulary
            )
        return self._masker
