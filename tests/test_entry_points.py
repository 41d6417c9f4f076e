"""What spaCy finds through entry points, and what a wheel holds."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from spacy import registry
from spacy.language import Language

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "spacy_ramie"


def read_setup():
    setup = ConfigParser()
    setup.optionxform = str
    setup.read(ROOT / "setup.cfg")
    return setup


def entry_points():
    """Group, name and target of every entry point in setup.cfg."""
    for group, lines in read_setup()["options.entry_points"].items():
        for line in lines.strip().splitlines():
            name, target = line.split(" = ")
            yield group, name, target


ENTRY_POINTS = list(entry_points())
FUNCTIONS = [e for e in ENTRY_POINTS if e[0] not in ("spacy_factories", "spacy_cli")]


@pytest.mark.parametrize(("group", "name", "target"), ENTRY_POINTS)
def test_installed_entry_point_is_that_of_setup_cfg(group, name, target):
    module, attribute = target.split(":")

    (installed,) = distribution("spacy-ramie").entry_points.select(
        group=group, name=name
    )

    assert installed.value == target
    assert installed.load() is getattr(import_module(module), attribute)


@pytest.mark.parametrize(("group", "name", "target"), FUNCTIONS)
def test_spacy_finds_every_registered_function(group, name, target):
    module, attribute = target.split(":")

    found = registry.get(group.removeprefix("spacy_"), name)

    assert found is getattr(import_module(module), attribute)


@pytest.mark.parametrize(("group", "name", "target"), FUNCTIONS)
def test_registered_function_is_named_as_it_says(group, name, target):
    module, attribute = target.split(":")

    assert re.fullmatch(r"spacy_ramie\.[A-Z][A-Za-z]+\.v[1-9]\d*", name)
    assert f"`{name}`" in getattr(import_module(module), attribute).__doc__


def test_every_documented_function_is_registered():
    documented = {
        name
        for file in PACKAGE.rglob("*.py")
        for name in re.findall(r"\(`(spacy_ramie\.\w+\.v\d+)`\)", file.read_text())
    }

    assert documented == {name for _, name, _ in FUNCTIONS}


def test_factory_is_found_without_importing_the_package():
    meta = Language.get_factory_meta("ramie_extractor")

    assert ("spacy_factories", "ramie_extractor") in {e[:2] for e in ENTRY_POINTS}
    assert "ents_f" in meta.scores


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel that is built from a copy of the sources: its file, and names in it."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md"):
        shutil.copy(ROOT / name, folder)
    leave = shutil.ignore_patterns("__pycache__", "checkpoint-*")
    shutil.copytree(PACKAGE, folder / "spacy_ramie", ignore=leave)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--quiet", "--no-index"]
    subprocess.run(
        [*command, "--no-deps", "--no-build-isolation", "--wheel-dir", "dist"],
        cwd=folder,
        check=True,
    )
    (file,) = (folder / "dist").glob("*.whl")
    with ZipFile(file) as archive:
        return file, set(archive.namelist())


def test_wheel_holds_every_file_of_the_package(wheel):
    _, names = wheel
    files = {
        file.relative_to(ROOT).as_posix()
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert {name for name in names if ".dist-info/" not in name} == files
    # Those that only package_data brings in.
    assert {"spacy_ramie/py.typed", "spacy_ramie/schemas/phee.cfg"} <= files
    code = {".py", ".cfg", ".jinja", ".typed"}
    model = {".json", ".jsonl", ".npz", ".safetensors", ".md"}
    assert {Path(name).suffix for name in files} == code | model


def test_wheel_with_its_model_stays_small(wheel):
    file, _ = wheel

    assert file.stat().st_size < 60e6


def test_wheel_has_no_tests_in_it(wheel):
    _, names = wheel
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}

    assert tops == {"spacy_ramie"}
