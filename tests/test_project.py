"""The project: that project.yml hangs together, and that its workflows run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from figures import COUNTS, SHARES
from tiny_config import write_tiny
from weasel.util import load_project_config

ROOT = Path(__file__).parent.parent
SPLITS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    # Loading makes the folders that the project names.
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "project.yml", folder)
    return load_project_config(folder)


def commands_of(project, workflow=None):
    commands = {command["name"]: command for command in project["commands"]}
    names = commands if workflow is None else project["workflows"][workflow]
    return [commands[name] for name in names]


# project.yml


def test_every_dependency_and_output_is_one_path(project):
    """confection joins a list of bare variables into one string."""
    paths = [
        path
        for command in project["commands"]
        for key in ("deps", "outputs")
        for path in command.get(key, [])
    ]

    assert len(paths) > 30
    assert [path for path in paths if not re.fullmatch(r"[\w./-]+", path)] == []


def test_no_workflow_is_called_like_a_command(project):
    """weasel would refuse to run anything."""
    names = {command["name"] for command in project["commands"]}

    assert not names & set(project["workflows"])


@pytest.mark.parametrize(
    "workflow",
    [
        "all",
        "baseline",
        "phee",
        "phee-experiments",
        "experiments",
        "schemas",
        "default",
    ],
)
def test_every_dependency_is_there_or_made_before(project, workflow):
    known = {asset["dest"] for asset in project["assets"]}
    for command in commands_of(project, workflow):
        for path in command["deps"]:
            assert path in known or (ROOT / path).is_file(), (command["name"], path)
        known |= set(command.get("outputs", []))


def test_every_script_names_what_its_command_depends_on(project):
    """A config or corpus that is not among them would go unnoticed when it changes."""
    for command in project["commands"]:
        named = {
            word
            for line in command["script"]
            for word in shlex.split(line)
            if re.search(r"\.(cfg|spacy|jsonl)$", word)
        }
        own = {*command["deps"], *command.get("outputs", [])}
        between = {
            path for path in named if re.match("corpus/(phee|healthsea|ade)/", path)
        }
        assert named - between <= own, command["name"]


def test_scripts_run_python_alone(project):
    """They are not run in a shell."""
    for command in project["commands"]:
        for line in command["script"]:
            assert shlex.split(line)[:2] == ["python", "-m"]
            assert not re.search(r"[|<>&*$]", line)


def test_training_depends_on_no_test_split(project):
    for command in project["commands"]:
        if re.search(r"base|train|assemble", command["name"]):
            assert "test" not in " ".join([*command["deps"], *command["script"]])


# The workflows


@pytest.fixture(scope="module")
def run():
    """Run a part of a project copy; give what was printed."""

    def run(folder, workflow, *options):
        result = subprocess.run(
            [sys.executable, "-m", "spacy", "project", "run", workflow, ".", *options],
            cwd=folder,
            env={
                **os.environ,
                "HF_HUB_OFFLINE": "1",
                "OMP_NUM_THREADS": "1",
                "PYTHONUNBUFFERED": "1",
                # The wheel is built without fetching anything.
                "PIP_NO_INDEX": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert result.returncode == 0, result.stdout[-6000:]
        # Without colours.
        return re.sub(r"\x1b\[[\d;]*m", "", result.stdout)

    return run


def copy_project(folder, config):
    """Copy what a newcomer clones, with a small config in place of one."""
    shutil.copy(ROOT / "project.yml", folder)
    (folder / "configs").mkdir()
    write_tiny(ROOT / "configs" / config, folder / "configs" / config, {})


def sections(output):
    """What each command printed, by its name."""
    parts = re.split(r"^=+ ([\w-]+) =+$", output, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def skipped(output):
    return {
        name for name, part in sections(output).items() if "nothing changed" in part
    }


def check_metrics(path):
    scores = srsly.read_json(path)
    assert all(0 <= scores[key] <= 1 for key in SHARES)
    assert all(scores[f"ramie_{key}"] >= 0 for key in COUNTS)
    assert scores["ramie_requests"] > 0


@pytest.fixture(scope="module")
def supplements(run, tmp_path_factory):
    """The project after its workflow `all`, on a few records."""
    folder = tmp_path_factory.mktemp("all")
    copy_project(folder, "supplements.cfg")
    (folder / "corpus").mkdir()
    for split, n in zip(SPLITS, (30, 8, 4), strict=True):
        records = list(srsly.read_jsonl(ROOT / f"corpus/{split}.jsonl"))[:n]
        srsly.write_jsonl(folder / f"corpus/{split}.jsonl", records)
    (folder / "configs/supplements.cfg").rename(folder / "configs/tiny.cfg")
    return folder, run(folder, "all", "--vars.config", "configs/tiny.cfg")


def test_all_leaves_the_files_of_a_project_run(supplements):
    folder, output = supplements

    for split in SPLITS:
        assert (folder / f"corpus/{split}.spacy").is_file()
    adapter = folder / "training/adapter"
    assert (adapter / "adapter_config.json").is_file()
    assert (adapter / "adapter_model.safetensors").is_file()
    assert (folder / "metrics/report.html").is_file()
    check_metrics(folder / "metrics/test.json")
    # The demo.
    assert "melatonin 3 mg" in sections(output)["demo"]


def test_pipeline_works_from_another_folder(supplements, tmp_path):
    folder, _ = supplements
    shutil.copytree(folder / "training/model-best", tmp_path / "model")
    (folder / "training").rename(folder / "gone")
    try:
        nlp = spacy.load(tmp_path / "model")
        record = nlp("Started melatonin for insomnia.")._.ramie
    finally:
        (folder / "gone").rename(folder / "training")

    engine = nlp.get_pipe("ramie_extractor").extraction.engine
    assert all(str(tmp_path) in path for path in (engine.base, engine.adapter))
    assert record["requests"] >= 2
    assert "engine_error" not in {f["kind"] for f in record["failures"]}


def test_wheel_of_the_pipeline_is_installable(supplements, tmp_path):
    folder, _ = supplements
    (wheel,) = (folder / "packages").rglob("*.whl")
    target = tmp_path / "site"

    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index"),
            *("--no-deps", "--target", str(target), str(wheel)),
        ],
        check=True,
    )

    assert (target / "en_ramie_supplements").is_dir()
    (data,) = (target / "en_ramie_supplements").glob("en_ramie_supplements-*")
    nlp = spacy.load(data)
    assert nlp.pipe_names == ["ramie_extractor"]
    assert nlp.meta["name"] == "ramie_supplements"


def test_second_run_skips_all_but_base_and_demo(supplements, run, project):
    folder, _ = supplements

    output = run(folder, "all", "--vars.config", "configs/tiny.cfg")

    assert skipped(output) == {*project["workflows"]["all"]} - {"base", "demo"}


def test_deleted_metrics_are_made_again(supplements, run):
    folder, _ = supplements
    metrics = folder / "metrics/test.json"
    metrics.unlink()

    output = run(folder, "evaluate", "--vars.config", "configs/tiny.cfg")

    assert skipped(output) == set()
    check_metrics(metrics)


def phee_sentence(number, drug, effect, asserted):
    """A sentence as PHEE publishes them."""
    text = f"Case {number}: {effect} was seen after treatment with {drug}."

    def argument(piece, **inner):
        place = {"text": [[piece]], "start": [[text.index(piece)]]}
        return {**place, "entity_id": ["T1"], **inner}

    event = {
        "event_id": "E1",
        "event_type": "Adverse_event",
        "Trigger": argument("seen"),
        "Treatment": argument(drug, Drug=argument(drug)),
        "Effect": argument(effect),
    }
    if not asserted:
        event["Negated"] = argument("seen", value=True)
    annotations = [{"events": [event]}]
    return {
        "id": f"{number}_1",
        "context": text,
        "is_mult_event": False,
        "annotations": annotations,
    }


@pytest.fixture(scope="module")
def phee(run, tmp_path_factory):
    """The project after its workflow `phee`, on sentences made up here."""
    folder = tmp_path_factory.mktemp("phee")
    copy_project(folder, "phee.cfg")
    drugs = ["lithium", "amiodarone", "heparin", "5-FU", "valproic acid"]
    effects = ["rash", "severe anemia", "coma", "tremor"]
    pairs = [(drug, effect) for drug in drugs for effect in effects]
    cuts = {"train": pairs[:13], "dev": pairs[13:17], "test": pairs[17:]}
    number = 0
    for split, members in cuts.items():
        sentences = []
        for drug, effect in members:
            number += 1
            sentences.append(phee_sentence(number, drug, effect, bool(number % 3)))
        # Elsewhere than where the assets are put.
        (folder / "mine").mkdir(exist_ok=True)
        srsly.write_jsonl(folder / f"mine/phee_v2_{split}.jsonl", sentences)
    return folder, run(folder, "phee", "--vars.phee", "mine")


def test_phee_leaves_its_files_apart(phee):
    folder, _ = phee

    for split in SPLITS:
        assert (folder / f"corpus/phee/{split}.spacy").is_file()
    assert (folder / "training/phee/adapter/adapter_model.safetensors").is_file()
    assert (folder / "metrics/phee/report.html").is_file()
    check_metrics(folder / "metrics/phee/test.json")
    assert not (folder / "training/model-best").exists()


def test_phee_pipeline_has_the_labels_of_phee(phee):
    folder, _ = phee

    nlp = spacy.load(folder / "training/phee/model-best")

    assert nlp.get_pipe("ramie_extractor").label_data == {
        "ner": ["DRUG", "EVENT"],
        "re": ["POSITIVE", "NEGATIVE", "NOT_RELATED"],
        "te": ["POSITIVE", "NEGATIVE", "NOT_RELATED"],
        "uc": ["ASSERTED", "SPECULATED", "NEGATED"],
    }


def test_second_run_of_phee_skips_all_but_base(phee, run, project):
    folder, _ = phee

    output = run(folder, "phee", "--vars.phee", "mine")

    assert skipped(output) == {*project["workflows"]["phee"]} - {"phee-base"}
