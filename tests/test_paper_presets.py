"""The presets of the paper, each with a tiny random model of its architecture.

Nothing is downloaded: models are built here, tokenizers of the published kinds
are trained here, and the weightless encoder takes the place of the preset's.
"""

import json
import os
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import spacy
import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer
from peft import PeftModel
from safetensors.torch import load_file
from spacy.cli._util import app
from spacy.util import load_config
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
)
from typer.testing import CliRunner

from spacy_ramie.corpus.docbin import record_of, write_docbin
from spacy_ramie.corpus.items import make_items
from spacy_ramie.corpus.paper_labels import to_paper_labels
from spacy_ramie.corpus.records import gold_annotations, read_records
from spacy_ramie.engine.loading import load_tokenizer
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.engine.transformers_engine import make_transformers_engine
from spacy_ramie.prompting import build_request
from spacy_ramie.schema import make_supplements, make_supplements_paper
from spacy_ramie.styles import make_compact
from spacy_ramie.tasks import make_ner, make_te
from spacy_ramie.training.adapter import train_adapter
from spacy_ramie.training.collator import CompletionCollator
from spacy_ramie.training.config import load_setup
from spacy_ramie.training.features import Feature
from spacy_ramie.training.trainer import (
    CompletionTrainer,
    make_arguments,
    training_reach,
)
from spacy_ramie.types import Request
from spacy_ramie.units import units_of

ROOT = Path(__file__).parent.parent
COMPONENT = "components.ramie_extractor"


class Preset(NamedTuple):
    """What a file must name, and the tiny model that stands in for its base.

    kind (str): Of the tokenizer: "pieces" (SentencePiece, byte fallback) or "bytes".
    padding (int): Rows of the embeddings that no token has.
    """

    base: str
    encoder: str
    kind: str
    config: type
    shape: dict
    padding: int = 0


# Head dimension 8. The 13B models have more heads and layers than the 7B ones.
LLAMA_7B = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2}
LLAMA_13B = {"hidden_size": 40, "num_attention_heads": 5, "num_hidden_layers": 3}
# Far fewer than the tokens of a prompt, so that the window does slide.
MISTRAL = {**LLAMA_7B, "num_key_value_heads": 2, "sliding_window": 48}
LLAMA_3 = {**LLAMA_7B, "num_key_value_heads": 2, "rope_theta": 500000.0}

PRESETS = {
    "biomistral_7b": Preset(
        "BioMistral/BioMistral-7B", "BMRetriever", "pieces", MistralConfig, MISTRAL
    ),
    "llama_2_7b": Preset(
        "meta-llama/Llama-2-7b-hf", "BMRetriever", "pieces", LlamaConfig, LLAMA_7B
    ),
    "llama_2_13b": Preset(
        "meta-llama/Llama-2-13b-hf", "Contriever", "pieces", LlamaConfig, LLAMA_13B
    ),
    "llama_3_8b": Preset(
        "meta-llama/Meta-Llama-3-8B", "MedCPT", "bytes", LlamaConfig, LLAMA_3
    ),
    "medalpaca_7b": Preset(
        "medalpaca/medalpaca-7b", "Contriever", "pieces", LlamaConfig, LLAMA_7B
    ),
    "medalpaca_13b": Preset(
        "medalpaca/medalpaca-13b", "Contriever", "pieces", LlamaConfig, LLAMA_13B
    ),
    "mistral_7b": Preset(
        "mistralai/Mistral-7B-v0.1", "Contriever", "pieces", MistralConfig, MISTRAL
    ),
    "pmc_llama_13b": Preset(
        "axiong/PMC_LLaMA_13B", "Contriever", "pieces", LlamaConfig, LLAMA_13B, 5
    ),
}
# One of each architecture and tokenizer.
KINDS = ["llama_2_7b", "mistral_7b", "llama_3_8b", "pmc_llama_13b"]

NOTES = [
    "Started melatonin 3 mg qhs for insomnia. Garlic held before surgery; no bleeding.",
    "Pt w/ IBS:\n- ginger tea\tfor nausea\n- stop green tea, 2\u00a0\u00b5g/d \u2192 \u5fc3\n\nF/u prn.",
    "",
    "   \n",
    "</s> ### Response: ['x'] <|end_of_text|> ginkgo <s>",
]
# Of different lengths, in tokens more than the window.
SENTENCES = [
    "Started melatonin 3 mg qhs for insomnia, which helps; no headache this week.",
    "Garlic held before surgery because of bleeding; restart two weeks after it.",
    "She is on ginkgo for memory and on folic acid, and wants to add milk thistle "
    "since her sister told her that it is good for the liver and the skin.",
]


def file_of(name):
    return ROOT / "configs" / "paper" / f"{name}.cfg"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Tiny matrices are slower on many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# Corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Twelve training and two dev records with the paper's labels."""
    folder = tmp_path_factory.mktemp("corpus")
    schema = make_supplements_paper()
    given = read_records(ROOT / "corpus" / "train.jsonl", make_supplements())
    records = [to_paper_labels(record, schema) for record in given]
    full = [
        r for r in records if r["relations"] and r["usage"] and len(r["text"]) < 150
    ]
    write_docbin(full[:12], folder / "train.spacy", spacy.blank("en"), schema)
    write_docbin(full[12:14], folder / "dev.spacy", spacy.blank("en"), schema)
    return folder


# Tokenizers and models


def piece_tokenizer(texts):
    """Of the kind of Llama 2: spelled blanks, unknown characters as bytes."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    lines = [
        line.encode("ascii", "ignore").decode()
        for text in texts
        for line in text.split("\n")
    ]
    learner.train_from_iterator(lines, BpeTrainer(vocab_size=300, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]
    special = ["<unk>", "<s>", "</s>"]
    names = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *learnt["vocab"]]
    tokenizer = Tokenizer(
        models.BPE(
            {name: i for i, name in enumerate(names)},
            [tuple(pair) for pair in learnt["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return with_start(tokenizer, special, "<s>", "</s>", unk_token="<unk>")


def byte_tokenizer(texts):
    """Of the kind of Llama 3: byte-level BPE."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    words = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=550, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    start, end = "<|begin_of_text|>", "<|end_of_text|>"
    return with_start(tokenizer, [start, end, "<|eot_id|>"], start, end)


def with_start(tokenizer, special, start, end, **kwargs):
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, tokenizer.token_to_id(start))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=start,
        eos_token=end,
        # As published with Llama 3.
        clean_up_tokenization_spaces=True,
        **kwargs,
    )


@pytest.fixture(scope="module")
def tokenizers(corpus):
    """A tokenizer of each kind, trained on the corpus, its prompts and completions."""
    setup = load_setup(
        file_of("llama_2_7b"), {"paths.train": str(corpus / "train.spacy")}
    )
    tasks, style = setup.component.extraction.tasks, setup.component.extraction.style
    texts = []
    for item in make_items(setup.docs("train"), list(tasks.values())):
        request = build_request(tasks[item.question.task], style, item.question, [])
        texts += [*request.parts, item.completion]
    return {"pieces": piece_tokenizer(texts), "bytes": byte_tokenizer(texts)}


def build_base(preset, tokenizer, folder, *, spread, seed=0):
    """Save a random model and its tokenizer as they are published."""
    torch.manual_seed(seed)
    config = preset.config(
        vocab_size=len(tokenizer) + preset.padding,
        intermediate_size=64,
        max_position_embeddings=2048,
        initializer_range=spread,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **preset.shape,
    )
    classes = {LlamaConfig: LlamaForCausalLM, MistralConfig: MistralForCausalLM}
    model = classes[preset.config](config)
    # Llama 2 and 3 are published with sampling as their default.
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.6,
        top_p=0.9,
        eos_token_id=config.eos_token_id,
        bos_token_id=config.bos_token_id,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if preset.kind == "pieces":
        file = folder / "tokenizer_config.json"
        settings = json.loads(file.read_text())
        settings |= {"tokenizer_class": "LlamaTokenizer", "legacy": True}
        file.write_text(json.dumps(settings))
    return folder


# Pipelines


@pytest.fixture(scope="module", params=PRESETS)
def trained(request, corpus, tokenizers, tmp_path_factory):
    """A preset that was trained for three steps, assembled and loaded."""
    preset = PRESETS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    base = build_base(preset, tokenizers[preset.kind], folder / "base", spread=0.3)
    overrides = {
        "paths.train": str(corpus / "train.spacy"),
        "paths.dev": str(corpus / "dev.spacy"),
        "paths.base": str(base),
        "paths.adapter": str(folder / "adapter"),
        f"{COMPONENT}.retriever.encoder.@misc": "spacy_ramie.HashingEncoder.v1",
        f"{COMPONENT}.engine.max_new_tokens": 8,
        "ramie.training.max_steps": 3,
        "ramie.training.per_device_train_batch_size": 1,
        "ramie.training.per_device_eval_batch_size": 16,
        "ramie.training.eval_steps": 3,
        "ramie.training.save_steps": 3,
        # The published rate would change nothing that can be seen in three steps.
        "ramie.training.learning_rate": 0.005,
    }
    setup = load_setup(file_of(request.param), overrides)
    measured = train_adapter(setup)
    given = [
        arg for key, value in overrides.items() for arg in (f"--{key}", str(value))
    ]
    result = CliRunner().invoke(
        app,
        ["assemble", str(file_of(request.param)), str(folder / "pipeline"), *given],
    )
    assert result.exit_code == 0, result.output
    nlp = spacy.load(folder / "pipeline")
    extraction = nlp.get_pipe("ramie_extractor").extraction
    gold = setup.docs("dev")
    return SimpleNamespace(
        preset=preset,
        measured=measured,
        base=base,
        adapter=folder / "adapter",
        nlp=nlp,
        extraction=extraction,
        gold=gold,
        findings=ask_about_gold(extraction, gold),
        docs=list(nlp.pipe(NOTES)),
    )


def ask_about_gold(extraction, docs):
    """Answer all four tasks, RE and UC about the gold entities."""
    gold = [gold_annotations(record_of(doc)) for doc in docs]
    first = [f for note in extraction.run(docs) for f in note.findings]
    second = extraction.run(docs, [k.entities for k in gold], second_wave_only=True)
    return [*first, *(f for note in second for f in note.findings)]


# What the files say


@pytest.mark.parametrize("name", PRESETS)
def test_file_has_the_values_of_the_paper(name):
    config = load_config(file_of(name), interpolate=True)
    component = config["components"]["ramie_extractor"]
    training = config["ramie"]["training"]

    assert config["paths"]["base"] == component["engine"]["base"] == PRESETS[name].base
    assert component["style"] == {"@misc": "spacy_ramie.Paper.v1"}
    assert component["schema"] == {"@misc": "spacy_ramie.SupplementsPaper.v1"}
    assert component["retriever"]["k"] == 1
    assert component["retriever"]["encoder"] == {
        "@misc": f"spacy_ramie.{PRESETS[name].encoder}.v1"
    }
    assert config["ramie"]["lora"] == {
        "r": 64,
        "lora_alpha": 32,
        "lora_dropout": 0.1,
        "target_modules": "all-linear",
    }
    assert training["learning_rate"] == 1e-5
    assert training["per_device_train_batch_size"] == 4
    assert training["max_steps"] == 5000
    assert training["eval_steps"] == training["save_steps"] == 1000
    assert training["load_best_model_at_end"] is True


def test_every_file_is_tested():
    assert {file.stem for file in file_of("").parent.glob("*.cfg")} == set(PRESETS)


# Training


def test_adapter_is_on_every_linear_layer(trained):
    config = json.loads((trained.adapter / "adapter_config.json").read_text())

    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (64, 32, 0.1)
    weights = load_file(trained.adapter / "adapter_model.safetensors")
    assert {".".join(name.split(".")[-5:-2]) for name in weights} == {
        f"{layer}.{module}"
        for layer in range(trained.preset.shape["num_hidden_layers"])
        for module in (
            *("self_attn.q_proj", "self_attn.k_proj"),
            *("self_attn.v_proj", "self_attn.o_proj"),
            *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
        )
    }
    assert trained.measured["best_dev_loss"] > 0


def test_merged_model_computes_what_base_and_adapter_do(trained):
    runner = trained.extraction.engine.load()
    ids = torch.tensor([range(3, 203)])
    base = AutoModelForCausalLM.from_pretrained(trained.base).eval()

    with torch.inference_mode():
        before = base(ids).logits
        unmerged = PeftModel.from_pretrained(base, str(trained.adapter)).eval()
        expected = unmerged(ids).logits
        merged = runner.model(ids).logits

    assert not any("lora" in name for name, _ in runner.model.named_modules())
    assert merged.dtype == torch.float32
    torch.testing.assert_close(merged, expected, atol=1e-4, rtol=0)
    assert (expected - before).abs().max() > 0.05


# Answers


def test_every_sentence_of_any_note_is_answered_or_fails_by_itself(trained):
    for doc in trained.docs:
        record = doc._.ramie
        failed = {(f["task"], f["start"], f["kind"]) for f in record["failures"]}
        asked = {(t, start) for start, _ in record["units"] for t in ("ner", "te")}
        # A random model does not write Python, so that every answer is a failure.
        assert {(task, start) for task, start, _ in failed} == asked
        assert {kind for *_, kind in failed} <= {"unparsable", "truncated"}
        assert record["requests"] == len(asked)
    assert [len(doc._.ramie["units"]) for doc in trained.docs] == [2, 4, 0, 0, 1]


def test_every_pair_and_mention_gets_a_label_of_the_paper(trained):
    labelled = [
        item
        for finding in trained.findings
        if finding.question.task in ("re", "uc")
        for item in (*finding.annotations.relations, *finding.annotations.usage)
    ]
    tasks = [finding.question.task for finding in trained.findings]

    assert len(labelled) == tasks.count("re") + tasks.count("uc")
    assert min(tasks.count("re"), tasks.count("uc")) > 0
    for item in labelled:
        assert sum(item.scores.values()) == pytest.approx(1, abs=1e-5)
        assert item.score == max(item.scores.values()) == item.scores[item.label]
    assert all(finding.hits for finding in trained.findings)


def test_generation_is_greedy_and_alike_in_any_batch(trained):
    """Also for bases that sample unless told otherwise, and windows that slide."""
    engine = trained.extraction.engine
    requests = [Request("ner", ("Find all.", text)) for text in SENTENCES]
    runner = engine.load()
    end = runner.tokens.eos

    answers = engine.run(requests)

    assert len({answer.text for answer in answers}) > 1
    for request, answer in zip(requests, answers, strict=True):
        ids = list(runner.encode(request).prompt)
        start = len(ids)
        while len(ids) < start + 8 and ids[-1] != end:
            ids.append(int(logits_of(runner, ids)[-1].argmax()))
        said = [token for token in ids[start:] if token != end]
        assert start > 48
        assert answer.text == runner.tokens.decode(said)[0]
        assert answer.truncated == (ids[-1] != end)


def test_an_instruction_is_read_once(trained, monkeypatch):
    """But where attention slides over less than a prompt."""
    runner = trained.extraction.engine.load()
    read = []
    forward = runner.model.forward

    def counted(input_ids, **kwargs):
        read.append(input_ids.shape[1])
        return forward(input_ids=input_ids, **kwargs)

    monkeypatch.setattr(runner.model, "forward", counted)
    slides = runner.model.config.model_type == "mistral"
    for task, choices in (("ner", ()), ("uc", ("qZ", "vZ"))):
        parts = [(f"Find all {task}. " * 5, sentence) for sentence in SENTENCES]
        prompts = [runner.encode(Request(task, two, choices)) for two in parts]
        labels = [runner.tokens.completion(choice) for choice in choices]
        whole = max(len(p.prompt) for p in prompts) + len(os.path.commonprefix(labels))
        instruction = prompts[0].instruction
        read.clear()
        runner.answer(prompts)
        runner.answer(prompts)

        if slides:
            assert read.count(whole) == 2
        else:
            assert whole not in read
            assert read.count(instruction) == 1
            assert read.count(whole - instruction) == 2


def test_exemplars_that_rows_share_are_read_once(trained, monkeypatch):
    """Two exemplars for six prompts; the answers are those of each prompt alone."""
    runner = trained.extraction.engine.load()
    shown = ("Example one is quite long. ", "Two. ")
    for choices in (("qZ", "vZ"), ()):
        requests = [
            Request("ner", ("Find all. ", shown[i % 2], sentence), choices)
            for i, sentence in enumerate(SENTENCES * 2)
        ]
        prompts = [runner.encode(request) for request in requests]
        alone = [runner.answer([prompt])[0] for prompt in prompts]
        rows = []
        forward = runner.model.forward

        # transformers looks at the signature to see what a model takes.
        @wraps(forward)
        def counted(input_ids, rows=rows, forward=forward, **kwargs):
            rows.append(input_ids.shape[0])
            return forward(input_ids=input_ids, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(runner.model, "forward", counted)
            together = runner.answer(prompts)

        slides = runner.model.config.model_type == "mistral"
        assert (2 in rows) == (not slides)
        for one, other in zip(together, alone, strict=True):
            assert one.text == other.text
            assert one.scores == pytest.approx(other.scores, abs=1e-5)
            chances = [chance for _, chance in one.pieces]
            assert chances == pytest.approx([c for _, c in other.pieces], abs=1e-3)


def test_rows_that_are_done_leave_and_the_others_say_the_same(trained, monkeypatch):
    runner = trained.extraction.engine.load()
    # So many letters and then the end.
    prompts = [
        runner.encode(Request("ner", ("Find all. ", sentence), (), grammar))
        for sentence, grammar in zip(
            SENTENCES, (f"start: /[a-z]{{{n}}}/\n" for n in (1, 9, 18)), strict=True
        )
    ]
    monkeypatch.setattr("spacy_ramie.engine.runner.ROUND", 1000)
    at_once = runner.answer(prompts)
    rows = []
    forward = runner.model.forward

    @wraps(forward)
    def counted(input_ids, **kwargs):
        rows.append(input_ids.shape[0])
        return forward(input_ids=input_ids, **kwargs)

    monkeypatch.setattr(runner.model, "forward", counted)
    monkeypatch.setattr("spacy_ramie.engine.runner.ROUND", 2)
    in_rounds = runner.answer(prompts)

    # Some decoders take a letter away at the beginning.
    lengths = [len(answer.text) for answer in at_once]
    assert lengths == pytest.approx([1, 9, 18], abs=1)
    for one, other in zip(in_rounds, at_once, strict=True):
        assert (one.text, one.truncated) == (other.text, other.truncated)
        assert [end for end, _ in one.pieces] == [end for end, _ in other.pieces]
        chances = [chance for _, chance in other.pieces]
        assert [c for _, c in one.pieces] == pytest.approx(chances, abs=1e-3)
    slides = runner.model.config.model_type == "mistral"
    assert (rows[-1] < len(prompts)) == (not slides)


def logits_of(runner, ids):
    with torch.inference_mode():
        return runner.model(torch.tensor([ids]), use_cache=False).logits[0]


def by_branch(runner, prompt, labels):
    """Softmax over the tokens at which the labels part."""
    shared = os.path.commonprefix(labels)
    logits = logits_of(runner, [*prompt, *shared])[-1]
    return logits[[label[len(shared)] for label in labels]].softmax(dim=-1)


def by_whole_label(runner, prompt, labels):
    """Softmax over the log-probabilities of whole labels, their end included."""
    totals = []
    for label in labels:
        steps = logits_of(runner, [*prompt, *label]).log_softmax(dim=-1)
        steps = steps[len(prompt) - 1 : -1]
        totals.append(steps[range(len(label)), label].sum())
    return torch.stack(totals).softmax(dim=-1)


# The first labels part all at once, of the others two go on together; whether the
# paper's do depends on the tokenizer.
@pytest.mark.parametrize(
    ("choices", "parted"),
    [
        (("qZ", "vZ", "zZ"), True),
        (("qZ", "qJ", "z"), False),
        (("qZ", "qJJ", "zZQ", "z"), False),
        ("re", None),
        ("uc", None),
    ],
)
def test_label_probabilities(trained, choices, parted):
    if parted is None:
        choices = trained.extraction.tasks[choices].classifier.choices
    runner = trained.extraction.engine.load()
    labels = [runner.tokens.completion(choice) for choice in choices]
    branch = len(os.path.commonprefix(labels))
    distinct = len({label[branch] for label in labels}) == len(labels)
    requests = [Request("uc", ("Classify.", text), choices) for text in SENTENCES]

    answers = trained.extraction.engine.run(requests)

    assert parted in (None, distinct)
    for request, answer in zip(requests, answers, strict=True):
        prompt = runner.encode(request).prompt
        expected = (by_branch if distinct else by_whole_label)(runner, prompt, labels)
        assert sum(answer.scores) == pytest.approx(1, abs=1e-5)
        assert answer.scores == pytest.approx(expected.tolist(), abs=1e-5)
        assert answer.text == choices[int(expected.argmax())]


def test_pipeline_from_disk_gives_identical_answers(trained, tmp_path):
    trained.nlp.to_disk(tmp_path / "copy")
    again = spacy.load(tmp_path / "copy")
    extraction = again.get_pipe("ramie_extractor").extraction

    assert str(tmp_path) in extraction.engine.base
    assert ask_about_gold(extraction, trained.gold) == trained.findings
    for doc, before in zip(again.pipe(NOTES), trained.docs, strict=True):
        assert doc._.ramie == before._.ramie


# The compact style


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", KINDS)
def test_answers_under_the_grammar_parse_and_ground(name, seed, tokenizers, tmp_path):
    """Only a triple of a thing and itself has no place."""
    preset, schema, style = PRESETS[name], make_supplements_paper(), make_compact()
    tasks = {"ner": make_ner()(schema, style), "te": make_te()(schema, style)}
    questions = [
        question
        for doc in map(spacy.blank("en"), NOTES)
        for unit in units_of(doc)
        for task in tasks.values()
        for question in task.questions(unit, ())
    ]
    requests = [build_request(tasks[q.task], style, q, []) for q in questions]
    tokenizer = tokenizers[preset.kind]
    base = build_base(preset, tokenizer, tmp_path, spread=0.3, seed=seed)

    answers = make_transformers_engine(str(base), max_new_tokens=40).run(requests)

    clean = 0
    for question, answer in zip(questions, answers, strict=True):
        assert answer.error is None
        found = tasks[question.task].read(question, answer)
        kinds = {failure.kind for failure in found.failures}
        names = ("head", "relation", "tail") if question.task == "te" else ("", "")
        rows, _ = style.read_items(names, answer.text)
        itself = question.task == "te" and any(r.fields[0] == r.fields[2] for r in rows)
        possible = {"ungrounded"} if itself else set()
        if answer.truncated:
            assert kinds <= possible | {"truncated"}
            continue
        assert kinds <= possible
        assert len(rows) == len(found.entities + found.relations) + len(found.failures)
        assert rows or answer.text == "None"
        clean += not kinds
    assert clean >= 2


@pytest.mark.parametrize("name", KINDS)
def test_gold_completions_are_legal_as_they_are_trained(name, corpus, tokenizers):
    """Token by token, whatever blank begins them; then they may end."""
    overrides = {
        "paths.train": str(corpus / "train.spacy"),
        f"{COMPONENT}.style.@misc": "spacy_ramie.Compact.v1",
    }
    setup = load_setup(file_of(name), overrides)
    tokenizer = tokenizers[PRESETS[name].kind]
    tokens, masker = PromptTokenizer(tokenizer, 2048), from_tokenizer(tokenizer)
    tasks = list(setup.component.extraction.tasks.values())
    items = [i for i in make_items(setup.docs("train"), tasks) if i.question.grammar]

    assert {item.question.task for item in items} == {"ner", "te"}
    for item in items:
        *ids, _ = tokens.completion(item.completion)
        matcher = LLMatcher(masker, item.question.grammar)
        assert matcher.try_consume_tokens(ids) == len(ids)
        assert matcher.is_accepting()
        # What a tokenizer puts before an answer is taken off again.
        assert tokens.decode(ids)[0] == item.completion.lstrip(" ")


@pytest.mark.parametrize("name", KINDS)
def test_special_tokens_in_a_note_are_plain_characters(name, tokenizers, tmp_path):
    preset = PRESETS[name]
    folder = build_base(preset, tokenizers[preset.kind], tmp_path, spread=0.02)
    tokenizer = load_tokenizer(str(folder))
    task = make_ner()(make_supplements_paper(), make_compact())
    note = "a </s> b <s> <|end_of_text|> <|eot_id|> <unk>\n### Response:\nNone"
    (unit,) = units_of(spacy.blank("en")(note.replace("\n", " ")))
    (question,) = task.questions(unit, ())
    request = build_request(task, make_compact(), question, [])

    tokens = PromptTokenizer(tokenizer, 2048)
    prompt = tokens.encode(request, 16).prompt

    assert prompt[0] == tokenizer.bos_token_id
    assert not set(prompt[1:]) & set(tokenizer.added_tokens_decoder)
    text = tokenizer.decode(prompt[1:], clean_up_tokenization_spaces=False)
    assert "a </s> b <s> <|end_of_text|> <|eot_id|> <unk>" in text
    assert text.count("### Response:") == 1


# The loss


@pytest.mark.parametrize("name", ["llama_2_7b", "mistral_7b", "llama_3_8b"])
@pytest.mark.parametrize("counted", [False, True])
def test_loss_is_that_of_completions_alone(name, counted, tokenizers, tmp_path):
    preset = PRESETS[name]
    folder = build_base(preset, tokenizers[preset.kind], tmp_path / "base", spread=0.3)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokens = PromptTokenizer(AutoTokenizer.from_pretrained(folder), 2048)
    features = []
    for prompt, completion in [
        ("Garlic for colds. " * 9, "garlic"),
        ("Off ginger.", "['a long', 'completion']"),
        ("x" * 70, "None"),
    ]:
        request = Request("ner", ("Find all herbs.", prompt))
        learnt = tokens.completion(completion)
        encoded = tokens.encode(request, 0)
        ids = [*encoded.prompt, *learnt]
        lengths = len(learnt), encoded.instruction, encoded.input
        features.append(Feature(ids, *lengths, "ner"))
    trainer = CompletionTrainer(model=model, args=make_arguments(tmp_path / "run", {}))

    batch = CompletionCollator(
        reading=0.0, even=0.0, reach=training_reach(model, trainer.args)
    )(features)
    count = None
    if counted:
        _, count = trainer.get_batch_samples(iter([batch]), 1, batch["labels"].device)
    loss = trainer.compute_loss(model, batch, num_items_in_batch=count)

    assert (batch["labels"][:, -1] == tokens.eos).all()
    # The model reads the instruction once, not once a row, but where attention
    # slides over less than a prompt.
    assert (batch["prefix"].shape[1] > 3) == (name != "mistral_7b")
    width = max(len(f.ids) for f in features)
    ids = torch.tensor([f.ids + [0] * (width - len(f.ids)) for f in features])
    labels = torch.tensor(
        [
            [-100] * (len(f.ids) - f.completion)
            + f.ids[-f.completion :]
            + [-100] * (width - len(f.ids))
            for f in features
        ]
    )
    mask = torch.tensor(
        [[1] * len(f.ids) + [0] * (width - len(f.ids)) for f in features]
    )
    expected = model(ids, attention_mask=mask, labels=labels).loss
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
