"""A base or an adapter that cannot be used is refused, by its name."""

import json
import shutil
from pathlib import Path

import pytest
import spacy
import torch
from conftest import NOTE
from peft import LoraConfig, get_peft_model
from whole_pipeline import COMPONENT, make_pipeline

from spacy_ramie.engine.fingerprint import fingerprint
from spacy_ramie.engine.loading import load_base, load_tokenizer
from spacy_ramie.errors import ModelError
from spacy_ramie.training.small_llama import small_llama


def test_own_wording_without_an_adapter():
    nlp = spacy.blank("en")
    nlp.add_pipe(COMPONENT, config={"style": {"@misc": "spacy_ramie.Paper.v1"}})
    with pytest.raises(ModelError, match=r"R201.*ramie-small"):
        nlp(NOTE)


def remove_folder(base: Path) -> None:
    shutil.rmtree(base)


def remove_weights(base: Path) -> None:
    (base / "model.safetensors").unlink()


def cut_weights(base: Path) -> None:
    file = base / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def remove_tokenizer(base: Path) -> None:
    (base / "tokenizer.json").unlink()


def spoil_config(base: Path) -> None:
    (base / "config.json").write_text("{")


@pytest.mark.parametrize(
    "damage",
    [remove_folder, remove_weights, cut_weights, remove_tokenizer, spoil_config],
)
def test_a_base_that_cannot_be_loaded(tiny_base, tmp_path, damage):
    base = shutil.copytree(tiny_base, tmp_path / "base")
    damage(base)
    with pytest.raises(ModelError, match=rf"R202.*{base}"):
        make_pipeline(base)(NOTE)


def remove_adapter(adapter: Path) -> None:
    shutil.rmtree(adapter)


def remove_adapter_weights(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()


def cut_adapter_weights(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def remove_adapter_config(adapter: Path) -> None:
    (adapter / "adapter_config.json").unlink()


def spoil_adapter_config(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text("{")


def spoil_training_note(adapter: Path) -> None:
    (adapter / "ramie.json").write_text("{}")


@pytest.mark.parametrize(
    "damage",
    [
        remove_adapter,
        remove_adapter_weights,
        cut_adapter_weights,
        remove_adapter_config,
        spoil_adapter_config,
        spoil_training_note,
    ],
)
def test_an_adapter_that_cannot_be_used(tiny_base, tiny_adapter, tmp_path, damage):
    adapter = shutil.copytree(tiny_adapter, tmp_path / "adapter")
    damage(adapter)
    with pytest.raises(ModelError, match=rf"R203.*{adapter}"):
        make_pipeline(tiny_base, adapter)(NOTE)


@pytest.fixture
def foreign_adapter(tiny_base, tmp_path):
    """Make an adapter of a base of another shape."""

    def make(**shape) -> Path:
        tokenizer = load_tokenizer(str(tiny_base))
        model = small_llama(
            {"hidden": 32, "layers": 2, "heads": 2, "context": 64, **shape}, tokenizer
        )
        lora = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"])
        get_peft_model(model, lora).save_pretrained(tmp_path / "foreign")
        return tmp_path / "foreign"

    return make


@pytest.mark.filterwarnings("ignore:Found missing adapter keys")
@pytest.mark.parametrize("shape", [{"hidden": 16}, {"layers": 1}, {"layers": 3}])
def test_an_adapter_of_another_shape(tiny_base, foreign_adapter, shape):
    with pytest.raises(ModelError, match="R203.*does not fit the base model"):
        make_pipeline(tiny_base, foreign_adapter(**shape))(NOTE)


def test_an_adapter_of_another_base_of_the_same_shape(
    tiny_base, tiny_adapter, tmp_path
):
    adapter = shutil.copytree(tiny_adapter, tmp_path / "adapter")
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    model = load_base(str(tiny_base))
    with torch.no_grad():
        model.model.norm.weight += 0.5
    model.save_pretrained(other)
    trained_on = {"base": "base", "base_fingerprint": fingerprint(tiny_base)}
    (adapter / "ramie.json").write_text(json.dumps(trained_on))

    assert make_pipeline(tiny_base, adapter)(NOTE)._.ramie["requests"]
    with pytest.raises(ModelError, match=rf"R204.*{fingerprint(tiny_base)}.*{other}"):
        make_pipeline(other, adapter)(NOTE)
