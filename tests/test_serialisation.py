"""Saved, moved or carried, a pipeline gives the same records, its adapter merged."""

import json
import pickle
import shutil

import pytest
import spacy
import torch
from conftest import NOTE
from peft import PeftModel
from thinc.api import Config
from whole_pipeline import COMPONENT, make_pipeline, records

from spacy_ramie.engine import transformers_engine
from spacy_ramie.engine.loading import load_base
from spacy_ramie.errors import ModelError


@pytest.fixture(scope="module")
def expected(trained):
    """What the pipeline says before anything is done to it."""
    found = records(trained)
    assert found[0]["entities"]
    assert found[0]["entities"][0]["exemplars"]
    return found


def through_disk(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    return spacy.load(tmp_path / "pipeline")


def through_bytes(nlp, tmp_path):
    fresh = spacy.blank("en")
    fresh.add_pipe(COMPONENT, config={"engine": {"max_new_tokens": 24}})
    return fresh.from_bytes(nlp.to_bytes())


def through_bytes_twice(nlp, tmp_path):
    return through_bytes(through_bytes(nlp, tmp_path), tmp_path)


def through_pickle(nlp, tmp_path):
    fresh = spacy.blank("en")
    component = pickle.loads(pickle.dumps(nlp.get_pipe(COMPONENT)))
    fresh.add_pipe(COMPONENT)
    fresh._components[0] = (COMPONENT, component)
    return fresh


def over_itself(nlp, tmp_path):
    """Saved into the folder that it was loaded from, whose index is in use."""
    loaded = through_disk(nlp, tmp_path)
    loaded.to_disk(tmp_path / "pipeline")
    return spacy.load(tmp_path / "pipeline")


@pytest.mark.parametrize(
    "carry",
    [through_disk, through_bytes, through_bytes_twice, through_pickle, over_itself],
)
def test_a_carried_pipeline_gives_identical_records(trained, expected, carry, tmp_path):
    assert records(carry(trained, tmp_path)) == expected


def test_a_pipeline_runs_from_another_folder_without_what_it_was_made_of(
    tiny_base, tiny_adapter, corpus_files, expected, tmp_path
):
    sources = tmp_path / "sources"
    base = shutil.copytree(tiny_base, sources / "base")
    adapter = shutil.copytree(tiny_adapter, sources / "adapter")
    corpus = shutil.copy(corpus_files["train"], sources)
    make_pipeline(base, adapter, corpus).to_disk(sources / "pipeline")
    moved = shutil.move(sources / "pipeline", tmp_path / "moved")
    shutil.rmtree(sources)
    assert records(spacy.load(moved)) == expected


def test_a_large_base_is_referred_to_by_its_path(
    tiny_base, tiny_adapter, corpus_files, expected, tmp_path, monkeypatch
):
    base = shutil.copytree(tiny_base, tmp_path / "base")
    monkeypatch.setattr(transformers_engine, "BUNDLED_BYTES", 0)
    monkeypatch.chdir(tmp_path)
    nlp = make_pipeline("base", tiny_adapter, corpus_files["train"])
    nlp.to_disk("pipeline")
    monkeypatch.chdir("/")
    loaded = spacy.load(tmp_path / "pipeline")
    weights = {file.name for file in tmp_path.glob("pipeline/**/*.safetensors")}
    assert weights == {"adapter_model.safetensors"}
    assert records(loaded) == expected
    shutil.rmtree(base)
    with pytest.raises(ModelError, match=rf"R202.*{base}"):
        spacy.load(tmp_path / "pipeline")(NOTE)


def test_a_folder_keeps_nothing_of_a_pipeline_that_was_saved_there_before(
    trained, tiny_base, corpus_files, tmp_path, monkeypatch
):
    trained.to_disk(tmp_path / "pipeline")
    plain = make_pipeline(tiny_base, None, corpus_files["train"])
    monkeypatch.setattr(transformers_engine, "BUNDLED_BYTES", 0)
    plain.to_disk(tmp_path / "pipeline")
    monkeypatch.undo()
    plain_records = records(plain)
    assert records(spacy.load(tmp_path / "pipeline")) == plain_records
    engine = tmp_path / "pipeline" / COMPONENT / "engine"
    assert {file.name for file in engine.iterdir()} == {"base.txt", "engine.json"}
    plain.to_disk(tmp_path / "pipeline")
    assert {file.name for file in engine.iterdir()} == {"base", "engine.json"}


def test_the_config_stays_serialisable(trained, saved):
    for nlp in (trained, spacy.load(saved)):
        text = nlp.config.to_str()
        assert Config().from_str(text, interpolate=False).to_str() == text
        assert json.loads(json.dumps(nlp.config)) == nlp.config


def test_a_component_without_its_engine_takes_that_of_another(
    trained, tiny_base, corpus_files, tmp_path
):
    component = trained.get_pipe(COMPONENT)
    component.to_disk(tmp_path / "component", exclude=["engine"])
    data = component.to_bytes(exclude=["engine"])
    assert not (tmp_path / "component" / "engine").exists()
    wanted = records(make_pipeline(tiny_base, None, corpus_files["train"]))

    from_disk, from_bytes = make_pipeline(tiny_base), make_pipeline(tiny_base)
    from_disk.get_pipe(COMPONENT).from_disk(tmp_path / "component", exclude=["engine"])
    from_bytes.get_pipe(COMPONENT).from_bytes(data, exclude=["engine"])

    assert records(from_disk) == wanted
    assert records(from_bytes) == wanted


def test_bytes_replace_the_ingredients_that_were_there(trained, tiny_base):
    component = make_pipeline(tiny_base).get_pipe(COMPONENT)
    component.ingredients = {"snake oil": "snake"}
    component.from_bytes(trained.get_pipe(COMPONENT).to_bytes())
    assert component.ingredients == trained.get_pipe(COMPONENT).ingredients
    assert component.ingredients


def test_the_adapter_is_merged(tiny_base, tiny_adapter, trained, expected):
    running = trained.get_pipe(COMPONENT).extraction.engine.load().model
    base = load_base(str(tiny_base))
    ids = torch.tensor([list(range(3, 40))])
    with torch.no_grad():
        alone = base(ids).logits
        unmerged = PeftModel.from_pretrained(base, tiny_adapter).eval()(ids).logits
        merged = running(ids).logits
    assert not [name for name, _ in running.named_modules() if "lora" in name]
    assert (merged - unmerged).abs().max() < 1e-4
    assert (merged - alone).abs().max() > 1e-2
