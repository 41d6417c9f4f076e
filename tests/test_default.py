"""What comes along: three lines, no configuration, no training, no network."""

import shutil
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)
from spacy.util import load_config

from spacy_ramie import default
from spacy_ramie.corpus.docbin import make_corpus
from spacy_ramie.engine.merging import check_adapter
from spacy_ramie.engine.transformers_engine import ADAPTER_CONFIG, TRAINED_ON
from spacy_ramie.errors import RetrievalError
from spacy_ramie.retrieval.encoders import dense
from spacy_ramie.retrieval.exemplars import read_exemplars
from spacy_ramie.retrieval.index import ExactIndex
from spacy_ramie.schema import make_supplements

ROOT = Path(__file__).parent.parent
NOTE = "Started melatonin 3 mg qhs for insomnia."


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("ramie_extractor")
    return nlp


def answers(nlp):
    doc = nlp(NOTE)
    return (
        [(e.text, e.label_, e.kb_id_, e._.ramie_usage) for e in doc.ents],
        [(r.head.text, r.label, r.tail.text) for r in doc._.ramie_relations],
        doc._.ramie_triples,
    )


def test_three_lines_extract_from_a_sentence(nlp):
    entities, relations, triples = answers(nlp)

    assert entities == [
        ("melatonin", "DS", "melatonin", "START"),
        ("insomnia", "EVENT", "", None),
    ]
    # Asked of the pair, and found as a triple.
    assert set(relations) == {("melatonin", "POSITIVE", "insomnia")}
    assert triples == [("melatonin", "POSITIVE", "insomnia")]


def test_three_lines_need_no_network(monkeypatch):
    def refuse(*args):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    nlp = spacy.blank("en")
    nlp.add_pipe("ramie_extractor")

    assert answers(nlp)[0]


def test_answers_come_with_an_exemplar_of_the_training_split(nlp):
    train = {r["id"] for r in srsly.read_jsonl(ROOT / "corpus/train.jsonl")}

    (shown, *_) = nlp(NOTE)._.ramie["entities"][0]["exemplars"]

    assert shown["id"].split("/")[0] in train


def test_exemplars_are_those_of_the_training_split():
    """Or the package would go on with those of an older corpus."""
    nlp = spacy.blank("en")
    component = nlp.add_pipe(
        "ramie_extractor", config={"engine": {"base": "none/here"}}
    )
    train = str(ROOT / "corpus/train.jsonl")
    component.initialize(lambda: [], nlp=nlp, exemplars=train)
    banks = component.extraction.retriever.banks

    expected = {task: bank.exemplars for task, bank in banks.items()}

    stored = read_exemplars(default.RETRIEVER)
    assert {task: [*exemplars] for task, exemplars in stored.items()} == expected
    assert srsly.read_json(default.INGREDIENTS) == component.ingredients
    for task, bank in banks.items():
        index = ExactIndex()
        index.from_disk(default.RETRIEVER / task)
        assert numpy.allclose(index.vectors(), bank.index.vectors(), atol=1e-6)


@pytest.mark.parametrize(
    "retriever",
    [
        {"key": "sentence"},
        {"encoder": {"@misc": "spacy_ramie.HashingEncoder.v1", "dimension": 64}},
        {"index": {"@misc": "spacy_ramie.AnnoyIndex.v1", "trees": 1}},
    ],
)
def test_another_retriever_embeds_the_exemplars_anew(retriever):
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor", config={"retriever": retriever})
    asked = component.extraction.retriever
    exemplar = asked.banks["uc"].exemplars[9]
    expected = dense(asked.encoder.documents([asked.key_of(exemplar)], nlp))

    found = asked.banks["uc"].index.vectors()

    assert len(found) == len(asked.banks["uc"].exemplars)
    assert found[9] == pytest.approx(expected[0], abs=1e-6)


def test_neither_weights_nor_exemplars_are_read_before_the_first_note(monkeypatch):
    monkeypatch.setattr(default, "RETRIEVER", Path("nowhere"))
    monkeypatch.setattr(default, "BASE", Path("nowhere"))

    nlp = spacy.blank("en")
    nlp.add_pipe("ramie_extractor")

    assert nlp.pipe_names == ["ramie_extractor"]


def test_what_libraries_say_of_each_other_is_not_said_to_the_user(capfd):
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")

    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        component.load()

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("hidden", [True, False])
def test_progress_bars_of_others_are_left_as_they_were(hidden):
    component = spacy.blank("en").add_pipe("ramie_extractor")
    (disable_progress_bars if hidden else enable_progress_bars)()

    component.load()

    assert are_progress_bars_disabled() is hidden
    enable_progress_bars()


def test_initialising_the_pipeline_keeps_the_exemplars():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")

    nlp.initialize()

    assert set(component.extraction.retriever.banks) == {"ner", "re", "te", "uc"}


def test_saved_pipeline_has_its_own_base_adapter_and_exemplars(
    nlp, tmp_path, monkeypatch
):
    expected = answers(nlp)
    nlp.to_disk(tmp_path / "model")
    monkeypatch.setattr(default, "RETRIEVER", Path("nowhere"))
    monkeypatch.setattr(default, "BASE", Path("nowhere"))
    (tmp_path / "other").mkdir()
    srsly.write_json(tmp_path / "other" / ADAPTER_CONFIG, {})
    monkeypatch.setattr(default, "ADAPTER", tmp_path / "other")

    loaded = spacy.load(tmp_path / "model")

    assert answers(loaded) == expected


def test_bytes_of_a_pipeline_not_yet_used_hold_the_exemplars(nlp):
    fresh = spacy.blank("en")
    fresh.add_pipe("ramie_extractor")
    data = fresh.to_bytes()
    own = {"engine": {"base": "none/here"}}
    loaded = spacy.blank("en")
    loaded.add_pipe("ramie_extractor", config=own)

    loaded.from_bytes(data)

    assert answers(loaded) == answers(nlp)


def test_a_failed_first_note_leaves_the_exemplars_to_the_next(monkeypatch, tmp_path):
    copy = shutil.copytree(default.RETRIEVER, tmp_path / "retriever")
    (copy / "uc.npz").unlink()
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")
    retriever = component.extraction.retriever
    with monkeypatch.context() as patch:
        patch.setattr(default, "RETRIEVER", copy)
        with pytest.raises(RetrievalError, match="R301"):
            _ = retriever.banks

    assert set(retriever.banks) == {"ner", "re", "te", "uc"}


def test_a_question_in_other_words_gets_neither_adapter_nor_exemplars():
    nlp = spacy.blank("en")
    other = {"@misc": "spacy_ramie.NER.v1", "instruction": "Find herbs."}
    component = nlp.add_pipe("ramie_extractor", config={"tasks": {"ner": other}})

    assert component.extraction.engine.adapter is None
    assert component.extraction.retriever.banks == {}


def test_exemplars_of_a_users_own_take_the_place_of_ours(corpus_files):
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")

    own = str(corpus_files["dev"])
    component.initialize(lambda: [], nlp=nlp, exemplars=own)

    groups = {r["id"] for r in srsly.read_jsonl(own)}
    banks = component.extraction.retriever.banks
    assert {e.group for bank in banks.values() for e in bank.exemplars} == groups


def test_a_base_of_a_users_own_gets_neither_adapter_nor_exemplars(tiny_base):
    nlp = spacy.blank("en")
    engine = {"base": str(tiny_base)}
    component = nlp.add_pipe("ramie_extractor", config={"engine": engine})

    assert component.extraction.engine.adapter is None
    assert component.extraction.retriever.banks == {}


def test_adapter_belongs_to_the_base():
    assert (default.ADAPTER / TRAINED_ON).is_file()
    check_adapter(default.NAME, default.ADAPTER)


def test_the_base_is_a_small_llama_of_the_recipe():
    config = srsly.read_json(default.BASE / "config.json")
    shape = load_config(ROOT / "configs/base.cfg")["ramie"]["base"]

    assert config["architectures"] == ["LlamaForCausalLM"]
    found = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
    asked = ("hidden", "layers", "heads", "vocabulary")
    assert [config[key] for key in found] == [shape[key] for key in asked]
    assert (default.BASE / "model.safetensors").stat().st_size < 40e6


def test_quality_on_dev_is_that_of_the_model_card(nlp):
    """Well below what the card states: this catches a broken package."""
    read = make_corpus(str(ROOT / "corpus/dev.jsonl"), make_supplements())

    scores = nlp.evaluate(list(read(nlp))[:60])

    assert scores["ents_f"] > 0.55
    assert scores["ramie_re_gold_acc"] > 0.5
    assert scores["ramie_uc_gold_acc"] > 0.45


def test_command_line_of_the_readme_works_in_an_empty_folder(tmp_path):
    lines = (
        "import spacy",
        "nlp = spacy.blank('en'); nlp.add_pipe('ramie_extractor')",
        f"print(nlp({NOTE!r}).ents)",
    )

    result = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "(melatonin, insomnia)\n"
