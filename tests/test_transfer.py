"""Adapters go on from others, learn another schema, and never see what is measured."""

from pathlib import Path

import pytest
import spacy
import srsly
from safetensors.torch import load_file
from tiny_config import write_tiny
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.docbin import write_docbin
from spacy_ramie.errors import ConfigError
from spacy_ramie.experiments import trial
from spacy_ramie.experiments.config import load_experiment
from spacy_ramie.experiments.trial import run_trial, trials_of
from spacy_ramie.schema import make_phee

CONFIGS = Path(__file__).parent.parent / "configs"

EXPERIMENT = """
[experiment]
config = "{folder}/supplements.cfg"
test = "{test}"
seen = ["{folder}/seen.spacy"]
work = "{folder}/work"
seeds = [0]
steps = 2
against = "base"

[experiment.overrides]
ramie.training.eval_strategy = "no"
ramie.training.load_best_model_at_end = false

[experiment.arms]

[experiment.arms.base]
groups = [["ner"]]
steps = 0
exemplars = "none"

[experiment.arms.other]
groups = [["ner"]]
train = "{folder}/phee.cfg"

[experiment.arms.other_shown]
groups = [["ner"]]
start = "other"
few = 4
steps = 0

[experiment.arms.other_learnt]
groups = [["ner"]]
start = "other"
few = 4
"""
# Of ten test records, how many the base has read, and how many the other corpus has.
SEEN, SHARED = 3, 2


def as_phee(record, number):
    """The same sentence with other labels."""
    names = {"DS": "DRUG", "EVENT": "EVENT"}
    entities = [{**e, "label": names[e["label"]]} for e in record["entities"]]
    return {**record, "id": f"p{number}", "entities": entities, "usage": []}


@pytest.fixture(scope="module")
def plan(tmp_path_factory, tiny_base, corpus_files, records):
    """An experiment whose other corpus, and what the base has read, leak."""
    folder = tmp_path_factory.mktemp("transfer")
    test = records[30:]
    write_docbin(test[:SEEN], folder / "seen.spacy", spacy.blank("en"), make_phee())
    shared = test[SEEN : SEEN + SHARED]
    other = [as_phee(r, i) for i, r in enumerate([*records[:20], *shared])]
    write_docbin(other, folder / "phee.spacy", spacy.blank("en"), make_phee())
    for name, train in (
        ("supplements", corpus_files["train"]),
        ("phee", folder / "phee.spacy"),
    ):
        # Nothing is selected: a dev split that is not there is not missed.
        paths = {"base": tiny_base, "train": train, "dev": folder / "none.spacy"}
        changed = {f"paths.{key}": str(path) for key, path in paths.items()}
        write_tiny(CONFIGS / f"{name}.cfg", folder / f"{name}.cfg", changed)
    file = folder / "experiment.cfg"
    file.write_text(EXPERIMENT.format(folder=folder, test=corpus_files["dev"]))
    return file


@pytest.fixture(scope="module")
def report(plan):
    """What the command wrote and printed, and what each trial had to show."""
    banks = {}
    measure = trial._measure

    def look(setup, docs):
        arm = Path(setup.paths["adapter"]).parts[-4]
        banks[arm] = setup.component.extraction.retriever.banks, len(docs)
        return measure(setup, docs)

    output = plan.parent / "report.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "_measure", look)
        result = CliRunner().invoke(ramie_cli, ["experiment", str(plan), str(output)])
    assert result.exit_code == 0, result.output
    return srsly.read_json(output), result.output, banks


def weights(plan, arm):
    folder = plan.parent / "work" / arm / "ner" / "seed-0" / "adapter"
    return load_file(folder / "adapter_model.safetensors")


def same(one, other):
    return all((one[name] == other[name]).all() for name in one)


def test_what_the_base_has_read_is_not_measured(report):
    assert {measured for _, measured in report[2].values()} == {10 - SEEN}


def test_records_shared_with_the_test_split_are_not_learnt(report):
    found, printed, _ = report

    assert found["left_out"] == {
        "base": 0,
        "other": SHARED,
        "other_shown": 0,
        "other_learnt": 0,
    }
    assert f"other: {SHARED} training records" in " ".join(printed.split())


def test_an_adapter_of_no_steps_is_the_one_it_starts_from(plan, report):
    assert all(
        not matrix.any()
        for name, matrix in weights(plan, "base").items()
        if "lora_B" in name
    )
    assert same(weights(plan, "other"), weights(plan, "other_shown"))


def test_an_adapter_goes_on_from_another(plan, report):
    before, after = weights(plan, "other"), weights(plan, "other_learnt")

    assert before.keys() == after.keys()
    assert not same(before, after)
    # Two small steps from there, not from new random numbers.
    names = [name for name in before if "lora_A" in name]
    assert all((before[n] - after[n]).abs().max() < 0.02 for n in names)
    assert not same({n: before[n] for n in names}, weights(plan, "base"))


def test_exemplars_are_the_few_records_and_none_of_another_schema(report):
    banks = {arm: bank for arm, (bank, _) in report[2].items()}

    assert banks["other"] == {}
    for arm in ("other_shown", "other_learnt"):
        assert len({e.group for e in banks[arm]["ner"].exemplars}) == 4


def test_every_arm_is_measured_on_the_labels_of_the_experiment(report):
    assert set(report[0]["strict"]) == {"base", "other", "other_shown", "other_learnt"}
    assert all(set(arm) == {"ner"} for arm in report[0]["strict"].values())


def test_an_arm_that_is_trained_again_comes_out_the_same(plan, report):
    experiment = load_experiment(plan, {})
    last = trials_of(experiment)[-1]
    before = weights(plan, "other_learnt")
    for file in last.folder(experiment.work).rglob("*"):
        if file.is_file():
            file.unlink()

    run_trial(experiment, last)

    assert same(before, weights(plan, "other_learnt"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"other_learnt.start": "nobody"}, "start.*arm above it.*nobody"),
        ({"other.start": "other_learnt"}, "start.*arm above it.*other_learnt"),
        ({"other_learnt.groups": [["uc"]]}, "start.*same groups.*other"),
        ({"other_shown.few": 0}, "few.*1 or more.*0"),
    ],
)
def test_an_arm_that_cannot_start_is_refused(plan, changed, message):
    arms = {f"experiment.arms.{key}": value for key, value in changed.items()}

    with pytest.raises(ConfigError, match=rf"R015.*{message}"):
        load_experiment(plan, arms)
