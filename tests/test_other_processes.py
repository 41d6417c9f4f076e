"""In other processes a pipeline gives the same records, and fetches nothing."""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import NOTE
from whole_pipeline import NOTES, make_pipeline

from spacy_ramie.errors import ConfigError


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


def test_a_cuda_device_is_refused_in_a_worker(tiny_base, monkeypatch):
    cuda = torch.device("cuda", 0)
    monkeypatch.setattr("thinc.util.get_torch_default_device", lambda: cuda)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    with pytest.raises(ConfigError, match="R005.*n_process=1"):
        make_pipeline(tiny_base)(NOTE)


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
