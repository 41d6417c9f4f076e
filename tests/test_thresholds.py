"""What the model is not sure enough of is set aside by label, and not lost."""

import json
from dataclasses import replace

import pytest
import spacy
from conftest import NOTE, answer_by_note

from spacy_ramie.confidence import fit_floor
from spacy_ramie.errors import ConfigError


def test_doubtful_label_is_set_aside_and_stands_in_the_record(scripted):
    nlp, _ = scripted(thresholds={"START": 0.95, "DISCONTINUE": 0.85})

    doc = nlp(NOTE)

    record = doc._.ramie
    assert [usage["label"] for usage in record["usage"]] == ["DISCONTINUE"]
    (unsure,) = [item for item in record["unsure"] if item["task"] == "uc"]
    start, end = unsure["start"], unsure["end"]
    assert (doc.text[start:end], unsure["label"]) == ("melatonin", "START")
    assert unsure["score"] == pytest.approx(0.9)
    assert doc.cats["START"] < 0.9
    assert json.loads(json.dumps(record)) == record


def test_nothing_is_asked_about_a_doubtful_entity(scripted):
    sure, asked = scripted()
    sure(NOTE)
    nlp, engine = scripted(thresholds={"DS": 1.0})

    doc = nlp(NOTE)

    assert {ent.label_ for ent in doc.ents} == {"EVENT"}
    names = {i["text"] for i in doc._.ramie["unsure"] if i.get("label") == "DS"}
    assert names == {"melatonin", "ginkgo"}
    assert {r.task for r in asked.requests} == {"ner", "te", "re", "uc"}
    assert {r.task for r in engine.requests} == {"ner", "te"}


def test_what_has_no_probability_is_not_doubtful(scripted):
    def without(request):
        """A server that gives no probabilities."""
        answer = answer_by_note(request)
        return type(answer)(answer.text)

    nlp, _ = scripted(without, thresholds={"START": 1.0, "DS": 1.0, "POSITIVE": 1.0})

    doc = nlp(NOTE)

    assert doc._.ramie["unsure"] == []
    assert "DS" in {ent.label_ for ent in doc.ents}
    assert {usage["label"] for usage in doc._.ramie["usage"]} >= {"START"}


def test_thresholds_are_saved_with_the_pipeline(scripted, tmp_path):
    nlp, engine = scripted(thresholds={"START": 0.95})
    nlp.to_disk(tmp_path / "careful")
    again = spacy.load(tmp_path / "careful")
    again.get_pipe("ramie_extractor").extraction.engine = engine

    assert again(NOTE)._.ramie == nlp(NOTE)._.ramie
    assert again(NOTE)._.ramie["unsure"]


@pytest.mark.parametrize("thresholds", [{"STRAT": 0.5}, {"START": 1.5}])
def test_wrong_threshold_names_the_labels(make_nlp, thresholds):
    with pytest.raises(ConfigError, match=r"R002.*thresholds.*START"):
        make_nlp(thresholds=thresholds)


@pytest.mark.parametrize(
    ("found", "wanted", "floor"),
    [
        # What was forced is wrong, and goes.
        ([(0.01, False), (0.04, False), (0.9, True)], 1, 0.05),
        # Where doubt is no worse than the rest it stays.
        ([(0.01, True), (0.9, True)], 2, 0.0),
        ([(0.01, False), (0.01, True), (0.9, True)], 2, 0.0),
        ([], 3, 0.0),
    ],
)
def test_floor_is_where_what_is_below_costs_more_than_it_gives(found, wanted, floor):
    assert fit_floor(found, wanted) == floor


def test_floor_of_a_task_sets_aside_what_was_forced(scripted, tmp_path):
    def forced(request):
        """Of entities it is sure of the first alone."""
        answer = answer_by_note(request)
        if request.task != "ner":
            return answer
        first = len(answer.text.split("\n")[0])
        ends = range(1, len(answer.text) + 1)
        sure = tuple((end, -0.01 if end <= first else -3.0) for end in ends)
        return replace(answer, pieces=sure)

    nlp, engine = scripted(forced)
    component = nlp.get_pipe("ramie_extractor")
    assert "ginkgo" in {ent.text for ent in nlp(NOTE).ents}
    component.extraction.floors = {"ner": 0.05}
    nlp.to_disk(tmp_path / "careful")
    again = spacy.load(tmp_path / "careful")
    again.get_pipe("ramie_extractor").extraction.engine = engine

    doc = again(NOTE)

    # That which has no probability stays, too.
    assert {ent.text for ent in doc.ents} == {"melatonin", "headache"}
    unsure = {item["text"] for item in doc._.ramie["unsure"] if item["task"] == "ner"}
    assert unsure == {"insomnia", "ginkgo", "nosebleeds"}
