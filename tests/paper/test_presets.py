"""The files have the values of the paper, and so have the adapters trained by them."""

import json

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from spacy.util import load_config
from transformers import AutoModelForCausalLM

from .presets import PRESETS, file_of


@pytest.mark.parametrize("name", PRESETS)
def test_file_has_the_values_of_the_paper(name):
    config = load_config(file_of(name), interpolate=True)
    component = config["components"]["ramie_extractor"]
    training = config["ramie"]["training"]

    assert config["paths"]["base"] == component["engine"]["base"] == PRESETS[name].base
    assert component["style"] == {"@misc": "spacy_ramie.Paper.v1"}
    assert component["schema"] == {"@misc": "spacy_ramie.SupplementsPaper.v1"}
    assert component["retriever"]["k"] == 1
    assert component["retriever"]["encoder"] == {
        "@misc": f"spacy_ramie.{PRESETS[name].encoder}.v1"
    }
    assert config["ramie"]["lora"] == {
        "r": 64,
        "lora_alpha": 32,
        "lora_dropout": 0.1,
        "target_modules": "all-linear",
    }
    assert training["learning_rate"] == 1e-5
    assert training["per_device_train_batch_size"] == 4
    assert training["max_steps"] == 5000
    assert training["eval_steps"] == training["save_steps"] == 1000
    assert training["load_best_model_at_end"] is True


def test_every_file_is_tested():
    assert {file.stem for file in file_of("").parent.glob("*.cfg")} == set(PRESETS)


def test_adapter_is_on_every_linear_layer(trained):
    config = json.loads((trained.adapter / "adapter_config.json").read_text())

    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (64, 32, 0.1)
    weights = load_file(trained.adapter / "adapter_model.safetensors")
    assert {".".join(name.split(".")[-5:-2]) for name in weights} == {
        f"{layer}.{module}"
        for layer in range(trained.preset.shape["num_hidden_layers"])
        for module in (
            *("self_attn.q_proj", "self_attn.k_proj"),
            *("self_attn.v_proj", "self_attn.o_proj"),
            *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
        )
    }
    assert trained.measured["best_dev_loss"] > 0


def test_merged_model_computes_what_base_and_adapter_do(trained):
    runner = trained.extraction.engine.load()
    ids = torch.tensor([range(3, 203)])
    base = AutoModelForCausalLM.from_pretrained(trained.base).eval()

    with torch.inference_mode():
        before = base(ids).logits
        unmerged = PeftModel.from_pretrained(base, str(trained.adapter)).eval()
        expected = unmerged(ids).logits
        merged = runner.model(ids).logits

    assert not any("lora" in name for name, _ in runner.model.named_modules())
    assert merged.dtype == torch.float32
    torch.testing.assert_close(merged, expected, atol=1e-4, rtol=0)
    assert (expected - before).abs().max() > 0.05
