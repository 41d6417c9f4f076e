"""Saved, moved, sent to workers, or damaged: the same records, or a clear error."""

import json
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import torch
from conftest import NOTE
from peft import LoraConfig, PeftModel, get_peft_model
from thinc.api import Config

from spacy_ramie.engine import transformers_engine
from spacy_ramie.engine.fingerprint import fingerprint
from spacy_ramie.engine.loading import load_base, load_tokenizer
from spacy_ramie.errors import ConfigError, ModelError, RetrievalError
from spacy_ramie.training.small_llama import small_llama

COMPONENT = "ramie_extractor"
NOTES = [NOTE, "Took zinc.", "", "No headache on fish oil."]


def make_pipeline(base, adapter=None, corpus=None):
    """A pipeline over a base, with an adapter and an exemplar bank where given."""
    engine = {
        "base": str(base),
        "adapter": None if adapter is None else str(adapter),
        "max_new_tokens": 24,
    }
    nlp = spacy.blank("en")
    # Annoy's files are the more delicate ones.
    retriever = {"index": {"@misc": "spacy_ramie.AnnoyIndex.v1"}}
    component = nlp.add_pipe(
        COMPONENT, config={"engine": engine, "retriever": retriever}
    )
    if corpus is not None:
        component.initialize(lambda: [], nlp=nlp, exemplars=str(corpus))
    return nlp


def records(nlp, texts=NOTES):
    return [doc._.ramie for doc in nlp.pipe(texts, batch_size=2)]


@pytest.fixture(scope="module")
def trained(tiny_base, tiny_adapter, corpus_files):
    return make_pipeline(tiny_base, tiny_adapter, corpus_files["train"])


@pytest.fixture(scope="module")
def expected(trained):
    """What the pipeline says before anything is done to it."""
    found = records(trained)
    assert found[0]["entities"]
    assert found[0]["entities"][0]["exemplars"]
    return found


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "pipeline"
    trained.to_disk(folder)
    return folder


@pytest.fixture
def copied(saved, tmp_path):
    """A copy of the saved pipeline, to be damaged."""
    return shutil.copytree(saved, tmp_path / "copied")


# The same records


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


# Clear errors: the engine


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


def test_a_cuda_device_is_refused_in_a_worker(tiny_base, monkeypatch):
    cuda = torch.device("cuda", 0)
    monkeypatch.setattr("thinc.util.get_torch_default_device", lambda: cuda)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    with pytest.raises(ConfigError, match="R005.*n_process=1"):
        make_pipeline(tiny_base)(NOTE)


# Clear errors: the exemplar bank


def flip_a_byte(bank: Path) -> None:
    data = bytearray((bank / "ner.ann").read_bytes())
    data[len(data) // 2] ^= 1
    (bank / "ner.ann").write_bytes(data)


def remove_sidecar(bank: Path) -> None:
    (bank / "ner.json").unlink()


def remove_index(bank: Path) -> None:
    (bank / "ner.ann").unlink()


def spoil_sidecar(bank: Path) -> None:
    (bank / "ner.json").write_text("{")


def swap_indices(bank: Path) -> None:
    shutil.copy(bank / "re.ann", bank / "ner.ann")


def swap_indices_and_sidecars(bank: Path) -> None:
    swap_indices(bank)
    shutil.copy(bank / "re.json", bank / "ner.json")


def lose_an_exemplar(bank: Path) -> None:
    lines = (bank / "exemplars.jsonl").read_text().splitlines(keepends=True)
    (bank / "exemplars.jsonl").write_text("".join(lines[:-1]))


def remove_exemplars(bank: Path) -> None:
    (bank / "exemplars.jsonl").unlink()


def spoil_exemplars(bank: Path) -> None:
    (bank / "exemplars.jsonl").write_text('{"id": "1"}\n')


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (flip_a_byte, "R301.*ner.ann.*checksum"),
        (remove_sidecar, "R301.*no ner.json"),
        (remove_index, "R301.*no ner.ann"),
        (spoil_sidecar, "R301.*ner.json is not JSON"),
        (swap_indices, "R301.*checksum"),
        (swap_indices_and_sidecars, "R301.*exemplars"),
        (lose_an_exemplar, "R301.*exemplars"),
        (remove_exemplars, "R306"),
        (spoil_exemplars, "R307.*exemplars.jsonl"),
    ],
)
def test_a_damaged_bank_is_refused_at_loading(copied, damage, code):
    damage(copied / COMPONENT / "retriever")
    with pytest.raises(RetrievalError, match=code):
        spacy.load(copied)


def test_a_bank_of_another_encoder_is_refused(trained, saved):
    encoder = {"@misc": "spacy_ramie.HashingEncoder.v1", "dimension": 64}
    retriever = {"retriever": {"encoder": encoder}}
    with pytest.raises(RetrievalError, match="R302.*1024.*64"):
        spacy.load(saved, config={"components": {COMPONENT: retriever}})
    fresh = spacy.blank("en").add_pipe(COMPONENT, config=retriever)
    with pytest.raises(RetrievalError, match="R302.*1024.*64"):
        fresh.from_bytes(trained.get_pipe(COMPONENT).to_bytes())


# The merged adapter


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


# Other processes


def run_script(path: Path, script: str, *args: object, **env: str) -> str:
    """Run a script in a fresh interpreter that nothing tells to stay offline."""
    path.write_text(script)
    free = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    done = subprocess.run(
        [sys.executable, str(path), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**free, "OMP_NUM_THREADS": "1", **env},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


IN_WORKERS = """
import json
import multiprocessing
import sys

import spacy

if __name__ == "__main__":
    model, texts = sys.argv[1], json.loads(sys.argv[2])
    nlp = spacy.load(model)
    alone = [doc._.ramie for doc in nlp.pipe(texts, batch_size=2)]
    same = {}
    for method in multiprocessing.get_all_start_methods():
        multiprocessing.set_start_method(method, force=True)
        docs = list(nlp.pipe(texts, batch_size=2, n_process=2))
        same[method] = [doc._.ramie for doc in docs] == alone
        same[method] &= [doc.text for doc in docs] == texts
    print(json.dumps(same))
"""


def test_workers_give_the_same_records_however_they_are_started(saved, tmp_path):
    printed = run_script(tmp_path / "workers.py", IN_WORKERS, saved, json.dumps(NOTES))
    methods = multiprocessing.get_all_start_methods()
    assert "spawn" in methods
    assert json.loads(printed) == dict.fromkeys(methods, True)


WITHOUT_NETWORK = """
import json
import socket
import sys

attempts = []


def refuse(*args, **kwargs):
    attempts.append(repr(args))
    raise OSError("no network")


socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse

import spacy

model, adapter, text = sys.argv[1:]
nlp = spacy.load(model)
engine = nlp.get_pipe("ramie_extractor").extraction.engine
moved = nlp(text)._.ramie

engine.base = "clinic/tiny"
engine.set_adapter(adapter)
cached = nlp(text)._.ramie
name = engine.load().model.name_or_path

engine.base = "clinic/large"
engine.set_adapter(None)
try:
    nlp(text)
except ValueError as error:
    message = str(error)

same = [cached == moved, bool(cached["entities"])]
found = {"same": same, "name": name, "message": message, "attempts": attempts}
print(json.dumps(found))
"""


@pytest.fixture
def hub_cache(tiny_base, tmp_path):
    """A Hugging Face cache with the tiny base under the name clinic/tiny."""
    model = tmp_path / "hf/hub/models--clinic--tiny"
    shutil.copytree(tiny_base, model / "snapshots/0123abcd")
    (model / "refs").mkdir()
    (model / "refs/main").write_text("0123abcd")
    return tmp_path / "hf"


def test_nothing_is_fetched_at_inference(saved, tiny_adapter, hub_cache, tmp_path):
    adapter = shutil.copytree(tiny_adapter, tmp_path / "adapter")
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "clinic/tiny"
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    printed = run_script(
        tmp_path / "offline.py",
        WITHOUT_NETWORK,
        *(saved, adapter, NOTE),
        HF_HOME=str(hub_cache),
    )
    found = json.loads(printed)
    assert found["same"] == [True, True]
    # The name, as PEFT would write it into an adapter, not a place in the cache.
    assert found["name"] == "clinic/tiny"
    assert "[R202] Base model 'clinic/large'" in found["message"]
    assert found["attempts"] == []
