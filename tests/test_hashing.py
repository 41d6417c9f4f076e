"""The encoder without weights: the same in every process, and kind to misspellings."""

import numpy
from encoding import LONG, NLP, SHORT, make, near, spans
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer

from spacy_ramie.retrieval.encoders import dense


def test_hashing_is_the_same_in_every_process():
    """Measured once: a bank that was saved must stay searchable."""
    vector = make("HashingEncoder", dimension=8).queries(spans("garlic"))[0]

    assert vector * 20**0.5 == near([3, 1, 1, 0, 2, 2, 0, -1])


def test_hashing_gives_vectors_of_the_dimension_and_length_one():
    vectors = dense(make("HashingEncoder", dimension=64).documents([SHORT, LONG], NLP))

    assert vectors.shape == (2, 64)
    assert vectors.dtype == numpy.float32
    assert numpy.linalg.norm(vectors, axis=1) == near(numpy.ones(2))


def test_hashing_finds_a_misspelt_neighbour():
    encoder = make("HashingEncoder")
    bank = ["Takes melatonin nightly.", "Takes ginkgo daily.", "No bleeding."]

    cosines = encoder.documents(bank, NLP) @ encoder.queries(spans("melatonine qhs"))[0]

    assert int(numpy.argmax(cosines)) == 0


def test_hashing_compares_queries_with_documents():
    encoder = make("HashingEncoder")

    assert encoder.queries(spans(LONG)) == near(dense(encoder.documents([LONG], NLP)))


@given(st.lists(st.text(), max_size=4))
def test_hashing_counts_what_scikit_learn_counts(texts):
    reference = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=64, norm="l2"
    )

    vectors = dense(make("HashingEncoder", dimension=64).documents(texts, NLP))

    expected = reference.transform(texts).toarray() if texts else numpy.zeros((0, 64))
    assert vectors == near(expected)


def test_hashing_of_another_dimension_is_another_encoder():
    identities = {make("HashingEncoder", dimension=n).identity for n in (64, 128)}

    assert len(identities) == 2
