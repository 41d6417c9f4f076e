"""Adapters are merged as PEFT merges them, and left to it where they are not plain."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import srsly
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

from spacy_ramie import default
from spacy_ramie.engine.loading import load_base, load_model
from spacy_ramie.engine.merging import is_plain, merge_adapter
from spacy_ramie.errors import ModelError

CPU = torch.device("cpu")
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def merged_by_peft(base, adapter, dtype=torch.float32):
    model = PeftModel.from_pretrained(load_base(str(base), dtype=dtype), str(adapter))
    return model.merge_and_unload(safe_merge=True).state_dict()


def same(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(weights, other[name]) for name, weights in one.items())


@pytest.fixture
def adapter_of(tiny_base, tmp_path):
    """Make an adapter that has learnt something."""

    def make(**settings) -> Path:
        torch.manual_seed(0)
        config = LoraConfig(task_type="CAUSAL_LM", **settings)
        model = get_peft_model(load_base(str(tiny_base)), config)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.requires_grad:
                    weight += 0.1 * torch.randn_like(weight)
        model.save_pretrained(tmp_path / "adapter")
        return tmp_path / "adapter"

    return make


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": "all-linear", "r": 4, "lora_alpha": 32},
        {"target_modules": ["q_proj"], "r": 2, "init_lora_weights": "gaussian"},
        {"target_modules": ["self_attn.v_proj"], "lora_dropout": 0.1},
    ],
)
def test_plain_adapters_are_merged_as_by_peft(
    tiny_base, adapter_of, settings, dtype, monkeypatch
):
    adapter = adapter_of(**settings)
    wanted = merged_by_peft(tiny_base, adapter, dtype)
    assert not same(wanted, load_base(str(tiny_base), dtype=dtype).state_dict())

    monkeypatch.setitem(sys.modules, "peft", None)
    merged = load_model(str(tiny_base), str(adapter), CPU, dtype)

    assert same(merged.model.state_dict(), wanted)


@pytest.mark.parametrize(
    "settings",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"rank_pattern": {"q_proj": 2}},
        {"alpha_pattern": {"q_proj": 2}},
        {"target_modules": "model.*q_proj"},
    ],
)
def test_all_others_are_merged_by_peft(tiny_base, adapter_of, settings):
    adapter = adapter_of(**{"target_modules": LINEAR, "r": 4, **settings})

    merged = load_model(str(tiny_base), str(adapter), CPU, torch.float32)

    assert same(merged.model.state_dict(), merged_by_peft(tiny_base, adapter))


def test_the_adapter_that_comes_along_is_plain(monkeypatch):
    wanted = merged_by_peft(default.NAME, default.ADAPTER)

    monkeypatch.setitem(sys.modules, "peft", None)
    merged = merge_adapter(load_base(default.NAME), default.NAME, default.ADAPTER)

    assert same(merged.state_dict(), wanted)


def test_broken_weights_are_not_merged(tiny_base, adapter_of):
    adapter = adapter_of(target_modules=LINEAR)
    model = load_base(str(tiny_base))
    with torch.no_grad():
        model.model.layers[0].self_attn.q_proj.weight.fill_(torch.inf)

    with pytest.raises(ModelError, match=r"R203.*not numbers"):
        merge_adapter(model, str(tiny_base), adapter)


@pytest.mark.parametrize("text", ["[]", "{}"])
def test_a_config_that_is_none(tiny_base, tiny_adapter, tmp_path, text):
    adapter = shutil.copytree(tiny_adapter, tmp_path / "adapter")
    (adapter / "adapter_config.json").write_text(text)

    with pytest.raises(ModelError, match=r"R203.*no peft_type"):
        load_model(str(tiny_base), str(adapter), CPU, torch.float32)


@pytest.mark.parametrize(
    "setting",
    [
        {"layers_to_transform": 0},
        {"kasa_config": {}},
        {"init_lora_weights": "pissa"},
        {"peft_type": "IA3"},
        {"target_modules": "all-linear"},
        {"use_later": True},
    ],
)
def test_what_is_set_is_not_plain(setting):
    """Of a PEFT to come too: what it means for the weights is not known here."""
    config = srsly.read_json(default.ADAPTER / "adapter_config.json")

    assert is_plain(config)
    assert not is_plain({**config, **setting})


def test_an_adapter_of_no_layer_of_the_base(tiny_base, adapter_of):
    adapter = adapter_of(target_modules=["q_proj"])
    config = srsly.read_json(adapter / "adapter_config.json")
    other = {**config, "target_modules": ["query"]}
    srsly.write_json(adapter / "adapter_config.json", other)
    save_file({}, adapter / "adapter_model.safetensors")

    with pytest.raises(ModelError, match=r"R203.*does not fit"):
        load_model(str(tiny_base), str(adapter), CPU, torch.float32)


def test_the_first_note_is_answered_without_peft():
    code = (
        "import sys\n"
        "sys.modules['peft'] = None\n"
        "import spacy\n"
        "nlp = spacy.blank('en')\n"
        "nlp.add_pipe('ramie_extractor')\n"
        "print(nlp('Started melatonin.').ents[0])\n"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ran.stdout == "melatonin\n", ran.stderr
