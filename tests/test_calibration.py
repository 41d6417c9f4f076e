"""How far probabilities can be trusted, and how a temperature mends them."""

from itertools import pairwise

import pytest
import spacy
from conftest import NOTE, answer_by_note
from hypothesis import given
from hypothesis import strategies as st
from scored_note import SPANS, example, found_relation, found_span
from sklearn.metrics import brier_score_loss
from spacy.training import Example
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.confidence import fit_temperature, softened
from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.calibration import (
    brier_score,
    expected_calibration_error,
    reliability,
)
from spacy_ramie.scoring.given import score_given
from spacy_ramie.scoring.scorer import score_records
from spacy_ramie.scoring.temperatures import fit_temperatures
from spacy_ramie.types import Answer
from spacy_ramie.units import units_of

answers = st.lists(
    st.tuples(st.floats(0, 1, allow_subnormal=False), st.booleans()), min_size=1
)


@pytest.mark.parametrize(
    ("sure", "ece", "brier"),
    [
        ([(1.0, True)], 0, 0),
        ([(1.0, False)], 1, 1),
        ([(0.0, False)], 0, 0),
        ([(0.75, True)] * 3 + [(0.75, False)], 0, 0.1875),
        ([(0.95, True), (0.95, False)], 0.45, 0.4525),
        # In two bins the errors do not make up for each other.
        ([(0.2, True), (0.8, False)], 0.8, 0.64),
    ],
)
def test_calibration_by_hand(sure, ece, brier):
    assert expected_calibration_error(sure) == pytest.approx(ece)
    assert brier_score(sure) == pytest.approx(brier)


@given(answers)
def test_both_are_between_0_and_1_and_brier_is_that_of_sklearn(sure):
    assert 0 <= expected_calibration_error(sure) <= 1 + 1e-9
    chances, right = zip(*sure, strict=True)
    expected = brier_score_loss(right, chances, pos_label=True)
    assert brier_score(sure) == pytest.approx(expected)


@given(answers)
def test_every_answer_is_in_one_of_ten_bins(sure):
    bins = reliability(sure)

    assert sum(members["answers"] for members in bins) == len(sure)
    right = sum(members["answers"] * members["right"] for members in bins)
    assert right == pytest.approx(sum(right for _, right in sure))
    tenths = [min(int(10 * members["probability"] + 1e-9), 9) for members in bins]
    assert tenths == sorted(set(tenths))


def test_triples_are_trusted_by_their_very_texts_and_label():
    found = [
        {**found_relation("POSITIVE", source="te"), "score": 0.8},
        {**found_relation("NEGATIVE", source="te"), "score": 0.6},
    ]
    scores = score_records([example({"relations": found})], "ramie")

    assert scores["ramie_te_brier"] == pytest.approx((0.2**2 + 0.6**2) / 2)
    assert [members["right"] for members in scores["ramie_te_bins"]] == [0, 1]


def test_entities_are_trusted_by_their_very_characters_and_label():
    found = [
        {**found_span(*SPANS["sleep"]), "score": 0.8},
        {**found_span(0, 8, "DS"), "score": 0.6},
    ]
    scores = score_records([example({"entities": found})], "ramie")

    assert scores["ents_brier"] == pytest.approx((0.2**2 + 0.6**2) / 2)
    assert scores["ents_ece"] == pytest.approx((0.2 + 0.6) / 2)


def test_without_probabilities_nothing_is_said_of_trust():
    scores = score_records(
        [example({"entities": [found_span(*SPANS["sleep"])]})], "ramie"
    )

    assert scores["ents_ece"] is scores["ents_brier"] is None


def test_labels_are_trusted_by_the_probability_of_the_answer(scripted, records):
    def sure(request):
        """Always the first label, with a probability of 0.7."""
        if not request.choices:
            return answer_by_note(request)
        rest = 0.3 / (len(request.choices) - 1)
        scores = (0.7, *[rest] * (len(request.choices) - 1))
        return Answer(request.choices[0], scores)

    nlp, _ = scripted(sure)
    component = nlp.get_pipe("ramie_extractor")
    docs = [gold_doc(r, spacy.blank("en"), make_supplements()) for r in records]
    # What crosses a sentence border is not asked about.
    docs = [doc for doc in docs if len(units_of(doc)) == 1]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]

    scores = score_given(examples, component.extraction)

    for kind in ("re", "uc"):
        share = scores[f"ramie_{kind}_gold_acc"]
        assert 0 < share < 1
        assert scores[f"ramie_{kind}_gold_ece"] == pytest.approx(abs(0.7 - share))
        wrong = (1 - share) * 0.49 + share * 0.09
        assert scores[f"ramie_{kind}_gold_brier"] == pytest.approx(wrong)


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=5), st.floats(0.1, 10))
def test_softened_probabilities_keep_their_order(weights, temperature):
    chances = [weight / sum(weights) for weight in weights]

    after = softened(chances, temperature)

    assert sum(after) == pytest.approx(1)
    by_size = sorted(range(len(chances)), key=chances.__getitem__)
    assert all(after[i] <= after[j] + 1e-9 for i, j in pairwise(by_size))
    assert softened(chances, 1) == pytest.approx(chances)
    assert max(softened(chances, 2)) <= max(chances) + 1e-9


@pytest.mark.parametrize(("said", "true"), [(0.95, 0.7), (0.6, 0.9), (0.8, 0.8)])
def test_temperature_makes_probabilities_what_is_true(said, true):
    answers = [((said, 1 - said), int(i >= 100 * true)) for i in range(100)]

    temperature = fit_temperature(answers)

    assert softened((said, 1 - said), temperature)[0] == pytest.approx(true, abs=0.01)


def test_without_answers_nothing_is_softened():
    assert fit_temperature([]) == 1


def too_sure(request):
    """Always the first label, and very sure of it."""
    if not request.choices:
        return answer_by_note(request)
    rest = 0.01 / (len(request.choices) - 1)
    return Answer(request.choices[0], (0.99, *[rest] * (len(request.choices) - 1)))


def test_calibrated_pipeline_is_less_sure_and_answers_the_same(
    scripted, records, tmp_path
):
    nlp, engine = scripted(too_sure)
    component = nlp.get_pipe("ramie_extractor")
    docs = [gold_doc(r, spacy.blank("en"), make_supplements()) for r in records]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    before, sure = score_given(examples, component.extraction), nlp(NOTE)

    component.extraction.temperatures = fit_temperatures(component.extraction, docs)
    nlp.to_disk(tmp_path / "calibrated")
    again = spacy.load(tmp_path / "calibrated")
    again.get_pipe("ramie_extractor").extraction.engine = engine
    after = score_given(examples, again.get_pipe("ramie_extractor").extraction)
    calm = again(NOTE)

    for kind in ("re", "uc"):
        assert component.extraction.temperatures[kind] > 1
        assert after[f"ramie_{kind}_gold_acc"] == before[f"ramie_{kind}_gold_acc"]
        assert after[f"ramie_{kind}_gold_ece"] < before[f"ramie_{kind}_gold_ece"] / 2
    assert [r["label"] for r in calm._.ramie["relations"]] == [
        r["label"] for r in sure._.ramie["relations"]
    ]
    assert max(calm.cats.values()) < max(sure.cats.values()) == 0.99
    blank, _ = scripted()
    blank.from_bytes(again.to_bytes())
    restored = blank.get_pipe("ramie_extractor").extraction.temperatures
    assert restored == component.extraction.temperatures


def test_calibrate_command(scripted, corpus_files, tmp_path):
    nlp, _ = scripted()
    nlp.to_disk(tmp_path / "model")
    command = ["calibrate", str(tmp_path / "model"), str(corpus_files["dev"])]

    result = CliRunner().invoke(ramie_cli, command)

    assert result.exit_code == 0, result.output
    component = spacy.load(tmp_path / "model").get_pipe("ramie_extractor")
    temperatures = component.extraction.temperatures
    assert set(component.extraction.floors) == {"ner", "te"}
    assert set(temperatures) == {"re", "uc"}
    for task, temperature in temperatures.items():
        assert 0.1 <= temperature <= 10
        assert f"{temperature:.2f}" in result.output and task in result.output
