"""Nothing heavy is imported, and no model loaded, before it is needed."""

import subprocess
import sys

import pytest

from spacy_ramie.errors import ModelError


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, spacy_ramie; print({'torch', 'spacy'} & set(sys.modules))"
    assert run_python(code) == "set()"


WITHOUT_TORCH = """
import sys
from importlib.metadata import distribution

import catalogue

# spaCy itself imports torch where it can, and other packages' entry points do.
sys.modules["torch"] = None
catalogue.AVAILABLE_ENTRY_POINTS = distribution("spacy-ramie").entry_points

import spacy

nlp = spacy.blank("en")
nlp.add_pipe("ramie_extractor")
for entry_point in distribution("spacy-ramie").entry_points:
    entry_point.load()
heavy = {"transformers", "peft", "sentence_transformers", "llguidance", "sklearn"}
print(heavy & set(sys.modules))
"""


def test_a_pipeline_is_made_without_torch():
    assert run_python(WITHOUT_TORCH) == "set()"


def test_the_model_is_loaded_on_the_first_note_that_asks_something(make_nlp):
    nlp = make_nlp(engine={"base": "no/such/folder"})
    assert nlp(" ")._.ramie["requests"] == 0
    with pytest.raises(ModelError, match=r"R202.*no/such/folder"):
        nlp("Took zinc.")
