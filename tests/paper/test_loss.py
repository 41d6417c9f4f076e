"""The loss is that of completions alone, on each architecture."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.training.collator import CompletionCollator
from spacy_ramie.training.features import Feature
from spacy_ramie.training.trainer import (
    CompletionTrainer,
    make_arguments,
    training_reach,
)
from spacy_ramie.types import Request

from .models import build_base
from .presets import PRESETS


@pytest.mark.parametrize("name", ["llama_2_7b", "mistral_7b", "llama_3_8b"])
@pytest.mark.parametrize("counted", [False, True])
def test_loss_is_that_of_completions_alone(name, counted, tokenizers, tmp_path):
    preset = PRESETS[name]
    folder = build_base(preset, tokenizers[preset.kind], tmp_path / "base", spread=0.3)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokens = PromptTokenizer(AutoTokenizer.from_pretrained(folder), 2048)
    features = []
    for prompt, completion in [
        ("Garlic for colds. " * 9, "garlic"),
        ("Off ginger.", "['a long', 'completion']"),
        ("x" * 70, "None"),
    ]:
        request = Request("ner", ("Find all herbs.", prompt))
        learnt = tokens.completion(completion)
        encoded = tokens.encode(request, 0)
        ids = [*encoded.prompt, *learnt]
        lengths = len(learnt), encoded.instruction, encoded.input
        features.append(Feature(ids, *lengths, "ner"))
    trainer = CompletionTrainer(model=model, args=make_arguments(tmp_path / "run", {}))

    batch = CompletionCollator(
        reading=0.0, even=0.0, reach=training_reach(model, trainer.args)
    )(features)
    count = None
    if counted:
        _, count = trainer.get_batch_samples(iter([batch]), 1, batch["labels"].device)
    loss = trainer.compute_loss(model, batch, num_items_in_batch=count)

    assert (batch["labels"][:, -1] == tokens.eos).all()
    # The model reads the instruction once, not once a row, but where attention
    # slides over less than a prompt.
    assert (batch["prefix"].shape[1] > 3) == (name != "mistral_7b")
    width = max(len(f.ids) for f in features)
    ids = torch.tensor([f.ids + [0] * (width - len(f.ids)) for f in features])
    labels = torch.tensor(
        [
            [-100] * (len(f.ids) - f.completion)
            + f.ids[-f.completion :]
            + [-100] * (width - len(f.ids))
            for f in features
        ]
    )
    mask = torch.tensor(
        [[1] * len(f.ids) + [0] * (width - len(f.ids)) for f in features]
    )
    expected = model(ids, attention_mask=mask, labels=labels).loss
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
