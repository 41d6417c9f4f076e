"""A corpus, a tokenizer of each kind, and every preset trained once for all files."""

from types import SimpleNamespace

import pytest
import spacy
import torch
from conftest import ROOT
from spacy.cli._util import app
from typer.testing import CliRunner

from spacy_ramie.corpus.docbin import record_of, write_docbin
from spacy_ramie.corpus.items import make_items
from spacy_ramie.corpus.paper_labels import to_paper_labels
from spacy_ramie.corpus.records import gold_annotations, read_records
from spacy_ramie.prompting import build_request
from spacy_ramie.schema import make_supplements, make_supplements_paper
from spacy_ramie.training.adapter import train_adapter
from spacy_ramie.training.config import load_setup

from .models import build_base, byte_tokenizer, piece_tokenizer
from .notes import NOTES
from .presets import COMPONENT, PRESETS, file_of


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Tiny matrices are slower on many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package", params=PRESETS)
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
