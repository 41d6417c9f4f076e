"""What the model is shown in training: exemplars of others, and no other split."""

import re

import pytest
import srsly
import torch
from conftest import ROOT
from spacy.util import load_config
from tiny_config import TINY
from training_items import encode, items_of

from spacy_ramie.engine.loading import load_tokenizer
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.training.adapter import make_features, train_adapter
from spacy_ramie.training.config import load_setup

torch.set_num_threads(1)

CONFIG = ROOT / "configs/supplements.cfg"
RETRIEVER = "components.ramie_extractor.retriever"


def shown_sentences(feature, tokens):
    """The sentences of the exemplars in a prompt, without the marks in them."""
    prompt = tokens.tokenizer.decode(feature.ids[: -feature.completion])
    inputs = re.findall(r"### Example:\n (.*?)\n", prompt)
    return [re.sub(r"<< | >>|\[\[ | \]\]", "", text) for text in inputs]


@pytest.mark.parametrize("k", [1, 3])
def test_no_item_is_shown_its_own_note_or_sentence(k, paths, tiny_base, tmp_path):
    records = list(srsly.read_jsonl(paths["paths.train"]))
    # The same sentences in two notes.
    srsly.write_jsonl(
        tmp_path / "train.jsonl", [*records, {**records[0], "id": "twin"}]
    )
    setup = load_setup(
        CONFIG,
        {
            **paths,
            "paths.train": str(tmp_path / "train.jsonl"),
            f"{RETRIEVER}.k": k,
        },
    )
    setup.component.fit_exemplars(setup.docs("train"), setup.nlp)
    notes = {}
    for item in items_of(setup, "train")[1]:
        notes.setdefault(item.exemplar.sentence, set()).add(item.exemplar.group)

    items, features, tokens = encode(setup, "train", tiny_base, held_out=False)
    _, open_features, _ = encode(setup, "train", tiny_base, held_out=True)

    for item, feature in zip(items, features, strict=True):
        shown = shown_sentences(feature, tokens)
        assert len(shown) == k
        assert item.exemplar.sentence not in shown
        assert all(notes[sentence] - {item.exemplar.group} for sentence in shown)
    # Were it not barred, its own sentence would mostly be the nearest.
    own = [
        item.exemplar.sentence in shown_sentences(feature, tokens)
        for item, feature in zip(items, open_features, strict=True)
    ]
    assert sum(own) > 0.8 * len(own)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_training_examples_shows_exemplars(share, paths, tiny_base):
    setup = load_setup(CONFIG, {**paths, "ramie.exemplars": share})
    tokens = PromptTokenizer(load_tokenizer(str(tiny_base)), 2048)

    train, dev = make_features(setup, tokens)

    shown = [bool(shown_sentences(feature, tokens)) for feature in train]
    assert sum(shown) == round(share * len(train))
    # Dev is asked as notes are.
    assert all(shown_sentences(feature, tokens) for feature in dev)


def test_dev_is_held_out_of_bank_and_training(paths, tiny_base, caplog):
    setup = load_setup(CONFIG, {**TINY, **paths, "ramie.training.max_steps": 1})
    caplog.set_level("INFO", logger="spacy_ramie")

    train_adapter(setup)

    banks = setup.component.extraction.retriever.banks
    shown = {e.group for bank in banks.values() for e in bank.exemplars}
    ids = {
        split: {r["id"] for r in srsly.read_jsonl(paths[f"paths.{split}"])}
        for split in ("train", "dev")
    }
    assert shown == ids["train"]
    # A step of two batches of two.
    dev = len(items_of(setup, "dev")[1])
    assert re.search(rf"\b4 training and {dev} dev\b", caplog.text)


def test_no_more_examples_are_made_than_the_steps_learn(paths, tiny_base, caplog):
    steps = {
        "ramie.training.max_steps": 3,
        "ramie.training.per_device_train_batch_size": 2,
        "ramie.training.gradient_accumulation_steps": 2,
    }
    setup = load_setup(CONFIG, {**TINY, **paths, **steps})
    tokens = PromptTokenizer(load_tokenizer(str(tiny_base)), 2048)
    everything, _ = make_features(setup, tokens)
    caplog.set_level("INFO", logger="spacy_ramie")

    train_adapter(setup)

    assert len(everything) > 12
    assert re.search(r"\b12 training and", caplog.text)


def test_the_examples_that_are_learnt_are_drawn_by_chance(paths, tiny_base):
    """The first notes of a corpus need not be like the others."""
    tokens = PromptTokenizer(load_tokenizer(str(tiny_base)), 2048)

    def drawn(seed, most):
        seeded = {"ramie.exemplars": 0.0, "ramie.training.seed": seed}
        setup = load_setup(CONFIG, {**TINY, **paths, **seeded})
        return {tuple(f.ids) for f in make_features(setup, tokens, most)[0]}

    assert drawn(0, 12) != drawn(1, 12)
    assert drawn(0, 12) < drawn(0, None)


CONFIGS = sorted(
    path
    for path in (ROOT / "configs").rglob("*.cfg")
    # They name a training config, and what to evaluate on.
    if path.parent.name != "experiments"
)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_no_config_of_training_knows_the_test_split(path):
    config = load_config(path, interpolate=True)

    # That of the retriever names a training config, whose paths are its own.
    paths = config.get("paths", {})
    assert set(paths) <= {"train", "dev", "base", "adapter"}
    assert "test" not in "".join(paths.values())
    assert "test" not in str(config.get("ramie") or config["retriever"])


def test_examples_longer_than_the_context_are_left_out_and_counted(
    paths, tiny_base, caplog
):
    setup = load_setup(CONFIG, paths)
    items, whole, _ = encode(setup, "dev", tiny_base, held_out=True)
    # Of the tokens of the longest, all but one.
    context = max(len(feature.ids) for feature in whole) - 1

    _, features, _ = encode(setup, "dev", tiny_base, held_out=True, context=context)

    assert features == [f for f in whole if len(f.ids) <= context]
    left_out = len(items) - len(features)
    assert f"{left_out} of {len(items)} examples are longer" in caplog.text
