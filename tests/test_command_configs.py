"""The config of a command: what is missing is fetched or named, what is there stays."""

import re

import pytest
from command_line import mended_by_user, ramie, words
from conftest import ROOT
from tiny_config import write_tiny

CONFIG = ROOT / "configs/supplements.cfg"


@pytest.fixture
def tiny(tmp_path, paths):
    """Write a config over the tiny base."""

    def write(**changed):
        return write_tiny(CONFIG, tmp_path / "tiny.cfg", {**paths, **changed})

    return write


def without(config, start, stop=None):
    """Drop the lines of a config from one that starts so to another."""
    text = config.read_text()
    at = text.index(start)
    end = len(text) if stop is None else text.index(stop, at)
    config.write_text(text[:at] + text[end:])
    return config


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"paths.train": "none.spacy"}, "[R102] none.spacy: no such file"),
        ({"paths.dev": "none.jsonl"}, "[R102] none.jsonl: no such file"),
        ({"paths.base": "none/base"}, "[R202] Base model 'none/base' cannot be loaded"),
        ({"ramie.training.max_stepss": 3}, "max_stepss"),
        ({"ramie.lora.rank": 3}, "rank"),
        (
            {"components.ramie_extractor.retriever.encoder.@misc": "none.v1"},
            "none.v1",
        ),
        ({"components.ramie_extractor.retriever.k": -1}, "[R002] 'retriever.k'"),
    ],
    ids=str,
)
def test_config_that_cannot_work_is_one_clear_error(tiny, changed, said):
    result = ramie("train", tiny(**changed))

    assert mended_by_user(result), result.exception
    assert said in words(result.output)


@pytest.mark.parametrize(
    ("command", "start", "stop", "said"),
    [
        ("train", "[ramie]", "[components.", "[R006]"),
        ("train", "[paths]", "[nlp]", "paths"),
        ("train", "base = ", "adapter", "paths"),
        ("base", "base = ", "adapter", "paths"),
    ],
)
def test_config_without_a_section_is_one_clear_error(tiny, command, start, stop, said):
    config = without(tiny(), start, stop)
    text = config.read_text()
    if start == "[ramie]":
        config.write_text(re.sub(r"\[ramie\.[^[]*", "", text))

    result = ramie(command, config)

    assert mended_by_user(result), result.exception
    assert said in words(result.output)


def test_what_is_missing_is_to_be_found_in_the_config_that_is_named(tmp_path):
    config = tmp_path / "small.cfg"
    base = tmp_path / "base"
    config.write_text(
        f'[paths]\nbase = "{base}"\n\n[ramie]\n\n[ramie.base]\nvocabulary = 500\n'
    )

    result = ramie("base", config)

    assert mended_by_user(result), result.exception
    assert "no 'hidden' in its section [ramie.base]" in words(result.output)
    assert "configs/base.cfg" in words(result.output)


def test_config_without_the_component_is_one_clear_error(tmp_path):
    config = tmp_path / "x.cfg"
    config.write_text('[paths]\n[ramie]\n[nlp]\nlang = "en"\npipeline = []\n')

    result = ramie("train", config)

    assert mended_by_user(result)
    assert "[R007]" in result.output


def test_base_that_nobody_can_load_is_one_clear_error(tiny, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    result = ramie("base", tiny(), "--paths.base", "nobody/nothing")

    assert mended_by_user(result)
    assert "[R206] Base model 'nobody/nothing'" in words(result.output)


def test_base_that_is_there_is_left_as_it_is(tiny, tiny_base):
    before = {file: file.stat().st_mtime_ns for file in tiny_base.iterdir()}

    result = ramie("base", tiny())

    assert result.exit_code == 0
    assert f"Base model {tiny_base} is there" in words(result.output)
    assert {f: f.stat().st_mtime_ns for f in tiny_base.iterdir()} == before


def test_base_fetches_the_encoder_of_the_retriever(tiny, monkeypatch, tmp_path):
    asked = []

    def snapshot(name, allow_patterns):
        asked.append((name, "pytorch_model.bin" in allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    encoder = {"@misc": "spacy_ramie.Contriever.v1", "model": "nobody/encoder"}
    changed = {
        f"components.ramie_extractor.retriever.encoder.{k}": v
        for k, v in encoder.items()
    }
    result = ramie("base", tiny(**changed))

    assert result.exit_code == 0
    # Published without safetensors, it is asked for a second time.
    assert asked == [("nobody/encoder", False), ("nobody/encoder", True)]
