"""The small base model: its examples, its first weights and what it is taught."""

from pathlib import Path
from random import Random

import pytest
import spacy
import srsly
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.util import load_config
from transformers import AutoModelForCausalLM, AutoTokenizer

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.corpus.items import make_items
from spacy_ramie.corpus.records import read_records
from spacy_ramie.engine.fingerprint import fingerprint
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.prompting import build_request
from spacy_ramie.schema import make_supplements
from spacy_ramie.training.base_model import build_base
from spacy_ramie.training.copying import wire_copying
from spacy_ramie.training.features import Feature
from spacy_ramie.training.pointing import (
    BEGUN,
    CONTINUED,
    PASSED,
    PointingCollator,
    PointingTrainer,
    copied_tokens,
)
from spacy_ramie.training.small_llama import small_llama, train_tokenizer
from spacy_ramie.training.swap import make_pool, swap_entities
from spacy_ramie.training.trainer import Features, make_arguments

torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent

# New records from labelled ones


@pytest.fixture(scope="module")
def pool(records):
    return make_pool(records)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_swapped_record_is_a_good_record_of_the_same_form(records, pool, data):
    record = data.draw(st.sampled_from(records))
    share = data.draw(st.floats(0, 1))
    random = Random(data.draw(st.integers(0, 10**6)))

    made = swap_entities(record, pool, share, random)

    def outside(r):
        """The text between the entities."""
        ends = sorted((e["start"], e["end"]) for e in r["entities"])
        cuts = [0, *(at for pair in ends for at in pair), len(r["text"])]
        return [r["text"][cuts[i] : cuts[i + 1]] for i in range(0, len(cuts), 2)]

    assert outside(made) == outside(record)
    assert (made["relations"], made["usage"]) == (record["relations"], record["usage"])
    by_id = {e["id"]: e for e in record["entities"]}
    assert {e["id"] for e in made["entities"]} == set(by_id)

    def surface(r, entity):
        extra = {k: v for k, v in entity.items() if k == "ingredient"}
        return r["text"][entity["start"] : entity["end"]], extra

    for entity in made["entities"]:
        old = by_id[entity["id"]]
        assert entity["label"] == old["label"]
        # One text can name two ingredients, so what was kept need not be in the pool.
        choices = [surface(record, old), *pool[entity["label"]]]
        assert surface(made, entity) in choices


def test_swapped_records_pass_the_check_and_differ(records, pool, tmp_path):
    made = [swap_entities(r, pool, 1.0, Random(i)) for i, r in enumerate(records)]
    srsly.write_jsonl(tmp_path / "x.jsonl", made)

    assert read_records(tmp_path / "x.jsonl", make_supplements()) == made
    changed = [m["text"] != r["text"] for m, r in zip(made, records, strict=True)]
    assert sum(changed) > 0.9 * sum(bool(r["entities"]) for r in records)
    assert [swap_entities(r, pool, 0.0, Random(0)) for r in records] == records


def test_record_with_overlapping_entities_is_left_as_it_is(pool):
    text = "green tea extract"
    record = {
        "id": "x",
        "text": text,
        "entities": [
            {"id": "T1", "start": 0, "end": 9, "label": "DS"},
            {"id": "T2", "start": 0, "end": 17, "label": "DS"},
        ],
    }

    assert swap_entities(record, pool, 1.0, Random(0)) is record


# First weights


def said_again(model, length=40):
    """How often a random piece of a random text is continued as it stands there."""
    chance = torch.Generator().manual_seed(0)
    text = torch.randint(2, model.config.vocab_size, (16, length), generator=chance)
    piece = text[:, length // 2 : length // 2 + 10]
    with torch.inference_mode():
        found = model(input_ids=torch.cat([text, piece], dim=1)).logits.argmax(dim=-1)
    return (found[:, length:-1] == piece[:, 1:]).float().mean().item()


def wired(tokenizer, **shape):
    torch.manual_seed(0)
    model = small_llama({"context": 512, **shape}, tokenizer)
    before = said_again(model)
    wire_copying(model, seed=0)
    return before, said_again(model)


@pytest.fixture(scope="module")
def tokenizer(records):
    return train_tokenizer((r["text"] for r in records), 600)


def test_first_weights_copy_what_stands_in_the_prompt(tokenizer):
    before, after = wired(tokenizer, hidden=192, layers=3, heads=4)

    assert before < 0.02
    assert after > 0.8


def test_a_model_without_room_for_the_circuit_keeps_its_weights(tokenizer):
    torch.manual_seed(0)
    model = small_llama(
        {"context": 64, "hidden": 32, "layers": 1, "heads": 2}, tokenizer
    )
    before = {name: weight.clone() for name, weight in model.named_parameters()}

    wire_copying(model, seed=0)

    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name])


# What is copied

TAB, LINE = 8, 9
SEPARATORS = frozenset([TAB, LINE])


def feature(text, answer):
    return Feature([1, 1, *text, *answer, 0], len(answer) + 1, 2, len(text), "ner")


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        pytest.param(
            [20, 21, 22, 23], [21, 22, TAB, 30], [0, 1, 2, 0], id="a span of two"
        ),
        pytest.param(
            [20, 21, 20, 22],
            [20, TAB, 30, LINE, 20, TAB, 30],
            [1, 0, 1, 0],
            id="the second of a kind",
        ),
        pytest.param(
            [20, 21, 20], [20, TAB, 30], [1, 0, 0], id="said once, there twice"
        ),
        pytest.param([20, 21], [22, TAB, 30], [0, 0], id="not there"),
        pytest.param([20, 21], [20, 21, 22, TAB, 30], [0, 0], id="only half there"),
        pytest.param([20, 21], [40], [0, 0], id="a label"),
    ],
)
def test_tokens_that_an_answer_copies(text, answer, expected):
    assert (PASSED, BEGUN, CONTINUED) == (0, 1, 2)
    assert copied_tokens(feature(text, answer), SEPARATORS) == expected


def test_spans_of_the_corpus_are_found_in_their_prompts(records, tokenizer):
    """The style writes a span with the tokens that its sentence has."""
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")
    tokens = PromptTokenizer(tokenizer, 512)
    separators = frozenset(tokens.completion("\t")[:1] + tokens.completion("\n")[:1])
    gold = [gold_doc(record, nlp, component.schema) for record in records]
    task, style = component.extraction.tasks["ner"], component.extraction.style
    found = wanted = 0
    for item in make_items(component.prepare(gold, nlp), [task]):
        encoded = tokens.encode(build_request(task, style, item.question, []), 64)
        answer = tokens.completion(item.completion)
        lengths = len(answer), encoded.instruction, encoded.input
        one = Feature([*encoded.prompt, *answer], *lengths, "ner")
        found += copied_tokens(one, separators).count(BEGUN)
        wanted += item.completion.count("\t")

    # The rest stands behind a bracket, a slash or a hyphen.
    assert wanted > 80
    assert found >= 0.9 * wanted


def test_pointing_is_learnt_and_leaves_a_plain_model(tiny_base, tmp_path):
    random = Random(0)
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    names = set(model.state_dict())
    # The answer copies what stands behind 50.
    features = []
    for _ in range(200):
        text = [random.randrange(100, 600) for _ in range(8)]
        at = random.randrange(6)
        text[at] = 50
        features.append(feature(text, [text[at + 1], TAB, 30]))
    arguments = make_arguments(
        tmp_path,
        {"max_steps": 60, "learning_rate": 1e-2, "per_device_train_batch_size": 16},
    )
    trainer = PointingTrainer(
        model=model,
        args=arguments,
        train_dataset=Features(features),
        data_collator=PointingCollator(
            reading=0.0, even=0.0, reach=1000, separators=SEPARATORS
        ),
    )
    trainer.train()
    batch = trainer.data_collator(features)
    with torch.inference_mode():
        states = model(input_ids=batch["input_ids"]).hidden_states[2]
        copied = model.pointer(states).argmax(dim=-1)
    asked = batch["copied"] >= 0

    assert (copied == batch["copied"])[asked].float().mean() > 0.95
    trainer.drop_pointer()
    assert set(model.state_dict()) == names
    assert model(input_ids=batch["input_ids"]).hidden_states is None


# The base model that comes along


def build(corpus_files, folder, *, start=None, **changes):
    """Build a tiny one from two sources, with labels of their own."""
    sources = {}
    for name, share in {"supplements": 0.75, "healthsea": 0.25}.items():
        config = load_config(ROOT / f"configs/{name}.cfg", interpolate=False)
        config["paths"]["train"] = str(corpus_files["train"])
        path = folder.parent / f"{name}.cfg"
        sources[name] = {"config": str(path), "share": share}
        if name == "healthsea":
            records = [
                {**r, "entities": [{**e, "label": "BENEFIT"} for e in r["entities"]]}
                for r in srsly.read_jsonl(corpus_files["train"])
            ]
            config["paths"]["train"] = str(folder.parent / "benefits.jsonl")
            srsly.write_jsonl(
                folder.parent / "benefits.jsonl",
                [{**r, "relations": [], "usage": []} for r in records],
            )
        config.to_disk(path, interpolate=False)
    settings = load_config(ROOT / "configs/base.cfg")["ramie"]
    tiny = {"vocabulary": 500, "hidden": 32, "layers": 2, "heads": 2, "examples": 400}
    pretraining = {
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        "save_steps": 2,
        "bf16": False,
    }
    return build_base(
        {
            "base": {**settings["base"], **tiny, "start": start, "sources": sources},
            "pretraining": {**settings["pretraining"], **pretraining, **changes},
        },
        folder,
    )


def test_built_base_is_a_plain_llama(corpus_files, tmp_path):
    build(corpus_files, tmp_path / "base")

    model = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    config = model.config
    assert config.model_type == "llama"
    assert (config.hidden_size, config.num_hidden_layers) == (32, 2)
    assert config.vocab_size == len(tokenizer) == 500
    text = "α-tocopherol 5µg\t½ tab 😀"
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_base_is_built_from_every_source_by_its_share(corpus_files, tmp_path, caplog):
    caplog.set_level("INFO", "spacy_ramie")

    build(corpus_files, tmp_path / "base")

    assert "300 examples from supplements, 100 examples from healthsea" in caplog.text


def test_built_base_answers_in_a_pipeline(corpus_files, tmp_path):
    build(corpus_files, tmp_path / "base")
    nlp = spacy.blank("en")
    engine = {"base": str(tmp_path / "base"), "max_new_tokens": 12}
    nlp.add_pipe("ramie_extractor", config={"engine": engine})

    record = nlp("Started melatonin for insomnia.")._.ramie

    assert record["requests"] >= 2
    assert not {f["kind"] for f in record["failures"]} & {"engine_error", "too_long"}


def test_same_seed_builds_the_same_base(corpus_files, tmp_path):
    build(corpus_files, tmp_path / "one")
    build(corpus_files, tmp_path / "two")

    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")


def test_a_base_goes_on_from_another(corpus_files, tmp_path):
    start = tmp_path / "one"
    build(corpus_files, start)
    build(corpus_files, tmp_path / "kept", start=str(start), learning_rate=0.0)
    build(corpus_files, tmp_path / "on", start=str(start))

    marks = [fingerprint(tmp_path / name) for name in ("one", "kept", "on")]
    assert marks[0] == marks[1] != marks[2]
