"""Arms of an experiment are trained alike, measured by two rulers, and never twice."""

from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from conftest import NOTE
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from tiny_config import write_tiny
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.docbin import gold_doc, open_docbin, record_of
from spacy_ramie.errors import ConfigError
from spacy_ramie.experiments import trial
from spacy_ramie.experiments.config import Arm, load_experiment
from spacy_ramie.experiments.records import draw
from spacy_ramie.experiments.trial import Trial, run_trial, trials_of
from spacy_ramie.retrieval.chance import ChanceIndex
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.bootstrap import paired_p
from spacy_ramie.scoring.rulers import (
    paper_counts,
    strict_counts,
    unread_records,
    with_faults,
)
from spacy_ramie.training.config import load_setup

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "configs" / "supplements.cfg"

EXPERIMENT = """
[experiment]
config = "{config}"
test = "{test}"
work = "{work}"
seeds = [0]
steps = 1
against = "all_four"

[experiment.overrides]
ramie.training.logging_steps = 1

[experiment.arms]

[experiment.arms.single]
groups = [["ner"], ["uc"]]
exemplars = "none"

[experiment.arms.all_four]

[experiment.arms.some]
exemplars = "random"
share = 0.2
bank = "full"
"""

OPTIONS = ["--experiment.seeds", "[0, 1]"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory, tiny_base, corpus_files):
    """The file of an experiment over the tiny base."""
    folder = tmp_path_factory.mktemp("experiment")
    paths = {
        "paths.base": str(tiny_base),
        "paths.train": str(corpus_files["train"]),
        "paths.dev": str(corpus_files["dev"]),
    }
    config = write_tiny(CONFIG, folder / "tiny.cfg", paths)
    file = folder / "experiment.cfg"
    text = EXPERIMENT.format(
        config=config, test=corpus_files["dev"], work=folder / "work"
    )
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def report(plan):
    """What the command wrote, and what it printed."""
    output = plan.parent / "new" / "report.json"
    result = CliRunner().invoke(
        ramie_cli, ["experiment", str(plan), str(output), *OPTIONS]
    )
    assert result.exit_code == 0, result.output
    return srsly.read_json(output), result.output


def test_every_arm_has_the_figures_of_its_tasks(report):
    found, printed = report

    strict, paper = found["strict"], found["paper"]
    assert set(strict) == set(paper) == {"single", "all_four", "some"}
    assert set(strict["all_four"]) == {"ner", "re", "re_gold", "te", "uc", "uc_gold"}
    # A usage adapter by itself is told the entities.
    assert set(strict["single"]) == {"ner", "uc_gold"}
    assert set(paper["single"]) == {"ner", "uc"}
    for figures in (*strict.values(), *paper.values()):
        for figure in figures.values():
            assert 0 <= figure["low"] <= figure["f1"] <= figure["high"] <= 1
            assert len(figure["seeds"]) == 2
    assert all(figure["p"] is None for figure in strict["all_four"].values())
    assert all(0 < figure["p"] <= 1 for figure in strict["some"].values())
    assert "The paper's" in printed


def test_the_file_says_what_the_arms_are(plan, report):
    settings = report[0]["settings"]

    assert (settings["config"], settings["against"]) == (str(plan), "all_four")
    assert (settings["options"], settings["seeds"]) == (OPTIONS, [0, 1])
    assert settings["arms"]["single"]["groups"] == [["ner"], ["uc"]]
    some = settings["arms"]["some"]
    assert (some["share"], some["bank"], some["exemplars"]) == (0.2, "full", "random")


def test_no_arm_learns_or_is_shown_what_it_is_measured_on(plan, corpus_files, tmp_path):
    """The training split of this plan holds its test records, too."""
    records = [*srsly.read_jsonl(corpus_files["train"])]
    leaking = tmp_path / "train.jsonl"
    srsly.write_jsonl(leaking, [*records, *srsly.read_jsonl(corpus_files["dev"])])
    config = tmp_path / "leaking.cfg"
    file = tmp_path / "experiment.cfg"
    base = plan.parent / "tiny.cfg"
    text = base.read_text().replace(str(corpus_files["train"]), str(leaking))
    config.write_text(text)
    plain = plan.read_text().replace(str(base), str(config))
    file.write_text(plain.replace(str(plan.parent / "work"), str(tmp_path / "work")))
    output = tmp_path / "report.json"

    result = CliRunner().invoke(ramie_cli, ["experiment", str(file), str(output)])

    assert result.exit_code == 0, result.output
    left_out = srsly.read_json(output)["left_out"]
    assert left_out == dict.fromkeys(["single", "all_four", "some"], 10)
    nlp, banks = spacy.blank("en"), list((tmp_path / "work").rglob("*.spacy"))
    known = {r["id"] for r in records}
    assert {file.name for file in banks} == {"train.spacy", "bank.spacy"}
    for bank in banks:
        docs = open_docbin(bank, nlp.vocab)
        assert {record_of(doc)["id"] for doc in docs} <= known


def test_what_an_arm_costs_is_that_of_all_its_adapters(report):
    cost = report[0]["cost"]

    assert cost["single"]["megabytes"] > 1.5 * cost["all_four"]["megabytes"]
    assert all(value > 0 for arm in cost.values() for value in arm.values())


def test_what_was_measured_is_not_measured_again(plan, report, monkeypatch):
    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(trial, "_train_and_measure", refuse)
    output = plan.parent / "again.json"

    result = CliRunner().invoke(
        ramie_cli, ["experiment", str(plan), str(output), *OPTIONS]
    )

    assert result.exit_code == 0, result.output
    assert srsly.read_json(output) == report[0]


def test_an_adapter_that_was_trained_is_only_measured(plan, report, monkeypatch):
    experiment = load_experiment(plan, {})
    one = trials_of(experiment)[0]
    counts = one.folder(experiment.work) / "counts.json"
    before = srsly.read_json(counts)
    counts.unlink()
    monkeypatch.setattr(trial, "train_adapter", None)

    after = run_trial(experiment, one)

    assert after["strict"] == before["strict"]
    assert after["paper"] == before["paper"]


def test_a_share_is_part_of_a_larger_one(plan, report):
    experiment = load_experiment(plan, {})

    def drawn(share):
        setup = load_setup(experiment.config, {})
        file = experiment.work / f"{share}.spacy"
        draw(setup, Arm("draws", share=share), 1, [], file)
        docs = DocBin().from_disk(file).get_docs(setup.nlp.vocab)
        return {doc.text for doc in docs}

    tenth, half = drawn(0.1), drawn(0.5)

    assert (len(tenth), len(half)) == (3, 15)
    assert tenth < half


def test_an_arm_says_where_its_exemplars_come_from(plan, report):
    experiment = load_experiment(plan, {})
    some = experiment.arms[-1]
    shown = []
    for arm in (some, some._replace(bank="train", name="small")):
        one = Trial(arm, ("uc",), 0)
        folder = one.folder(experiment.work)
        folder.mkdir(parents=True)
        seen = {}

        def look(setup, docs, seen=seen):
            (bank,) = setup.component.extraction.retriever.banks.values()
            seen["notes"] = len({e.group for e in bank.exemplars})
            seen["index"] = type(bank.index)
            return {"strict": {}, "paper": {}, "faults": {}, "seconds_per_1000": 1.0}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trial, "_measure", look)
            run_trial(experiment, one)
        shown.append(seen)

    assert {seen["index"] for seen in shown} == {ChanceIndex}
    assert shown[0]["notes"] > 3 * shown[1]["notes"] > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"experiment.against": "nobody"}, "against.*name of an arm.*nobody"),
        ({"experiment.arms.some.share": 2.0}, "share.*at most 1.*2.0"),
        ({"experiment.arms.some.bank": "empty"}, "bank.*full.*empty"),
        ({"experiment.arms.some.exemplars": "good"}, "exemplars.*retrieved.*good"),
        ({"experiment.arms.some.sead": 1}, "arms.some.*sead"),
    ],
)
def test_wrong_experiment_names_what_is_possible(plan, changed, message):
    with pytest.raises(ConfigError, match=rf"R015.*{message}"):
        load_experiment(plan, changed)


@pytest.mark.parametrize(
    "name", ["ablation", "cost", "fewshot", "interference", "transfer"]
)
def test_experiments_that_come_along_can_be_read(name):
    experiment = load_experiment(ROOT / "configs/experiments" / f"{name}.cfg", {})

    assert len(trials_of(experiment)) >= len(experiment.seeds) * len(experiment.arms)
    assert experiment.config.is_relative_to("configs")


# The rulers


def gold():
    """NOTE with one entity in it."""
    melatonin = {"id": "T1", "start": 8, "end": 17, "label": "DS"}
    record = {"id": "n", "text": NOTE, "entities": [melatonin]}
    record |= {"relations": [], "usage": []}
    return gold_doc(record, spacy.blank("en"), make_supplements())


def entity(start, end, label="DS", text=None):
    text = text or NOTE[start:end]
    return {"start": start, "end": end, "label": label, "text": text, "score": None}


def test_the_papers_ruler_does_not_look_where_a_text_stands():
    elsewhere = {"entities": [entity(0, 9, text="melatonin")]}

    assert strict_counts([gold()], [elsewhere])["ner"].tolist() == [[0, 1, 1]]
    assert paper_counts([gold()], [elsewhere])["ner"].tolist() == [[1, 0, 0]]


def test_the_papers_ruler_counts_a_text_once():
    twice = {"entities": [entity(8, 17), entity(0, 9, text="melatonin")]}

    assert strict_counts([gold()], [twice])["ner"].tolist() == [[1, 1, 0]]
    assert paper_counts([gold()], [twice])["ner"].tolist() == [[1, 0, 0]]


def test_the_faults_drop_what_cannot_be_read_and_the_first_record():
    counts = numpy.array([[1, 0, 0], [0, 0, 2], [1, 1, 0]])
    failure = {"task": "ner", "kind": "unparsable"}
    records = [{}, {"failures": [failure]}, {"failures": [{**failure, "task": "te"}]}]

    unread = unread_records(records, "ner")

    assert unread == [False, True, False]
    assert with_faults(counts, unread).tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 0]]
    assert counts[1].tolist() == [0, 0, 2]


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)),
    min_size=1,
    max_size=20,
)


@given(rows)
def test_a_system_does_not_differ_from_itself(counts):
    assert paired_p(numpy.array(counts), numpy.array(counts)) == 1


def test_a_difference_in_every_record_is_no_accident():
    good = numpy.array([[3, 0, 0]] * 30)
    bad = numpy.array([[0, 3, 3]] * 30)

    assert paired_p(good, bad) == paired_p(bad, good) < 0.001


def test_a_difference_in_one_record_of_many_can_be_an_accident():
    one = numpy.array([[3, 0, 0]] * 30)
    other = one.copy()
    other[0] = (0, 3, 3)

    assert paired_p(one, other) > 0.5
