"""What is possible and perhaps not meant is said once, as a warning."""

import shutil
import warnings

import pytest
import spacy
import srsly
from conftest import NOTE

from spacy_ramie.engine.fingerprint import fingerprint
from spacy_ramie.engine.transformers_engine import TRAINED_ON


def said(nlp, *texts: str) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(nlp.pipe(texts or [NOTE]))
    return [str(w.message)[:6] for w in caught if str(w.message).startswith("[W")]


@pytest.fixture
def learnt(tiny_adapter, tiny_base, tmp_path):
    """Make an adapter that says what it was trained on."""

    def make(instructions: dict[str, str]):
        folder = shutil.copytree(tiny_adapter, tmp_path / "adapter")
        known = {"base_fingerprint": fingerprint(tiny_base)}
        srsly.write_json(folder / TRAINED_ON, {**known, "instructions": instructions})
        return str(folder)

    return make


def of_tasks(nlp) -> dict[str, str]:
    tasks = nlp.get_pipe("ramie_extractor").extraction.tasks
    return {name: task.instruction() for name, task in tasks.items()}


def test_the_pipeline_that_comes_along_has_nothing_to_say():
    nlp = spacy.blank("en")
    nlp.add_pipe("ramie_extractor")
    assert said(nlp) == []


def test_no_exemplars_and_no_adapter_are_said_once(make_nlp):
    nlp = make_nlp()
    assert said(nlp, NOTE, NOTE) == ["[W001]", "[W002]"]
    assert said(nlp) == []


@pytest.mark.parametrize("able", [True, False])
def test_half_precision_that_the_processor_imitates_is_said(
    make_nlp, tiny_base, able, monkeypatch
):
    monkeypatch.setattr("spacy_ramie.advice.multiplies_bfloat16", lambda device: able)
    engine = {"base": str(tiny_base), "dtype": "bfloat16", "max_new_tokens": 24}
    nlp = make_nlp(engine=engine)
    assert ("[W005]" in said(nlp)) is not able


def test_exemplars_that_nobody_wants_are_no_matter(make_nlp):
    nlp = make_nlp(retriever={"@misc": "spacy_ramie.Retriever.v1", "k": 0})
    assert said(nlp) == ["[W002]"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, [], id="the same questions"),
        pytest.param({"uc": "Is it taken?"}, ["[W003]"], id="other words"),
        pytest.param({"uc": None}, ["[W003]"], id="one that was not learnt"),
    ],
)
def test_an_adapter_of_other_questions_is_named(
    make_nlp, tiny_base, learnt, corpus_files, change, expected
):
    instructions = {**of_tasks(make_nlp()), **change}
    adapter = learnt({name: text for name, text in instructions.items() if text})
    engine = {"base": str(tiny_base), "adapter": adapter, "max_new_tokens": 24}
    nlp = make_nlp(corpus_files["train"], engine=engine)
    assert said(nlp) == expected


def test_entities_of_other_labels_are_named(scripted):
    nlp, _ = scripted(entities="doc")
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": "SUPPLEMENT", "pattern": "melatonin"}])
    assert "[W004]" in said(nlp)


def test_a_note_without_entities_is_no_matter(scripted):
    nlp, _ = scripted(entities="doc")
    assert "[W004]" not in said(nlp)
