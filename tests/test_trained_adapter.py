"""The adapter that training leaves: the best on dev, and the same for a seed."""

import json
import shutil
from types import SimpleNamespace

import pytest
import srsly
import torch
from conftest import ROOT
from peft import PeftModel
from safetensors.torch import load_file
from tiny_config import TINY
from training_items import encode
from transformers import AutoModelForCausalLM, AutoTokenizer

from spacy_ramie.engine.fingerprint import fingerprint
from spacy_ramie.errors import ModelError
from spacy_ramie.training.adapter import _lora_model, train_adapter
from spacy_ramie.training.config import load_setup
from spacy_ramie.training.trainer import CompletionTrainer

torch.set_num_threads(1)

CONFIG = ROOT / "configs/supplements.cfg"


@pytest.fixture(scope="module")
def trained(corpus_files, tiny_base, tmp_path_factory):
    """An adapter that learns to answer None, which on the dev split is mostly wrong.

    The loss on that falls, then rises; with large embeddings, by a good deal.
    """
    folder = tmp_path_factory.mktemp("trained")
    base, adapter = folder / "base", folder / "adapter"
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    model.model.embed_tokens.weight.data *= 10
    model.save_pretrained(base)
    AutoTokenizer.from_pretrained(tiny_base).save_pretrained(base)
    records = srsly.read_jsonl(ROOT / "corpus/train.jsonl")
    srsly.write_jsonl(
        folder / "train.jsonl", [r for r in records if not r["entities"]][:20]
    )
    overrides = {
        **TINY,
        "paths.train": str(folder / "train.jsonl"),
        "paths.dev": str(corpus_files["dev"]),
        "paths.base": str(base),
        "paths.adapter": str(adapter),
        "ramie.training.max_steps": 8,
        "ramie.training.per_device_eval_batch_size": 256,
        "ramie.training.lr_scheduler_type": "constant",
        "ramie.training.learning_rate": 0.01,
    }
    setup = load_setup(CONFIG, overrides)
    measured = train_adapter(setup)
    log = srsly.read_json(adapter / "log.json")
    return SimpleNamespace(
        setup=setup,
        base=base,
        adapter=adapter,
        measured=measured,
        log=log,
        overrides=overrides,
    )


def full_loss(model, features):
    """The mean loss over all completion tokens, by the model's own loss."""
    loss = 0.0
    with torch.inference_mode():
        for feature in features:
            ids = torch.tensor([feature.ids])
            labels = ids.clone()
            labels[:, : -feature.completion] = -100
            loss += float(model(ids, labels=labels).loss) * feature.completion
    return loss / sum(feature.completion for feature in features)


def test_adapter_is_one_that_peft_reads(trained):
    base = AutoModelForCausalLM.from_pretrained(trained.base).eval()
    ids = torch.tensor([range(3, 103)])

    with torch.inference_mode():
        before = base(ids).logits
        after = PeftModel.from_pretrained(base, str(trained.adapter)).eval()(ids).logits

    assert (after - before).abs().max() > 0.05
    written = json.loads((trained.adapter / "adapter_config.json").read_text())
    assert (written["peft_type"], written["task_type"]) == ("LORA", "CAUSAL_LM")
    assert (written["r"], written["lora_alpha"], written["lora_dropout"]) == (
        4,
        32,
        0.0,
    )
    assert set(load_file(trained.adapter / "adapter_model.safetensors")) == {
        f"base_model.model.model.layers.{layer}.{module}.lora_{side}.weight"
        for layer in range(2)
        for side in "AB"
        for module in (
            *("self_attn.q_proj", "self_attn.k_proj"),
            *("self_attn.v_proj", "self_attn.o_proj"),
            *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
        )
    }


def test_adapter_says_which_base_and_questions_it_belongs_to(trained):
    known = srsly.read_json(trained.adapter / "ramie.json")
    instructions = known.pop("instructions")
    assert known == {"base": "base", "base_fingerprint": fingerprint(trained.base)}
    assert set(instructions) == {"ner", "re", "te", "uc"}
    assert instructions["uc"].endswith("continue, discontinue, start, uncertain.")


def test_no_checkpoint_is_left(trained):
    assert not list(trained.adapter.glob("checkpoint-*"))


def test_adapter_with_the_lowest_dev_loss_is_kept(trained):
    losses = [entry["eval_loss"] for entry in trained.log if "eval_loss" in entry]
    setup, base = trained.setup, trained.base
    _, features, _ = encode(setup, "dev", base, held_out=True, context=512)
    base = AutoModelForCausalLM.from_pretrained(base).eval()
    kept = PeftModel.from_pretrained(base, str(trained.adapter)).eval()

    assert len(losses) == 4
    # Or one checkpoint would be as good as another.
    assert max(losses) - min(losses) > 0.1
    assert trained.measured["best_dev_loss"] == min(losses)
    assert full_loss(kept, features) == pytest.approx(min(losses), abs=1e-3)


def test_same_seed_gives_the_same_adapter(trained, tmp_path):
    again = {**trained.overrides, "paths.adapter": str(tmp_path / "again")}

    train_adapter(load_setup(CONFIG, again))

    expected = load_file(trained.adapter / "adapter_model.safetensors")
    found = load_file(tmp_path / "again/adapter_model.safetensors")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("steps", [1, 3])
def test_loss_of_a_step_is_the_mean_over_its_completion_tokens(
    steps, paths, tiny_base, tmp_path
):
    """However many batches a step accumulates."""
    train = list(srsly.read_jsonl(paths["paths.train"]))[:6]
    srsly.write_jsonl(tmp_path / "train.jsonl", train)
    paths["paths.train"] = str(tmp_path / "train.jsonl")
    setup = load_setup(CONFIG, paths)
    setup.component.fit_exemplars(setup.docs("train"), setup.nlp)
    _, features, _ = encode(setup, "train", tiny_base, held_out=False, context=512)
    base = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    setup = load_setup(
        CONFIG,
        {
            **TINY,
            **paths,
            # All examples, in one step.
            "ramie.training.max_steps": 1,
            "ramie.training.per_device_train_batch_size": -(-len(features) // steps),
            "ramie.training.gradient_accumulation_steps": steps,
            "ramie.lora.lora_dropout": 0.0,
        },
    )

    train_adapter(setup)

    log = srsly.read_json(tmp_path / "adapter/log.json")
    assert log[0]["loss"] == pytest.approx(full_loss(base, features), abs=1e-3)


@pytest.mark.parametrize(
    ("half", "able", "dtype"),
    [
        (True, True, torch.bfloat16),
        (True, False, torch.float32),
        (False, True, torch.float32),
    ],
)
def test_a_frozen_base_is_as_exact_as_it_is_computed_with(
    paths, half, able, dtype, monkeypatch, caplog
):
    """In float32 where the processor would only imitate bfloat16."""
    monkeypatch.setattr(
        "spacy_ramie.training.config.multiplies_bfloat16", lambda device: able
    )
    setup = load_setup(CONFIG, {**TINY, **paths, "ramie.training.bf16": half})
    models = []

    class Kept(CompletionTrainer):
        def train(self, *args, **kwargs):
            models.append(self.model)
            return super().train(*args, **kwargs)

    monkeypatch.setattr("spacy_ramie.training.adapter.CompletionTrainer", Kept)

    train_adapter(setup)

    frozen = {p.dtype for p in models[0].parameters() if not p.requires_grad}
    learnt = {p.dtype for p in models[0].parameters() if p.requires_grad}
    assert (frozen, learnt) == ({dtype}, {torch.float32})
    assert ("W005" in caplog.text) == (half and not able)


def test_quantised_base_is_loaded_as_configured(paths):
    pytest.importorskip("bitsandbytes")
    quantization = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "bfloat16",
    }
    lora = {"r": 4, "target_modules": "all-linear"}

    model = _lora_model(
        paths["paths.base"],
        {"quantization": quantization, "lora": lora},
        torch.bfloat16,
    )

    used = model.config.quantization_config
    assert (used.load_in_4bit, used.bnb_4bit_quant_type) == (True, "nf4")
    assert used.bnb_4bit_use_double_quant
    assert used.bnb_4bit_compute_dtype == torch.bfloat16
    kinds = {type(module).__name__ for module in model.modules()}
    assert "Linear4bit" in kinds


def test_an_adapter_to_go_on_from_that_peft_does_not_know(
    paths, tiny_base, tiny_adapter, tmp_path
):
    start = shutil.copytree(tiny_adapter, tmp_path / "start")
    config = srsly.read_json(start / "adapter_config.json")
    srsly.write_json(start / "adapter_config.json", {**config, "peft_type": "LATER"})
    setup = load_setup(CONFIG, {**TINY, **paths, "ramie.start": str(start)})

    with pytest.raises(ModelError, match=r"R203.*start"):
        train_adapter(setup)
