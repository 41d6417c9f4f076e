"""Training as processes: one goes on after a kill, and two train one adapter."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import srsly
from conftest import ROOT
from peft import PeftModel
from tiny_config import write_tiny
from transformers import AutoModelForCausalLM

CONFIG = ROOT / "configs/supplements.cfg"
ENV = {
    **os.environ,
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    "OMP_NUM_THREADS": "1",
}


def start(log, *command):
    """Start a command in a process group of its own, its output in a file."""
    with log.open("w") as output:
        return subprocess.Popen(
            [sys.executable, *command],
            env=ENV,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finish(process, log):
    try:
        status = process.wait(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert status == 0, log.read_text()
    return log.read_text()


def whole_checkpoints(adapter):
    return [
        int(file.parent.name.split("-")[1])
        for file in adapter.glob("checkpoint-*/trainer_state.json")
    ]


def steps_run(output):
    return output.count("'learning_rate'")


def test_run_that_was_killed_goes_on_from_its_last_checkpoint(paths, tmp_path):
    total, interval = 60, 5
    changed = {
        **paths,
        "ramie.training.max_steps": total,
        "ramie.training.save_steps": interval,
        "ramie.training.eval_steps": interval,
        "ramie.training.per_device_train_batch_size": 2,
    }
    config = write_tiny(CONFIG, tmp_path / "tiny.cfg", changed)
    adapter, logs = tmp_path / "adapter", [tmp_path / f"{i}.log" for i in (1, 2)]
    command = ("-m", "spacy", "ramie", "train", str(config))

    process = start(logs[0], *command)
    while not whole_checkpoints(adapter):
        assert process.poll() is None, logs[0].read_text()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done, last = steps_run(logs[0].read_text()), max(whole_checkpoints(adapter))
    # As if it had been killed while it wrote the next one.
    half = adapter / f"checkpoint-{last + interval}"
    half.mkdir(exist_ok=True)
    (half / "adapter_config.json").write_text("{}")
    output = finish(start(logs[1], *command), logs[1])

    assert last < total
    assert done - last <= interval
    assert steps_run(output) == total - last
    log = srsly.read_json(adapter / "log.json")
    assert [entry["step"] for entry in log if "loss" in entry] == [*range(1, total + 1)]
    assert (adapter / "adapter_model.safetensors").is_file()
    assert not list(adapter.glob("checkpoint-*"))


def test_two_processes_train_one_adapter(paths, tiny_base, tmp_path):
    config = write_tiny(CONFIG, tmp_path / "tiny.cfg", paths)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = tmp_path / "two.log"

    process = start(
        log,
        *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"),
        *("--num_processes", "2", "--main_process_port", port),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),
        *("-m", "spacy", "ramie", "train", str(config)),
    )
    finish(process, log)

    adapter = tmp_path / "adapter"
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    PeftModel.from_pretrained(base, str(adapter))
    assert not list(adapter.glob("checkpoint-*"))
    first, *_, last = srsly.read_json(adapter / "log.json")
    # Both processes take four examples a step, of those that four steps learn.
    assert first["epoch"] == pytest.approx(8 / 32, rel=0.2)
    assert last["step"] == 4
    # The mean over all tokens of both, no more.
    assert first["loss"] == pytest.approx(6.4, abs=0.6)
