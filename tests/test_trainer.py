"""What the trainer makes of examples: batches, their order, losses and gradients."""

from random import Random

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from spacy_ramie.training.collator import TYPICAL, CompletionCollator
from spacy_ramie.training.features import Feature
from spacy_ramie.training.sampler import TaskGroupedSampler
from spacy_ramie.training.trainer import (
    CompletionTrainer,
    make_arguments,
    training_reach,
)

torch.set_num_threads(1)


def some_features():
    """Two tasks with an instruction each, and examples of different lengths."""
    random = Random(0)
    return [
        Feature(
            [*instruction, *(random.randrange(9, 600) for _ in range(length))],
            completion=random.randrange(1, 6),
            instruction=len(instruction),
            input=length,
            kind=kind,
        )
        for kind, instruction in {"a": [1, *range(40, 70)], "b": [1, 7, 8]}.items()
        for length in random.choices(range(8, 40), k=45)
    ]


@pytest.mark.parametrize(("reading", "lora"), [(0.0, False), (1.0, False), (0.0, True)])
def test_reading_the_instruction_once_changes_no_gradient(
    reading, lora, tiny_base, tmp_path
):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    if lora:
        options = {"target_modules": "all-linear", "init_lora_weights": False}
        model = get_peft_model(model, LoraConfig(r=4, **options))
    features = [f for f in some_features() if f.kind == "a"][:8]
    trainer = CompletionTrainer(model=model, args=make_arguments(tmp_path, {}))

    def gradients(reach):
        batch = CompletionCollator(reading=reading, even=0.0, reach=reach)(features)
        model.zero_grad()
        trainer.compute_loss(model, batch).backward()
        learnt = [p.grad.clone() for p in model.parameters() if p.requires_grad]
        return batch["prefix"].shape[1], learnt

    shared, once = gradients(10_000)
    none, each = gradients(0)

    assert (shared, none) == (30, 0)
    assert max(g.abs().max() for g in each) > 1e-3
    for one, other in zip(once, each, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("how", ["arguments", "model", "window"])
def test_a_model_that_cannot_share_its_beginning_is_known(how, tiny_base, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    arguments = make_arguments(tmp_path, {"gradient_checkpointing": how == "arguments"})
    if how == "model":
        # As peft prepares a model in 4 bits.
        model.gradient_checkpointing_enable()
    if how == "window":
        model.config.sliding_window = 40

    assert training_reach(model, arguments) == (40 if how == "window" else 0)
    plain = AutoModelForCausalLM.from_pretrained(tiny_base)
    assert training_reach(plain, make_arguments(tmp_path, {})) > 100_000


def test_a_short_completion_can_count_as_much_as_a_long_one(tiny_base, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    trainer = CompletionTrainer(model=model, args=make_arguments(tmp_path, {}))
    features = [f for f in some_features() if f.kind == "a"][:8]
    assert len({f.completion for f in features}) > 2
    batch = CompletionCollator(reading=0.0, even=1.0, reach=10_000)(features)

    loss = trainer.compute_loss(model, batch, num_items_in_batch=1)

    means = []
    for f in features:
        ids = torch.tensor([f.ids])
        labels = ids.where(torch.arange(len(f.ids)) >= len(f.ids) - f.completion, -100)
        means.append(model(ids, labels=labels).loss)
    torch.testing.assert_close(loss, TYPICAL * sum(means), atol=1e-3, rtol=1e-4)


def test_a_base_learns_to_read_but_not_its_instructions():
    features = [f for f in some_features() if f.kind == "a"]

    labels = CompletionCollator(reading=1.0, even=0.0, reach=10_000)(features)["labels"]

    for feature, row in zip(features, labels.tolist(), strict=True):
        assert [x for x in row if x >= 0] == feature.ids[feature.instruction :]


def test_a_batch_is_of_one_task_and_of_similar_length():
    features = some_features()
    sampler = TaskGroupedSampler(features, batch=8, seed=0)

    order = list(sampler)

    assert sorted(order) == list(range(len(features)))
    batches = [order[i : i + 8] for i in range(0, len(order), 8)]
    kinds = [{features[i].kind for i in batch} for batch in batches]
    # 45 of each task: five whole batches, and what is left of both at the end.
    assert [len(kind) for kind in kinds[:10]] == [1] * 10
    lengths = [[len(features[i].ids) for i in batch] for batch in batches[:10]]
    assert max(max(batch) - min(batch) for batch in lengths) < 20


def test_another_epoch_has_another_order_and_a_seed_gives_it_again():
    features = some_features()
    sampler = TaskGroupedSampler(features, batch=8, seed=0)
    first = list(sampler)
    sampler.set_epoch(1)

    assert list(sampler) != first
    assert list(TaskGroupedSampler(features, batch=8, seed=0)) == first
