"""An encoder is known by its model and settings, wherever the folder lies."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from encoding import make
from tiny_bert import write_bert
from transformers import AutoModel


def test_identity_is_the_same_for_a_copy_of_the_folder(bert, tmp_path):
    copy = shutil.copytree(bert, tmp_path / "elsewhere")

    moved = make("Contriever", model=str(copy))

    assert moved.identity == make("Contriever", model=str(bert)).identity


def other_weights(folder: Path) -> None:
    write_bert(folder, seed=5)


def other_bias(folder: Path) -> None:
    """Change the last layer alone, as fine-tuning with frozen layers does."""
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.encoder.layer[-1].output.dense.bias += 1e-3
    model.save_pretrained(folder)


def other_tokenizer(folder: Path) -> None:
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"lowercase": true', '"lowercase": false'))
    file.write_text(file.read_text().replace('"lowercase":true', '"lowercase":false'))


def other_config(folder: Path) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "hidden_act": "relu"}))


def other_pooling(folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    settings = {"pooling_mode_cls_token": True, "word_embedding_dimension": 16}
    (folder / "1_Pooling/config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    "change", [other_weights, other_bias, other_tokenizer, other_config, other_pooling]
)
def test_identity_changes_with_the_model_folder(
    change: Callable[[Path], None], bert, tmp_path
):
    folder = Path(shutil.copytree(bert, tmp_path / "model"))
    before = make("SentenceEncoder", model=str(folder)).identity

    change(folder)

    assert make("SentenceEncoder", model=str(folder)).identity != before


@pytest.mark.parametrize(
    "settings",
    [
        {"pooling": "cls"},
        {"pooling": "mean", "length": 8},
        {"pooling": "mean", "query_prefix": "query: "},
        {"pooling": "mean", "document_prefix": "passage: "},
    ],
)
def test_identity_changes_with_the_settings(settings, bert):
    plain = make("SentenceEncoder", model=str(bert), pooling="mean")

    changed = make("SentenceEncoder", model=str(bert), **settings)

    assert changed.identity != plain.identity


def test_identity_tells_the_two_encoders_of_medcpt_apart(bert, other_bert):
    one_way = make("MedCPT", queries=str(bert), documents=str(other_bert))

    other_way = make("MedCPT", queries=str(other_bert), documents=str(bert))

    assert other_way.identity != one_way.identity
