"""The in-process engine: batches that fail, their size, and the adapter it keeps."""

import shutil
import weakref

import pytest

from spacy_ramie.engine import transformers_engine
from spacy_ramie.engine.transformers_engine import TransformersEngine
from spacy_ramie.errors import ModelError
from spacy_ramie.types import Request


@pytest.fixture
def make_engine(tiny_base):
    """Make an engine of the tiny base."""

    def make(adapter=None, token_budget=4096) -> TransformersEngine:
        return TransformersEngine(
            str(tiny_base), adapter and str(adapter), None, token_budget, 24
        )

    return make


def asking(number: int, choices: tuple[str, ...] = (" yes", " no")) -> Request:
    return Request("uc", ("Say yes or no.", f" Case {number}."), choices)


def said(answers):
    """What answers say: probabilities differ in the last bits from batch to batch."""
    return [answer.text for answer in answers]


def test_a_batch_that_does_not_fit_is_halved_without_what_it_held(
    make_engine, monkeypatch
):
    class Buffer:
        """Stands for the keys and values of a batch."""

    engine, held, alive = make_engine(), [], []
    runner = engine.load()
    answer = runner.answer

    def short_of_memory(prompts):
        alive.append(sum(reference() is not None for reference in held))
        buffer = Buffer()
        held.append(weakref.ref(buffer))
        if len(prompts) > 1:
            raise RuntimeError("out of memory")
        return answer(prompts)

    requests = [asking(number) for number in range(4)]
    expected = said(engine.run(requests))
    monkeypatch.setattr(runner, "answer", short_of_memory)
    assert said(engine.run(requests)) == expected
    assert len(alive) == 7
    assert set(alive) == {0}


def test_a_request_that_fails_fails_alone(make_engine, monkeypatch):
    engine = make_engine()
    runner = engine.load()
    answer = runner.answer

    def poisoned(prompts):
        if any("Case 2" in prompt.request.parts[-1] for prompt in prompts):
            raise ValueError("poison")
        return answer(prompts)

    requests = [asking(number) for number in range(4)]
    expected = said(engine.run(requests))
    monkeypatch.setattr(runner, "answer", poisoned)
    found = engine.run(requests)
    assert [a.error is None for a in found] == [True, True, False, True]
    assert found[2].error.message == "ValueError: poison"
    assert said(found[i] for i in (0, 1, 3)) == [expected[i] for i in (0, 1, 3)]


def test_labels_that_are_read_whole_count_in_the_size_of_a_batch(
    make_engine, monkeypatch
):
    sizes: list[int] = []
    cut = transformers_engine.cut_batches

    def watched(lengths, keys, budget):
        batches = cut(lengths, keys, budget)
        sizes.extend(len(batch) for batch in batches)
        return batches

    monkeypatch.setattr(transformers_engine, "cut_batches", watched)
    # The end is what tells the first from the second.
    choices = (" no", " not so", " not here", " now")
    engine = make_engine(token_budget=1024)
    apart = engine.load().encode(asking(0))
    whole = engine.load().encode(asking(0, choices))
    assert (apart.rows, whole.rows) == (1, len(choices))
    engine.run([asking(number, choices) for number in range(40)])
    assert max(sizes) * len(choices) * len(whole.prompt) <= 1024


def test_choices_of_which_one_begins_another_are_told_apart(make_engine):
    engine = make_engine()
    (answer,) = engine.run([asking(0, (" no", " no no"))])
    assert answer.error is None
    assert sum(answer.scores) == pytest.approx(1)


def test_an_adapter_is_found_from_any_working_directory(
    make_engine, tiny_adapter, tmp_path, monkeypatch
):
    monkeypatch.chdir(tiny_adapter.parent)
    engine = make_engine()
    engine.set_adapter(tiny_adapter.name)
    expected = engine.run([asking(0)])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").mkdir()
    engine.to_disk(tmp_path / "saved")
    loaded = make_engine()
    loaded.from_disk(tmp_path / "saved")
    assert loaded.run([asking(0)]) == expected != make_engine().run([asking(0)])


def test_an_adapter_that_is_not_there_is_refused_at_once(make_engine, tmp_path):
    with pytest.raises(ModelError, match=r"R203.*no adapter_config.json"):
        make_engine().set_adapter(str(tmp_path))


@pytest.fixture
def passing_adapter(tiny_adapter, tmp_path):
    """An adapter in a folder that will be gone."""
    return shutil.copytree(tiny_adapter, tmp_path / "adapter")


def test_an_adapter_that_is_gone_is_not_saved_as_none(
    make_engine, passing_adapter, tmp_path
):
    engine = make_engine(passing_adapter)
    shutil.rmtree(passing_adapter)
    with pytest.raises(ModelError, match=r"R203.*no such folder"):
        engine.to_disk(tmp_path)


def test_a_saved_pipeline_that_lost_its_adapter_uses_no_other(
    make_engine, passing_adapter, tmp_path
):
    (tmp_path / "saved").mkdir()
    make_engine(passing_adapter).to_disk(tmp_path / "saved")
    shutil.rmtree(tmp_path / "saved" / "adapter")
    with pytest.raises(ModelError, match=r"R203.*it is gone"):
        make_engine(passing_adapter).from_disk(tmp_path / "saved")


def test_a_pipeline_saved_without_an_adapter_has_none(
    make_engine, passing_adapter, tmp_path
):
    (tmp_path / "saved").mkdir()
    make_engine().to_disk(tmp_path / "saved")
    engine = make_engine(passing_adapter)
    engine.from_disk(tmp_path / "saved")
    assert engine.adapter is None


def test_a_question_with_one_answer_is_not_asked(scripted):
    nlp, engine = scripted(schema={"@misc": "spacy_ramie.ADE.v1"}, entities="doc")
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns(
        [
            {"label": "DRUG", "pattern": "aspirin"},
            {"label": "EFFECT", "pattern": "rash"},
        ]
    )
    doc = nlp("Took aspirin and got a rash.")
    assert {request.task for request in engine.requests} == {"te"}
    assert doc._.ramie["failures"] == []
