"""A training step: this package's batch and the plain one."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from spacy_ramie import default
from spacy_ramie.engine.loading import load_base, load_tokenizer
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.training.collator import IGNORED, CompletionCollator
from spacy_ramie.training.features import Feature, encode_items
from spacy_ramie.training.trainer import (
    CompletionTrainer,
    make_arguments,
    training_reach,
)

from .rounds import Row, alternate, times_as_fast
from .scene import Scene

BATCH = 16


def bench(scene: Scene) -> list[Row]:
    """Forward and backward over batches of one task each."""
    model = load_base(default.NAME)
    context = int(model.config.max_position_embeddings)
    tokens = PromptTokenizer(load_tokenizer(default.NAME), context)
    batches = list(make_batches(scene, tokens))
    longest = max(len(feature.ids) for batch in batches for feature in batch)
    with tempfile.TemporaryDirectory() as folder:
        arguments = make_arguments(Path(folder), {})
        trainer = CompletionTrainer(model=model, args=arguments)
        reach = training_reach(model, arguments)
        collate = CompletionCollator(reading=0.0, even=0.0, reach=reach)

        def ours() -> float:
            return sum(
                step(trainer.compute_loss(model, collate(batch))) for batch in batches
            )

        def plain() -> float:
            return sum(step(plain_loss(model, batch, longest)) for batch in batches)

        arms = alternate({"ours": ours, "plain": plain}, scene.rounds)
    apart = abs(arms["ours"].result - arms["plain"].result) / len(batches)
    row = times_as_fast(
        "training tokens a second",
        "padded to the longest, all logits",
        target=2,
        new=arms["ours"],
        old=arms["plain"],
        note=f"the losses differ by {apart:.0e}",
    )
    return [row]


def make_batches(scene: Scene, tokens: PromptTokenizer) -> Iterator[list[Feature]]:
    """Batches of one task, with prompts of similar length."""
    road = scene.extraction
    features = encode_items(
        scene.items,
        scene.vectors,
        road.tasks,
        road.style,
        road.retriever,
        tokens,
        held_out=True,
    )
    for task in road.tasks:
        of_task = [feature for feature in features if feature.kind == task]
        of_task.sort(key=lambda feature: len(feature.ids))
        for at in range(0, len(of_task) - BATCH + 1, BATCH):
            yield of_task[at : at + BATCH]


def plain_loss(model: Any, batch: Sequence[Feature], width: int) -> torch.Tensor:
    """Every row as wide as the longest of all, every column through the head."""
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, IGNORED)
    for row, feature in enumerate(batch):
        end = len(feature.ids)
        ids[row, :end] = torch.tensor(feature.ids)
        mask[row, :end] = 1
        labels[row, end - feature.completion : end] = ids[
            row, end - feature.completion : end
        ]
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return cross_entropy(
        logits[:, :-1].flatten(0, 1).float(),
        labels[:, 1:].flatten(),
        ignore_index=IGNORED,
    )


def step(loss: torch.Tensor) -> float:
    """Gradients, which the next step adds to."""
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())
