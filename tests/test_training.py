"""Training: what the model is shown, what is kept, and going on after a kill."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
import srsly
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from spacy.util import load_config
from tiny_config import TINY, write_tiny
from transformers import AutoModelForCausalLM, AutoTokenizer

from spacy_ramie.corpus.items import make_items
from spacy_ramie.engine.fingerprint import fingerprint
from spacy_ramie.engine.loading import load_tokenizer
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.training.adapter import make_features, train_adapter
from spacy_ramie.training.collator import TYPICAL, CompletionCollator
from spacy_ramie.training.config import load_setup
from spacy_ramie.training.features import Feature, embed_units, encode_items
from spacy_ramie.training.sampler import TaskGroupedSampler
from spacy_ramie.training.trainer import (
    CompletionTrainer,
    make_arguments,
    training_reach,
)

torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "configs/supplements.cfg"
RETRIEVER = "components.ramie_extractor.retriever"


@pytest.fixture
def paths(corpus_files, tiny_base, tmp_path):
    return {
        "paths.train": str(corpus_files["train"]),
        "paths.dev": str(corpus_files["dev"]),
        "paths.base": str(tiny_base),
        "paths.adapter": str(tmp_path / "adapter"),
    }


def items_of(setup, split):
    docs = setup.docs(split)
    return docs, list(make_items(docs, list(setup.component.extraction.tasks.values())))


def encode(setup, split, base, *, held_out, context=2048):
    """The training examples of a split, as training makes them."""
    extraction = setup.component.extraction
    docs, items = items_of(setup, split)
    tokens = PromptTokenizer(load_tokenizer(str(base)), context)
    features = encode_items(
        items,
        embed_units(docs, extraction.retriever),
        extraction.tasks,
        extraction.style,
        extraction.retriever,
        tokens,
        held_out=held_out,
    )
    return items, features, tokens


# What the model is shown


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
    counts = {split: len(items_of(setup, split)[1]) for split in ids}
    assert f"{counts['train']} training and {counts['dev']} dev" in caplog.text


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


# The adapter


@pytest.fixture(scope="module")
def trained(corpus_files, tiny_base, tmp_path_factory):
    """An adapter that learns to answer None, which on the dev split is mostly wrong.

    The loss on that falls, then rises; with large embeddings, by a good deal.
    """
    folder = tmp_path_factory.mktemp("trained")
    base, adapter = folder / "base", folder / "adapter"
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    model.model.embed_tokens.weight.data *= 10
    model.save_pretrained(base)
    AutoTokenizer.from_pretrained(tiny_base).save_pretrained(base)
    records = srsly.read_jsonl(ROOT / "corpus/train.jsonl")
    srsly.write_jsonl(
        folder / "train.jsonl", [r for r in records if not r["entities"]][:20]
    )
    overrides = {
        **TINY,
        "paths.train": str(folder / "train.jsonl"),
        "paths.dev": str(corpus_files["dev"]),
        "paths.base": str(base),
        "paths.adapter": str(adapter),
        "ramie.training.max_steps": 8,
        "ramie.training.per_device_eval_batch_size": 256,
        "ramie.training.lr_scheduler_type": "constant",
        "ramie.training.learning_rate": 0.01,
    }
    setup = load_setup(CONFIG, overrides)
    measured = train_adapter(setup)
    log = srsly.read_json(adapter / "log.json")
    return SimpleNamespace(
        setup=setup,
        base=base,
        adapter=adapter,
        measured=measured,
        log=log,
        overrides=overrides,
    )


def full_loss(model, features):
    """The mean loss over all completion tokens, by the model's own loss."""
    loss = 0.0
    with torch.inference_mode():
        for feature in features:
            ids = torch.tensor([feature.ids])
            labels = ids.clone()
            labels[:, : -feature.completion] = -100
            loss += float(model(ids, labels=labels).loss) * feature.completion
    return loss / sum(feature.completion for feature in features)


def test_adapter_is_one_that_peft_reads(trained):
    base = AutoModelForCausalLM.from_pretrained(trained.base).eval()
    ids = torch.tensor([range(3, 103)])

    with torch.inference_mode():
        before = base(ids).logits
        after = PeftModel.from_pretrained(base, str(trained.adapter)).eval()(ids).logits

    assert (after - before).abs().max() > 0.05
    written = json.loads((trained.adapter / "adapter_config.json").read_text())
    assert (written["peft_type"], written["task_type"]) == ("LORA", "CAUSAL_LM")
    assert (written["r"], written["lora_alpha"], written["lora_dropout"]) == (
        4,
        32,
        0.0,
    )
    assert set(load_file(trained.adapter / "adapter_model.safetensors")) == {
        f"base_model.model.model.layers.{layer}.{module}.lora_{side}.weight"
        for layer in range(2)
        for side in "AB"
        for module in (
            *("self_attn.q_proj", "self_attn.k_proj"),
            *("self_attn.v_proj", "self_attn.o_proj"),
            *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
        )
    }


def test_adapter_says_which_base_and_questions_it_belongs_to(trained):
    known = srsly.read_json(trained.adapter / "ramie.json")
    instructions = known.pop("instructions")
    assert known == {"base": "base", "base_fingerprint": fingerprint(trained.base)}
    assert set(instructions) == {"ner", "re", "te", "uc"}
    assert instructions["uc"].endswith("continue, discontinue, start, uncertain.")


def test_no_checkpoint_is_left(trained):
    assert not list(trained.adapter.glob("checkpoint-*"))


def test_adapter_with_the_lowest_dev_loss_is_kept(trained):
    losses = [entry["eval_loss"] for entry in trained.log if "eval_loss" in entry]
    setup, base = trained.setup, trained.base
    _, features, _ = encode(setup, "dev", base, held_out=True, context=512)
    base = AutoModelForCausalLM.from_pretrained(base).eval()
    kept = PeftModel.from_pretrained(base, str(trained.adapter)).eval()

    assert len(losses) == 4
    # Or one checkpoint would be as good as another.
    assert max(losses) - min(losses) > 0.1
    assert trained.measured["best_dev_loss"] == min(losses)
    assert full_loss(kept, features) == pytest.approx(min(losses), abs=1e-3)


def test_same_seed_gives_the_same_adapter(trained, tmp_path):
    again = {**trained.overrides, "paths.adapter": str(tmp_path / "again")}

    train_adapter(load_setup(CONFIG, again))

    expected = load_file(trained.adapter / "adapter_model.safetensors")
    found = load_file(tmp_path / "again/adapter_model.safetensors")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("steps", [1, 3])
def test_loss_of_a_step_is_the_mean_over_its_completion_tokens(
    steps, paths, tiny_base, tmp_path
):
    """However many batches a step accumulates."""
    train = list(srsly.read_jsonl(paths["paths.train"]))[:6]
    srsly.write_jsonl(tmp_path / "train.jsonl", train)
    paths["paths.train"] = str(tmp_path / "train.jsonl")
    setup = load_setup(CONFIG, paths)
    setup.component.fit_exemplars(setup.docs("train"), setup.nlp)
    _, features, _ = encode(setup, "train", tiny_base, held_out=False, context=512)
    base = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    setup = load_setup(
        CONFIG,
        {
            **TINY,
            **paths,
            # All examples, in one step.
            "ramie.training.max_steps": 1,
            "ramie.training.per_device_train_batch_size": -(-len(features) // steps),
            "ramie.training.gradient_accumulation_steps": steps,
            "ramie.lora.lora_dropout": 0.0,
        },
    )

    train_adapter(setup)

    log = srsly.read_json(tmp_path / "adapter/log.json")
    assert log[0]["loss"] == pytest.approx(full_loss(base, features), abs=1e-3)


def test_quantised_base_is_loaded_as_configured(paths):
    pytest.importorskip("bitsandbytes")
    from spacy_ramie.training.adapter import _lora_model

    quantization = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "bfloat16",
    }
    lora = {"r": 4, "target_modules": "all-linear"}

    model = _lora_model(
        paths["paths.base"], {"quantization": quantization, "lora": lora}
    )

    used = model.config.quantization_config
    assert (used.load_in_4bit, used.bnb_4bit_quant_type) == (True, "nf4")
    assert used.bnb_4bit_use_double_quant
    assert used.bnb_4bit_compute_dtype == torch.bfloat16
    kinds = {type(module).__name__ for module in model.modules()}
    assert "Linear4bit" in kinds


# Whole runs, as processes

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
    _, items = items_of(load_setup(config, {}), "train")
    # Both processes take four examples a step.
    assert first["epoch"] == pytest.approx(8 / len(items), rel=0.2)
    assert last["step"] == 4
    # The mean over all tokens of both, no more.
    assert first["loss"] == pytest.approx(6.4, abs=0.6)


# What the trainer makes of examples


def some_features():
    """Two tasks with an instruction each, and examples of different lengths."""
    random = Random(0)
    return [
        Feature(
            [*instruction, *(random.randrange(9, 600) for _ in range(length))],
            completion=random.randrange(1, 6),
            instruction=len(instruction),
            input=length,
            kind=kind,
        )
        for kind, instruction in {"a": [1, *range(40, 70)], "b": [1, 7, 8]}.items()
        for length in random.choices(range(8, 40), k=45)
    ]


@pytest.mark.parametrize(("reading", "lora"), [(0.0, False), (1.0, False), (0.0, True)])
def test_reading_the_instruction_once_changes_no_gradient(
    reading, lora, tiny_base, tmp_path
):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    if lora:
        options = {"target_modules": "all-linear", "init_lora_weights": False}
        model = get_peft_model(model, LoraConfig(r=4, **options))
    features = [f for f in some_features() if f.kind == "a"][:8]
    trainer = CompletionTrainer(model=model, args=make_arguments(tmp_path, {}))

    def gradients(reach):
        batch = CompletionCollator(reading=reading, even=0.0, reach=reach)(features)
        model.zero_grad()
        trainer.compute_loss(model, batch).backward()
        learnt = [p.grad.clone() for p in model.parameters() if p.requires_grad]
        return batch["prefix"].shape[1], learnt

    shared, once = gradients(10_000)
    none, each = gradients(0)

    assert (shared, none) == (30, 0)
    assert max(g.abs().max() for g in each) > 1e-3
    for one, other in zip(once, each, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("how", ["arguments", "model", "window"])
def test_a_model_that_cannot_share_its_beginning_is_known(how, tiny_base, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    arguments = make_arguments(tmp_path, {"gradient_checkpointing": how == "arguments"})
    if how == "model":
        # As peft prepares a model in 4 bits.
        model.gradient_checkpointing_enable()
    if how == "window":
        model.config.sliding_window = 40

    assert training_reach(model, arguments) == (40 if how == "window" else 0)
    plain = AutoModelForCausalLM.from_pretrained(tiny_base)
    assert training_reach(plain, make_arguments(tmp_path, {})) > 100_000


def test_a_short_completion_can_count_as_much_as_a_long_one(tiny_base, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    trainer = CompletionTrainer(model=model, args=make_arguments(tmp_path, {}))
    features = [f for f in some_features() if f.kind == "a"][:8]
    assert len({f.completion for f in features}) > 2
    batch = CompletionCollator(reading=0.0, even=1.0, reach=10_000)(features)

    loss = trainer.compute_loss(model, batch, num_items_in_batch=1)

    means = []
    for f in features:
        ids = torch.tensor([f.ids])
        labels = ids.where(torch.arange(len(f.ids)) >= len(f.ids) - f.completion, -100)
        means.append(model(ids, labels=labels).loss)
    torch.testing.assert_close(loss, TYPICAL * sum(means), atol=1e-3, rtol=1e-4)


def test_a_base_learns_to_read_but_not_its_instructions():
    features = [f for f in some_features() if f.kind == "a"]

    labels = CompletionCollator(reading=1.0, even=0.0, reach=10_000)(features)["labels"]

    for feature, row in zip(features, labels.tolist(), strict=True):
        assert [x for x in row if x >= 0] == feature.ids[feature.instruction :]


def test_a_batch_is_of_one_task_and_of_similar_length():
    features = some_features()
    sampler = TaskGroupedSampler(features, batch=8, seed=0)

    order = list(sampler)

    assert sorted(order) == list(range(len(features)))
    batches = [order[i : i + 8] for i in range(0, len(order), 8)]
    kinds = [{features[i].kind for i in batch} for batch in batches]
    # 45 of each task: five whole batches, and what is left of both at the end.
    assert [len(kind) for kind in kinds[:10]] == [1] * 10
    lengths = [[len(features[i].ids) for i in batch] for batch in batches[:10]]
    assert max(max(batch) - min(batch) for batch in lengths) < 20


def test_another_epoch_has_another_order_and_a_seed_gives_it_again():
    features = some_features()
    sampler = TaskGroupedSampler(features, batch=8, seed=0)
    first = list(sampler)
    sampler.set_epoch(1)

    assert list(sampler) != first
    assert list(TaskGroupedSampler(features, batch=8, seed=0)) == first
