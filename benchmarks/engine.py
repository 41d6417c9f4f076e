"""What each part of the engine is worth, switched on and off."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar
from unittest.mock import patch

import torch

from spacy_ramie.engine import runner
from spacy_ramie.engine.masking import GrammarMask
from spacy_ramie.types import Answer

from .rounds import Row, alternate, same_texts, times_as_fast
from .scene import Scene, texts


def bench(scene: Scene) -> list[Row]:
    """Prefix cache, label scoring, grammar, deduplication."""
    return [
        prefix_cache(scene),
        label_scoring(scene),
        grammar(scene),
        deduplication(scene),
    ]


def prefix_cache(scene: Scene) -> Row:
    """Labels scored with what all begin with read once, and with every prompt.

    All are shown the same exemplar, as in a single note: about half of a prompt is
    then the same in all of one task.
    """
    shown = {request.task: request.parts[1] for request in scene.of("re", "uc")}
    requests = [
        replace(r, parts=(r.parts[0], shown[r.task], r.parts[-1]))
        for r in scene.of("re", "uc")
    ]
    prefixes = scene.engine.load().prefixes
    reach = prefixes.reach
    shared = sum(length_of(scene, request.parts[:-1]) for request in requests)
    known = shared / sum(length_of(scene, request.parts) for request in requests)

    def run(reach: int) -> list[Answer]:
        prefixes.reach = reach
        return scene.engine.run(requests)

    arms = alternate({"on": lambda: run(reach), "off": lambda: run(0)}, scene.rounds)
    prefixes.reach = reach
    apart = max(
        abs(a - b)
        for on, off in zip(arms["on"].result, arms["off"].result, strict=True)
        for a, b in zip(on.scores, off.scores, strict=True)
    )
    note = (
        f"{known:.0%} of a prompt shared; probabilities differ by at most {apart:.0e}"
    )
    return times_as_fast(
        "prefix cache",
        "off",
        target=1.4,
        new=arms["on"],
        old=arms["off"],
        note=note,
    )


def length_of(scene: Scene, parts: Sequence[str]) -> int:
    """Tokens of the parts of a prompt."""
    tokens = scene.engine.load().tokens
    return sum(len(tokens.completion(part)) - 1 for part in parts)


def label_scoring(scene: Scene) -> Row:
    """Labels scored, and generated under a grammar of the labels."""
    scored = scene.of("re", "uc")
    generated = [
        replace(request, choices=(), grammar=label_grammar(request.choices))
        for request in scored
    ]
    arms = alternate(
        {
            "scored": lambda: scene.engine.run(scored),
            "generated": lambda: scene.engine.run(generated),
        },
        scene.rounds,
    )
    same = same_texts(texts(arms["scored"].result), texts(arms["generated"].result))
    return times_as_fast(
        "label scoring",
        "generating the label under the grammar",
        target=2,
        new=arms["scored"],
        old=arms["generated"],
        note=f"{same:.0%} the same label",
    )


def label_grammar(choices: Sequence[str]) -> str:
    """The grammar of one label."""
    return f"start: / {{0,2}}/ ({' | '.join(json.dumps(c.strip()) for c in choices)})\n"


def grammar(scene: Scene) -> Row:
    """Answers under the grammar, and the same tokens given by nobody's leave."""
    requests = scene.of("ner", "te")
    with patch.object(runner, "GrammarMask", Recording):
        bound = scene.engine.run(requests)
    said = Recording.said

    def replayed() -> list[Answer]:
        Replaying.said = iter(said)
        with patch.object(runner, "GrammarMask", Replaying):
            return scene.engine.run(requests)

    arms = alternate(
        {"bound": lambda: scene.engine.run(requests), "free": replayed}, scene.rounds
    )
    same = same_texts(texts(bound), texts(arms["free"].result))
    return times_as_fast(
        "decoding under the grammar, a token",
        "free decoding, a token",
        target=0.9,
        new=arms["bound"],
        old=arms["free"],
        note=f"{len(said)} steps; {same:.0%} the same answer",
    )


class Recording(GrammarMask):
    """Remembers what was said at every step."""

    said: ClassVar[list[torch.Tensor]] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Mask, and keep the best token of every row."""
        masked = super().__call__(input_ids, scores)
        self.said.append(masked.argmax(dim=-1))
        return masked


class Replaying(GrammarMask):
    """Free decoding that takes as many steps: says again what was recorded."""

    said: ClassVar[Iterator[torch.Tensor]]

    def __init__(self, tokenizer: Any, grammars: Sequence[Any], executor: Any) -> None:
        super().__init__(tokenizer, [None] * len(grammars), executor)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Make the recorded tokens the best."""
        free = super().__call__(input_ids, scores)
        best = next(self.said)
        free[torch.arange(len(best)), best] = float("inf")
        return free


def deduplication(scene: Scene) -> Row:
    """Every request twice: in one call, where it is answered once, and in two."""
    requests = scene.requests
    arms = alternate(
        {
            "once": lambda: scene.engine.run([*requests, *requests]),
            "twice": lambda: scene.engine.run(requests) + scene.engine.run(requests),
        },
        scene.rounds,
    )
    same = same_texts(texts(arms["once"].result), texts(arms["twice"].result))
    return times_as_fast(
        "half the requests duplicates",
        "each answered",
        target=1.8,
        new=arms["once"],
        old=arms["twice"],
        note=f"{same:.0%} the same answer",
    )
