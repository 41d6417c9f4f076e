"""Tiny real models, a few real records, and an engine that answers by script."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# On models this small, threads wait for each other longer than they work; the
# commands that tests start inherit this.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import spacy
import srsly
import torch

from spacy_ramie.schema import make_supplements
from spacy_ramie.types import Answer, Request

ROOT = Path(__file__).parent.parent

# Two supplements, three events, one of them negated: used wherever the model is
# not the point.
NOTE = (
    "Started melatonin 3 mg qhs for insomnia; ginkgo stopped after nosebleeds. "
    "No headache."
)


@pytest.fixture(scope="session")
def records() -> list[dict[str, Any]]:
    """The first forty records of the training split."""
    return list(srsly.read_jsonl(ROOT / "corpus/train.jsonl"))[:40]


@pytest.fixture(scope="session")
def corpus_files(tmp_path_factory, records) -> dict[str, Path]:
    """Those records as train.jsonl and dev.jsonl."""
    folder = tmp_path_factory.mktemp("corpus")
    files = {name: folder / f"{name}.jsonl" for name in ("train", "dev")}
    srsly.write_jsonl(files["train"], records[:30])
    srsly.write_jsonl(files["dev"], records[30:])
    return files


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory, records) -> Path:
    """A Llama with random weights and a byte-level BPE tokenizer of its own."""
    from spacy_ramie.training.small_llama import small_llama, train_tokenizer

    torch.manual_seed(0)
    tokenizer = train_tokenizer((r["text"] for r in records), 600)
    shape = {"hidden": 32, "layers": 2, "heads": 2, "context": 512}
    folder = tmp_path_factory.mktemp("tiny") / "base"
    small_llama(shape, tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_adapter(tmp_path_factory, tiny_base) -> Path:
    """A LoRA adapter of that base, with random weights in both matrices."""
    from peft import LoraConfig, get_peft_model

    from spacy_ramie.engine.loading import load_base

    torch.manual_seed(1)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=4,
        target_modules="all-linear",
        init_lora_weights=False,
    )
    folder = tmp_path_factory.mktemp("tiny") / "adapter"
    get_peft_model(load_base(str(tiny_base)), config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def bert(tmp_path_factory) -> Path:
    """A BERT with random weights and a WordPiece tokenizer."""
    from tiny_bert import write_bert

    return write_bert(tmp_path_factory.mktemp("bert") / "queries", seed=0)


@pytest.fixture(scope="session")
def other_bert(tmp_path_factory) -> Path:
    """One of the same shape, with other weights."""
    from tiny_bert import write_bert

    return write_bert(tmp_path_factory.mktemp("bert") / "documents", seed=1)


@pytest.fixture
def paths(corpus_files, tiny_base, tmp_path) -> dict[str, str]:
    """The paths of a training config: those records, that base, a new adapter."""
    return {
        "paths.train": str(corpus_files["train"]),
        "paths.dev": str(corpus_files["dev"]),
        "paths.base": str(tiny_base),
        "paths.adapter": str(tmp_path / "adapter"),
    }


@pytest.fixture(scope="session")
def trained(tiny_base, tiny_adapter, corpus_files) -> Any:
    """A pipeline with an adapter and an exemplar bank, to be saved or sent."""
    from whole_pipeline import make_pipeline

    return make_pipeline(tiny_base, tiny_adapter, corpus_files["train"])


@pytest.fixture(scope="session")
def saved(trained, tmp_path_factory) -> Path:
    """That pipeline as a folder, which tests leave as it is."""
    folder = tmp_path_factory.mktemp("saved") / "pipeline"
    trained.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory, tiny_base) -> Path:
    """A saved pipeline whose entities come from rules: the tiny base knows nothing."""
    from rule_model import save_ruled

    return save_ruled(tmp_path_factory.mktemp("cli"), tiny_base)


@pytest.fixture
def bank(tmp_path) -> Path:
    """A corpus of TAUGHT and a sentence that is not like it."""
    from known_note import OTHER, TAUGHT

    path = tmp_path / "bank.jsonl"
    srsly.write_jsonl(path, [TAUGHT, OTHER])
    return path


@pytest.fixture
def make_nlp(tiny_base) -> Callable[..., Any]:
    """Make a blank pipeline with the component over the tiny base."""

    def make(exemplars: Path | None = None, **config: Any) -> Any:
        nlp = spacy.blank("en")
        engine = {"base": str(tiny_base), "max_new_tokens": 24}
        config.setdefault("engine", engine)
        component = nlp.add_pipe("ramie_extractor", config=config)
        if exemplars is not None:
            component.initialize(lambda: [], nlp=nlp, exemplars=str(exemplars))
        return nlp

    return make


class ScriptedEngine:
    """Answers by a function of the request; counts what it was asked."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        self.requests += requests
        return [self.answer(request) for request in requests]

    def load(self) -> None:
        pass

    def set_adapter(self, adapter: str | None) -> None:
        pass

    def to_disk(self, path: Path) -> None:
        pass

    def from_disk(self, path: Path) -> None:
        pass


def answer_by_note(request: Request) -> Answer:
    """What a good model says about NOTE."""
    words = make_supplements()
    if request.task == "ner" and "melatonin" in request.parts[-1]:
        rows = ["melatonin\tsupplement", "insomnia\tevent"]
        rows += ["ginkgo\tsupplement", "nosebleeds\tevent"]
        text = "\n".join(rows)
        return Answer(text, pieces=tuple((i, -0.01) for i in range(1, len(text) + 1)))
    if request.task == "ner" and "headache" in request.parts[-1]:
        return Answer("headache\tevent")
    if request.task == "te" and "melatonin" in request.parts[-1]:
        return Answer("melatonin\tpositive\tinsomnia\nginkgo\tnegative\tnosebleeds")
    if request.choices:
        start = (
            "<< melatonin >>" in request.parts[-1]
            or "[[ melatonin ]]" in request.parts[-1]
        )
        first = {"re": (" positive", " negative"), "uc": (" start", " discontinue")}
        best = first[request.task][0 if start else 1]
        if (
            "<< melatonin >>" in request.parts[-1]
            and "[[ insomnia ]]" not in request.parts[-1]
        ):
            best = f" {words.relations['NOT_RELATED']}"
        rest = 0.1 / (len(request.choices) - 1)
        scores = tuple(0.9 if c == best else rest for c in request.choices)
        return Answer(best, scores)
    return Answer("None")


@pytest.fixture
def scripted(make_nlp) -> Callable[..., Any]:
    """Make a pipeline whose engine answers by script."""

    def make(
        answer: Callable[[Request], Answer] = answer_by_note, **config: Any
    ) -> tuple[Any, ScriptedEngine]:
        nlp = make_nlp(**config)
        engine = ScriptedEngine(answer)
        nlp.get_pipe("ramie_extractor").extraction.engine = engine
        return nlp, engine

    return make
