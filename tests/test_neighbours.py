"""Retrieval is measured by answers, and a gold answer in the query is found out."""

import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score
from tiny_bert import write_bert
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.experiments.index_sweep import SEARCH_K, TREES
from spacy_ramie.experiments.neighbours import discounted, study_neighbours
from spacy_ramie.experiments.retrievers import retrievers_beside
from spacy_ramie.retrieval.overlap import overlap
from spacy_ramie.scoring.recall import recall

answers = st.frozensets(st.sampled_from("abcdef"), min_size=1)
gains = st.lists(st.floats(0, 1), min_size=2, max_size=8)


@given(answers, answers)
def test_overlap_is_1_for_equal_answers_alone(one, other):
    assert overlap(one, other) == overlap(other, one)
    assert (overlap(one, other) == 1) == (one == other)
    assert (overlap(one, other) == 0) == (not one & other)


@given(gains)
def test_gains_are_discounted_as_sklearn_does(found):
    ideal = discounted(sorted(found, reverse=True))
    if ideal:
        places = [list(range(len(found), 0, -1))]
        expected = ndcg_score([found], places)
        assert discounted(found) / ideal == pytest.approx(expected)


def record(number, text, supplement, event, label):
    start, end = text.index(supplement), text.index(event)
    return {
        "id": f"n{number}",
        "text": text,
        "entities": [
            {
                "id": "T1",
                "start": start,
                "end": start + len(supplement),
                "label": "DS",
            },
            {"id": "T2", "start": end, "end": end + len(event), "label": "EVENT"},
        ],
        "relations": [{"head": "T1", "tail": "T2", "label": label}],
        "usage": [{"entity": "T1", "label": "CONTINUE"}],
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_base):
    """Notes about one supplement whose words do not tell the relation."""
    folder = tmp_path_factory.mktemp("neighbours")
    labels = ("POSITIVE", "NEGATIVE", "NOT_RELATED")
    events = ("rash", "cough", "fever", "nausea", "edema", "pain")
    notes = [
        record(i, f"Garlic and {event} in {year}.", "Garlic", event, labels[i % 3])
        for i, (event, year) in enumerate((e, y) for y in range(10) for e in events)
    ]
    # The label of a test note is that of no note about the same event.
    test = [
        record(f"t{i}", f"Garlic and {e} in 99.", "Garlic", e, labels[(i + 1) % 3])
        for i, e in enumerate(events)
    ]
    srsly.write_jsonl(folder / "train.jsonl", notes)
    srsly.write_jsonl(folder / "test.jsonl", test)
    nlp = spacy.blank("en")
    component = nlp.add_pipe(
        "ramie_extractor", config={"engine": {"base": str(tiny_base)}}
    )
    component.initialize(lambda: [], nlp=nlp, exemplars=str(folder / "train.jsonl"))
    nlp.to_disk(folder / "model")
    return folder / "model", folder / "test.jsonl"


def invoke(command, *arguments):
    result = CliRunner().invoke(
        ramie_cli, [command, *(str(argument) for argument in arguments)]
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def found(model, bert, tmp_path_factory):
    """What was measured, and what was printed."""
    output = tmp_path_factory.mktemp("found") / "new" / "neighbours.json"
    printed = invoke("neighbours", *model, output, "--encoder", bert)
    return srsly.read_json(output), printed


def test_the_sentence_alone_finds_the_same_event(found):
    scores = found[0]["pipeline"]["ner"]["sentence"]

    assert scores["copied"] == scores["precision@1"] == scores["ndcg@1"] == 1


def test_a_gold_answer_in_the_query_gives_itself_away(found):
    relations = found[0]["pipeline"]["re"]

    assert relations["sentence"]["copied"] == 0
    assert relations["with answer"]["copied"] > 0.5
    assert relations["with answer"]["recall@5"] >= relations["with answer"]["recall@1"]


def test_chance_finds_the_supplement_that_all_notes_name_and_no_more(found):
    scores = found[0]["chance"]["ner"]["sentence"]

    assert scores["shared entities"] == scores["precision@1"] == 1
    assert scores["copied"] < 1


def test_further_encoders_are_measured_over_the_same_exemplars(found, bert):
    own, other = (found[0][name]["ner"]["sentence"] for name in ("pipeline", str(bert)))

    assert set(own) == set(other)
    assert other["copied"] < 1


def test_an_entity_is_shared_by_its_ingredient(model):
    nlp = spacy.load(model[0])
    component = nlp.get_pipe("ramie_extractor")
    component.ingredients["allium sativum"] = component.ingredients["garlic"] = "garlic"
    text = "Allium  sativum and headache in 99."
    note = record("new", text, "Allium  sativum", "headache", "POSITIVE")
    gold = gold_doc(note, nlp, component.schema)
    retrievers = retrievers_beside(nlp, component.extraction.retriever, [])

    scores = study_neighbours(nlp, component, [gold], retrievers)["pipeline"]["ner"]

    assert scores["sentence"]["precision@1"] == 0
    assert scores["sentence"]["shared entities"] == 1


def test_every_task_and_query_is_printed(found, bert):
    scores, printed = found

    assert list(scores) == ["pipeline", str(bert), "chance"]
    for name, tasks in scores.items():
        queries = {"sentence"} if name == "chance" else {"sentence", "with answer"}
        assert set(tasks) == {"ner", "re", "te", "uc"}
        assert all(set(found) == queries for found in tasks.values())
    assert "copied" in printed


# Annoy against exact search


def test_found_neighbours_count_if_they_are_as_near():
    nearest = [[(0, 0.9), (1, 0.5)], [(2, 0.7), (3, 0.6)]]

    assert recall(nearest, nearest) == 1
    # Another row of the same cosine is as good; one that is further away is not.
    assert recall([[(0, 0.9), (7, 0.5)], [(2, 0.7), (8, 0.3)]], nearest) == 0.75
    assert recall([[(0, 0.9)], []], nearest) == 0.25


@pytest.mark.parametrize("k", [1, 5])
def test_annoy_finds_all_when_it_looks_at_all(model, tmp_path, k):
    printed = invoke("index-sweep", *model, tmp_path / "sweep.json", "--k", k)

    found = srsly.read_json(tmp_path / "sweep.json")
    recalls = {(r["trees"], r["search_k"]): r["recall"] for r in found["rows"]}
    assert found["sentences"] == 6
    assert found["exemplars"] == dict.fromkeys(("ner", "re", "te", "uc"), 60)
    assert len(recalls) == len(TREES) * len(SEARCH_K)
    assert recalls[max(TREES), max(SEARCH_K)] == 1
    assert 0 <= recalls[1, -1] <= 1
    assert all(r["one by one"] > 0 and r["at once"] > 0 for r in found["rows"])
    assert "100,000" in printed


def test_the_sweep_takes_another_encoder(model, bert, tmp_path):
    encoder = ("--encoder", bert)

    invoke("index-sweep", *model, tmp_path / "sweep.json", *encoder)

    rows = srsly.read_json(tmp_path / "sweep.json")["rows"]
    assert rows[-1]["recall"] == 1
