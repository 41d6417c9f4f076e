"""One batch through the model: generated under grammars, or scored."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

import llguidance
import llguidance.hf
import torch
from transformers import GenerationConfig, LogitsProcessorList

from ..types import Answer, Failure, Request
from .attention import make_masks
from .labels import Labels, tell_apart
from .loading import Loaded
from .masking import GrammarMask
from .prefix import Prefixes, pad_left, positions
from .tokens import PromptTokenizer

# Tokens that are generated before rows that are done leave their batch.
ROUND = 16


class Prompt(NamedTuple):
    """A request that is ready to run.

    request (Request): The request.
    prompt (list[int]): Its token ids.
    instruction (int): How many of its ids are the instruction's.
    head (int): How many are the instruction's and the exemplars'.
    room (int): Tokens that its answer may take.
    exemplars (int): How many exemplars are left in it.
    rows (int): Rows that it takes in a batch.
    """

    request: Request
    prompt: list[int]
    instruction: int
    head: int
    room: int
    exemplars: int
    rows: int


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
        # transformers hands a slice of columns to the head. In bfloat16 on a CPU torch
        # copies the weights for every row of what is not contiguous.
        self.model.get_output_embeddings().register_forward_pre_hook(_contiguous)
        make_masks(self.model)
        self.tokens = PromptTokenizer(loaded.tokenizer, loaded.context)
        self.max_new_tokens = max_new_tokens
        self._vocabulary = int(self.model.config.vocab_size)
        self.prefixes = Prefixes(self.model, self.tokens.eos)
        self._masker: Any = None
        self._executor = llguidance.LLExecutor()
        # A schema has a few sets of choices, and every request one of them.
        self._labels = lru_cache(maxsize=256)(self._read_labels)

    def encode(self, request: Request) -> Prompt | Answer:
        """Encode a request, or answer that it is too long."""
        labels = self._labels(request.choices) if request.choices else None
        if labels is not None:
            room = max(map(len, labels.ids))
        else:
            # Enough for a list of all pairs of a few entities.
            tail = len(self.tokens.completion(request.parts[-1]))
            room = min(self.max_new_tokens, 32 + 4 * tail, self.tokens.context // 2)
        encoded = self.tokens.encode(request, room)
        if encoded is None:
            message = f"the sentence does not fit into {self.tokens.context} tokens"
            return Answer(error=Failure("too_long", message))
        return Prompt(
            request,
            encoded.prompt,
            encoded.instruction,
            len(encoded.prompt) - encoded.input,
            room,
            encoded.exemplars,
            1 if labels is None else labels.rows,
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
        rows = [prompt.prompt for prompt in prompts]
        heads = [prompt.head for prompt in prompts]
        batch = self._batch(rows, prompts[0].instruction, heads, room)
        new = self._decode(batch, mask, room)
        said = zip(prompts, new, mask.logprobs, mask.broken(), strict=True)
        return [self._read(*row) for row in said]

    def _decode(
        self, batch: dict[str, Any], mask: GrammarMask, room: int
    ) -> list[list[int]]:
        """Generate in rounds: a row that is done leaves, and the others go on faster."""
        width = batch["input_ids"].shape[1]
        steps = ROUND if width + room <= self.prefixes.reach else room
        new: list[list[int]] = [[] for _ in mask.logprobs]
        rows = list(range(len(new)))
        while rows and room:
            steps = min(steps, room)
            output = self.model.generate(
                **batch,
                logits_processor=LogitsProcessorList([mask]),
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=steps,
                    eos_token_id=self.tokens.eos,
                    pad_token_id=self.tokens.eos,
                    return_dict_in_generate=True,
                ),
            )
            ids = output.sequences
            said = ids[:, batch["input_ids"].shape[1] :]
            for row, tokens in zip(rows, said.tolist(), strict=True):
                new[row] += tokens
            room -= steps
            going = [i for i, row in enumerate(rows) if self.tokens.eos not in new[row]]
            rows = [rows[i] for i in going]
            if rows and room:
                mask.keep(going)
                batch = _go_on(batch, output, going)
        return new

    def _read(
        self, prompt: Prompt, ids: list[int], logprobs: list[float], broken: bool
    ) -> Answer:
        said = list(takewhile(lambda token: token != self.tokens.eos, ids))
        text, ends = self.tokens.decode(said)
        pieces = tuple(zip(ends, logprobs, strict=False))
        truncated = broken or len(said) == len(ids)
        return Answer(text, (), pieces, truncated, exemplars=prompt.exemplars)

    def _read_labels(self, choices: tuple[str, ...]) -> Labels:
        return tell_apart([self.tokens.completion(choice) for choice in choices])

    def _score(self, prompts: list[Prompt], choices: tuple[str, ...]) -> list[Answer]:
        labels = self._labels(choices)
        chances = (
            self._by_first_token(prompts, labels)
            if labels.next
            else self._by_whole_label(prompts, labels.ids)
        )
        answers = []
        for prompt, row in zip(prompts, chances, strict=True):
            best = max(range(len(choices)), key=row.__getitem__)
            answers.append(
                Answer(choices[best], tuple(row), exemplars=prompt.exemplars)
            )
        return answers

    def _by_first_token(
        self, prompts: list[Prompt], labels: Labels
    ) -> list[list[float]]:
        """Exact where the labels differ in their first token after what they share."""
        rows = [[*prompt.prompt, *labels.shared] for prompt in prompts]
        heads = [prompt.head for prompt in prompts]
        logits = self._logits(rows, prompts[0].instruction, heads, keep=1)[:, -1]
        chances: list[list[float]] = logits[:, labels.next].float().softmax(-1).tolist()
        return chances

    def _by_whole_label(
        self, prompts: list[Prompt], labels: Sequence[Sequence[int]]
    ) -> list[list[float]]:
        """The probability of each whole label, its end included."""
        rows = [[*prompt.prompt, *label] for prompt in prompts for label in labels]
        heads = [len(prompt.prompt) - 1 for prompt in prompts for _ in labels]
        keep = max(map(len, labels)) + 1
        # The logits at a position speak of the token behind it.
        logits = self._logits(rows, prompts[0].instruction, heads, keep=keep)[:, :-1]
        logprobs = logits.float().log_softmax(dim=-1)
        sums = [
            logprobs[i, -len(label) :].gather(-1, self._column(label)).sum()
            for i, label in enumerate([*labels] * len(prompts))
        ]
        of_all = torch.stack(sums).view(len(prompts), len(labels))
        chances: list[list[float]] = of_all.softmax(dim=-1).tolist()
        return chances

    def _column(self, ids: Sequence[int]) -> torch.Tensor:
        return torch.tensor(ids, device=self.model.device)[:, None]

    def _logits(
        self, rows: list[list[int]], instruction: int, heads: list[int], *, keep: int
    ) -> torch.Tensor:
        """The logits of the last columns."""
        batch = self._batch(rows, instruction, heads)
        past = batch["past_key_values"]
        known = 0 if past is None else past.get_seq_length()
        batch["input_ids"] = batch["input_ids"][:, known:]
        logits: torch.Tensor = self.model(
            **batch,
            position_ids=positions(batch["attention_mask"])[:, known:],
            logits_to_keep=keep,
            use_cache=past is not None,
        ).logits
        return logits

    def _batch(
        self, rows: list[list[int]], instruction: int, heads: list[int], room: int = 0
    ) -> dict[str, Any]:
        """Rows as arguments for the model, with what they share read already.

        Padding lies before what each row has of its own.
        """
        own = max(len(row) - head for row, head in zip(rows, heads, strict=True))
        if max(heads) + own + room > self.prefixes.reach:
            instruction, heads = 0, [0] * len(rows)
        begun = self.prefixes.begin(rows, instruction, heads)
        rest = [row[read:] for row, read in zip(rows, begun.read, strict=True)]
        ids, mask = pad_left(rest, self.tokens.eos)
        device = self.model.device
        return {
            "input_ids": torch.cat([begun.ids, ids.to(device)], dim=1),
            "attention_mask": torch.cat([begun.mask, mask.to(device)], dim=1),
            "past_key_values": begun.cache,
        }

    def _grammar_tokenizer(self) -> Any:
        if self._masker is None:
            self._masker = llguidance.hf.from_tokenizer(
                self.tokens.tokenizer, n_vocab=self._vocabulary
            )
        return self._masker


def _go_on(batch: dict[str, Any], output: Any, rows: list[int]) -> dict[str, Any]:
    """The rows of a batch that are not done, with what they have said."""
    chosen = torch.tensor(rows, device=output.sequences.device)
    before = batch["attention_mask"]
    more = output.sequences.shape[1] - before.shape[1]
    mask = torch.cat([before, before.new_ones(len(before), more)], dim=1)
    cache = output.past_key_values
    if len(rows) < len(before):
        cache.batch_select_indices(chosen)
    return {
        "input_ids": output.sequences[chosen],
        "attention_mask": mask[chosen],
        "past_key_values": cache,
    }


def _contiguous(_: Any, states: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(state.contiguous() for state in states)
