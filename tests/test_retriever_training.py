"""A retriever is trained on what answers have in common, and on no other split."""

import sys
from pathlib import Path
from random import Random

import numpy
import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from tiny_config import write_tiny
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.retrieval.overlap import items_of, overlap
from spacy_ramie.retrieval.sentence_encoder import make_sentence_encoder
from spacy_ramie.training.config import load_setup
from spacy_ramie.training.retriever import collect_triplets
from spacy_ramie.training.triplets import make_triplets
from spacy_ramie.types import Exemplar
from spacy_ramie.units import units_of

ROOT = Path(__file__).parent.parent

# Triplets


@st.composite
def exemplars(draw):
    """A few exemplars of a few notes, sentences and answers."""
    answer = st.lists(st.sampled_from("abc"), min_size=1, unique=True)
    fields = st.tuples(st.integers(0, 5), st.integers(0, 5), answer)
    return [
        Exemplar(str(i), "ner", f"note {note}", f"text {text}", "", "\n".join(items))
        for i, (note, text, items) in enumerate(draw(st.lists(fields, max_size=12)))
    ]


def triplets_of(found, each=2, seed=0):
    similar = [[other for other in found if other is not one] for one in found]
    return make_triplets(found, similar, each, Random(seed))


@given(exemplars())
def test_no_triplet_has_two_of_a_note_with_its_anchor(found):
    for anchor, *others in triplets_of(found):
        assert anchor.group not in {other.group for other in others}
        assert anchor.sentence not in {other.sentence for other in others}


@given(exemplars())
def test_a_positive_shares_an_item_and_a_negative_shares_none(found):
    for anchor, positive, negative in triplets_of(found):
        wanted = items_of(anchor.answer)
        assert overlap(wanted, items_of(positive.answer)) > 0
        assert overlap(wanted, items_of(negative.answer)) == 0


@given(exemplars(), st.integers(1, 3))
def test_every_exemplar_that_has_both_gets_triplets(found, each):
    anchors = [triplet.anchor for triplet in triplets_of(found, each)]
    for one in found:
        others = [
            overlap(items_of(one.answer), items_of(other.answer))
            for other in found
            if other.group != one.group and other.sentence != one.sentence
        ]
        positives = sum(share > 0 for share in others)
        expected = min(each, positives) if 0 in others else 0
        assert anchors.count(one) == expected


def exemplar(number, text, answer):
    return Exemplar(str(number), "ner", f"note {number}", text, text, answer)


def test_the_best_positive_and_the_most_similar_negative_are_taken():
    anchor = exemplar(0, "Garlic for cough.", "garlic\ncough")
    some = exemplar(1, "Garlic daily.", "garlic")
    most = exemplar(2, "Takes garlic, has a cough.", "garlic\ncough")
    near, far = exemplar(3, "Ginger for nausea.", "x"), exemplar(4, "No pain.", "y")
    found = [anchor, some, most, near, far]

    triplets = make_triplets(found, [[near, most, far], [], [], [], []], 1, Random(0))

    assert triplets == [(anchor, most, near)]


# Training


@pytest.fixture(scope="module")
def config(tmp_path_factory, tiny_base, corpus_files):
    """The config of a retriever over a few records, with a dev split that is not there."""
    folder = tmp_path_factory.mktemp("retriever")
    paths = {
        "paths.base": str(tiny_base),
        "paths.train": str(corpus_files["train"]),
        "paths.dev": str(folder / "missing.jsonl"),
    }
    tiny = write_tiny(ROOT / "configs/supplements.cfg", folder / "tiny.cfg", paths)
    text = (ROOT / "configs/retriever.cfg").read_text()
    file = folder / "retriever.cfg"
    file.write_text(text.replace("configs/supplements.cfg", str(tiny)))
    return file


def invoke(*arguments):
    return CliRunner().invoke(ramie_cli, [str(argument) for argument in arguments])


def train(config, folder, **training):
    settings = {
        "num_train_epochs": 8,
        "per_device_train_batch_size": 32,
        "warmup_steps": 0,
        **training,
    }
    options = [
        word
        for key, value in settings.items()
        for word in (f"--retriever.training.{key}", str(value))
    ]
    result = invoke("retriever", config, folder, *options)
    assert result.exit_code == 0, result.output
    return make_sentence_encoder(str(folder))


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    return train(config, tmp_path_factory.mktemp("trained") / "retriever")


@pytest.fixture(scope="module")
def triplets(config):
    setup = load_setup(config.parent / "tiny.cfg", {})
    return collect_triplets(setup, 2, 20, 0)


def margins(encoder, triplets):
    """How much nearer each anchor is to its positive than to its negative."""
    nlp = spacy.blank("en")
    anchor, positive, negative = (
        encoder.documents([f"{e.sentence}\nResponse:{e.answer}" for e in side], nlp)
        if i
        else encoder.queries([nlp.make_doc(e.sentence)[:] for e in side])
        for i, side in enumerate(zip(*triplets, strict=True))
    )

    def cosines(one, other):
        lengths = numpy.linalg.norm(one, axis=1) * numpy.linalg.norm(other, axis=1)
        return (one * other).sum(axis=1) / lengths

    return cosines(anchor, positive) - cosines(anchor, negative)


def test_sentences_come_nearer_to_exemplars_that_answer_alike(
    config, trained, triplets, tmp_path
):
    before = train(config, tmp_path / "untrained", num_train_epochs=0)

    assert set(triplets) == {"ner", "re", "te", "uc"}
    right = {
        task: [(margins(encoder, found) > 0).mean() for encoder in (before, trained)]
        for task, found in triplets.items()
    }
    assert all(after > unlearnt for unlearnt, after in right.values()), right
    # Sentences with two relations or usages are drawn both ways.
    assert right["ner"][1] > 0.8


def test_two_runs_give_the_same_model(config, trained, tmp_path):
    again = train(config, tmp_path / "again")
    other = train(config, tmp_path / "other", seed=1)

    assert again.identity == trained.identity
    assert other.identity != trained.identity


def test_the_folder_holds_a_model_and_no_text_of_the_corpus(trained, records):
    files = [f for f in Path(trained.recipe.queries).rglob("*") if f.is_file()]

    assert "model.safetensors" in {file.name for file in files}
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    for file in files:
        content = file.read_bytes()
        assert not any(record["text"].encode() in content for record in records)


def test_a_run_goes_on_from_a_model_of_sentence_transformers(config, trained, tmp_path):
    start = trained.recipe.queries
    folder = tmp_path / "same"
    options = ("--retriever.start", start, "--retriever.training.num_train_epochs", 0)

    result = invoke("retriever", config, folder, *options)

    assert result.exit_code == 0, result.output
    span = spacy.blank("en")("Started melatonin for sleep.")[:]
    same = make_sentence_encoder(str(folder)).queries([span])
    assert same == pytest.approx(trained.queries([span]), abs=1e-6)


def test_a_saved_pipeline_finds_its_exemplars_with_it(
    trained, make_nlp, corpus_files, records, tmp_path
):
    encoder = {"@misc": "spacy_ramie.SentenceEncoder.v1"}
    made = make_nlp(
        exemplars=corpus_files["train"],
        retriever={
            "encoder": {**encoder, "model": trained.recipe.queries},
            "key": "sentence",
        },
    )
    made.to_disk(tmp_path / "pipeline")
    nlp = spacy.load(tmp_path / "pipeline")
    retriever = nlp.get_pipe("ramie_extractor").extraction.retriever
    sentence = units_of(nlp.make_doc(records[0]["text"]))[0].text

    vectors = retriever.embed([nlp.make_doc(sentence)[:]])
    ((hit,),) = retriever.search("ner", [*vectors.values()])

    assert hit.exemplar.sentence == sentence
    assert hit.similarity == pytest.approx(1, abs=1e-5)


# What a user can mend


def test_a_wrong_setting_is_named(config, tmp_path):
    result = invoke(
        *("retriever", config, tmp_path / "out"),
        *("--retriever.training.learning_rat", "1"),
    )

    assert result.exit_code == 1
    assert "[R013]" in result.output
    assert "learning_rat" in result.output


def test_a_config_without_the_section_is_refused(config, tmp_path):
    result = invoke("retriever", config.parent / "tiny.cfg", tmp_path / "out")

    assert result.exit_code == 1
    assert "[R006]" in result.output


def test_a_start_that_is_no_model_is_refused(config, tmp_path):
    options = ("--retriever.start", tmp_path / "missing")

    result = invoke("retriever", config, tmp_path / "out", *options)

    assert result.exit_code == 1
    assert "[R304]" in result.output


def test_a_corpus_without_two_alike_is_refused(config, corpus_files, tmp_path):
    alone = next(iter(srsly.read_jsonl(corpus_files["train"])))
    srsly.write_jsonl(tmp_path / "one.jsonl", [alone])
    tiny = write_tiny(
        config.parent / "tiny.cfg",
        tmp_path / "tiny.cfg",
        {"paths.train": str(tmp_path / "one.jsonl")},
    )

    result = invoke("retriever", config, tmp_path / "out", "--retriever.config", tiny)

    assert result.exit_code == 1
    assert "[R109]" in result.output


def test_without_datasets_the_extra_is_named(config, tmp_path, monkeypatch):
    training = sys.modules["sentence_transformers.util"]
    monkeypatch.setattr(training, "is_training_available", lambda: False)

    result = invoke("retriever", config, tmp_path / "out")

    assert result.exit_code == 1
    assert "spacy-ramie[retriever]" in result.output
