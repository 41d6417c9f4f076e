"""Baselines: usage rules, spaCy's own pipeline, and figures side by side."""

import numpy
import pytest
import spacy
import srsly
from command_line import ramie, words
from hypothesis import given
from hypothesis import strategies as st
from tiny_config import write_tiny

from spacy_ramie.baseline.system import load_baseline, with_rules
from spacy_ramie.baseline.training import ask
from spacy_ramie.baseline.usage_rules import usage_by_rules
from spacy_ramie.corpus.docbin import gold_doc, read_docs
from spacy_ramie.corpus.records import gold_annotations
from spacy_ramie.record import make_record
from spacy_ramie.scoring.bootstrap import f1, f1_interval
from spacy_ramie.scoring.table import side_by_side

# Usage rules


@pytest.mark.parametrize(
    ("before", "label"),
    [
        # The examples of the publication.
        ("She is also taking a", "CONTINUE"),
        ("You are already holding the", "DISCONTINUE"),
        ("Started", "START"),
        ("Also suggested that she could consider trying otc", "UNCERTAIN"),
        ("", "UNCERTAIN"),
        ("Denies use of", "UNCERTAIN"),
        ("She stopped aspirin and started", "START"),
        ("STOP:", "DISCONTINUE"),
        ("Continue one two three four five six seven", "CONTINUE"),
        ("Continue one two three four five six seven eight", "UNCERTAIN"),
    ],
)
def test_the_nearest_trigger_decides(before, label):
    assert usage_by_rules(before.split()) == label


# Intervals


@given(
    st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=30),
    st.integers(0, 9),
)
def test_an_interval_holds_shares_and_is_the_same_again(rows, seed):
    value, low, high = f1_interval(numpy.array(rows), seed)

    right, wrong, missed = numpy.array(rows).sum(axis=0)
    assert value == pytest.approx(
        2 * right / (2 * right + wrong + missed) if right else 0.0
    )
    assert 0 <= low <= high <= 1
    assert f1_interval(numpy.array(rows), seed) == (value, low, high)


def test_more_records_make_a_narrower_interval():
    half_right = numpy.array([[1, 0, 0], [0, 1, 1]])

    few = f1_interval(numpy.tile(half_right, (10, 1)))
    many = f1_interval(numpy.tile(half_right, (1000, 1)))

    assert few[0] == many[0] == 0.5
    # 1.96 standard errors of a mean of coin flips on either side.
    assert few[2] - few[1] == pytest.approx(2 * 1.96 * 0.5 / 20**0.5, rel=0.15)
    assert many[2] - many[1] == pytest.approx(2 * 1.96 * 0.5 / 2000**0.5, rel=0.15)
    assert f1(numpy.zeros((2, 3))).tolist() == [0.0, 0.0]


def test_figures_become_rows_and_what_is_missing_stays_empty():
    figures = {
        "one": {
            **dict.fromkeys(["ner", "re", "re_gold", "te", "triples", "uc", "uc_gold"]),
            "ner": [0.5, 0.41, 0.625],
            "train_seconds": None,
            "seconds_per_1000": 1234.5,
            "megabytes": 5.25,
        }
    }

    rows = dict(side_by_side(figures))

    assert rows["Entities (NER)"] == "50.0 (41.0 to 62.5)"
    assert rows["Usage (UC)"] == rows["Seconds to train"] == ""
    assert rows["Seconds per 1,000 sentences"] == "1,234"
    assert rows["Megabytes"] == "5.2"


# spaCy's own pipeline


@pytest.fixture(scope="module")
def trained(tmp_path_factory, corpus_files, tiny_base):
    """Models that know their own training records by heart."""
    folder = tmp_path_factory.mktemp("baseline")
    paths = {f"paths.{name}": str(corpus_files["train"]) for name in ("train", "dev")}
    paths |= {"paths.base": str(tiny_base), "paths.adapter": str(folder / "adapter")}
    config = write_tiny("configs/supplements.cfg", folder / "config.cfg", paths)
    steps = ["--training.max_steps", 240, "--training.eval_frequency", 80]
    result = ramie("baseline", config, folder / "models", *steps)
    assert result.exit_code == 0, result.output
    return folder / "models", result.output


@pytest.fixture(scope="module")
def gold(corpus_files):
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")
    docs = read_docs(corpus_files["train"], nlp, component.schema)
    return component, component.prepare(docs, nlp)


def test_question_documents_mark_the_spans_and_hold_the_answer():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("ramie_extractor")
    record = {
        "id": "a",
        "text": "Stopped zinc.",
        "entities": [{"id": "T1", "start": 8, "end": 12, "label": "DS"}],
        "usage": [{"entity": "T1", "label": "DISCONTINUE"}],
    }
    tasks = component.extraction.tasks
    docs = [gold_doc(record, nlp, component.schema)]

    (question,) = ask(docs, tasks["uc"], nlp)

    assert question.text == "Stopped [[ zinc ]].\nusage of zinc?"
    assert [c for c, value in question.cats.items() if value] == [" discontinue"]
    assert ask(docs, tasks["ner"], nlp) == []


def test_a_model_for_each_task_and_its_seconds(trained):
    folder, output = trained

    seconds = srsly.read_json(folder / "seconds.json")
    assert set(seconds) == {"ner", "re", "uc"}
    assert all(value > 0 for value in seconds.values())
    assert "trained ner in" in words(output)


def test_it_answers_the_questions_that_the_model_is_asked(trained, gold):
    component, docs = gold
    baseline = load_baseline(trained[0], component.extraction.tasks)
    known = [gold_annotations(doc.user_data["ramie_record"]) for doc in docs]

    notes = baseline.find(docs, [annotations.entities for annotations in known])

    wanted = sum(len(annotations.usage) for annotations in known)
    usage = [
        answer.label == gold_answer.label
        for annotations, note in zip(known, notes, strict=True)
        for finding in note.findings
        for answer in finding.annotations.usage
        for gold_answer in annotations.usage
        if gold_answer.entity.start == answer.entity.start
    ]
    assert len(usage) == wanted > 20
    assert sum(usage) > 0.6 * wanted
    record = make_record(notes[0], lambda _: None)
    sources = [relation["source"] for relation in record["relations"]]
    assert sources.count("re") == sources.count("te") > 0


def test_rules_stand_in_only_where_their_classes_are_asked_for(trained, gold):
    component, docs = gold
    baseline = load_baseline(trained[0], component.extraction.tasks)

    rules = with_rules(baseline, component.schema)
    assert set(rules.choosers) == {"uc"}
    note = rules.find(docs[:1])[0]
    assert len(note.findings) == sum(e.label == "DS" for e in note.given)
    other = spacy.blank("en").add_pipe(
        "ramie_extractor", config={"schema": {"@misc": "spacy_ramie.PHEE.v1"}}
    )
    assert with_rules(baseline, other.schema).choosers == {}


def test_pipeline_and_baselines_side_by_side(trained, corpus_files, make_nlp, tmp_path):
    make_nlp(exemplars=corpus_files["train"]).to_disk(tmp_path / "model")

    output = tmp_path / "new/systems.json"
    files = tmp_path / "model", trained[0], corpus_files["train"], output
    result = ramie("compare", *files)

    assert result.exit_code == 0, result.output
    figures = srsly.read_json(output)
    assert list(figures) == ["RAMIE", "tok2vec", "tok2vec, usage rules"]
    # Random weights against models that were trained on these very records.
    assert figures["RAMIE"]["ner"][0] < 0.2 < 0.5 < figures["tok2vec"]["ner"][0]
    assert figures["tok2vec"]["uc_gold"][0] > figures["RAMIE"]["uc_gold"][0]
    assert figures["tok2vec, usage rules"]["re"] is None
    assert figures["RAMIE"]["train_seconds"] is None
    for system in figures.values():
        assert system["seconds_per_1000"] > 0
        assert system["megabytes"] > 0.1
    assert "Megabytes" in result.output


def test_compare_without_a_baseline_is_one_clear_error(
    corpus_files, make_nlp, tmp_path
):
    make_nlp(exemplars=corpus_files["train"]).to_disk(tmp_path / "model")

    result = ramie(
        "compare", tmp_path / "model", tmp_path, corpus_files["train"], tmp_path / "x"
    )

    assert result.exit_code == 1
    assert "[R014]" in result.output
    assert "ramie baseline CONFIG" in words(result.output)
