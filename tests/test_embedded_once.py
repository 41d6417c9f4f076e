"""What is searched with is embedded once for each distinct sentence, or not at all."""

from collections.abc import Sequence
from typing import Any

import pytest
from spacy.tokens import Doc
from tiny_bank import BANK, GINKGO, MELATONIN, NLP, NOTHING, make_retriever

from spacy_ramie.retrieval.encoders import HashingEncoder


class CountingEncoder(HashingEncoder):
    """Remembers what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__(64)
        self.asked: list[str] = []
        self.keys: list[str] = []

    def queries(self, sentences: Sequence[Any]) -> Any:
        self.asked += [sentence.text for sentence in sentences]
        return super().queries(sentences)

    def documents(self, texts: Sequence[str], nlp: Any) -> Any:
        self.keys += texts
        return super().documents(texts, nlp)


def test_each_distinct_key_of_a_bank_is_embedded_once():
    encoder = CountingEncoder()

    make_retriever(encoder=encoder, key="sentence").fit(BANK, NLP)

    assert encoder.keys == [MELATONIN, GINKGO, NOTHING]


def test_the_answer_is_part_of_the_key():
    encoder = CountingEncoder()

    make_retriever(encoder=encoder, key="sentence_and_answer").fit(BANK[:2], NLP)

    assert encoder.keys == [
        f"{MELATONIN}\nResponse:melatonin\tsupplement",
        f"{MELATONIN}\nResponse:melatonin\tpositive\tinsomnia",
    ]


@pytest.fixture
def counted(scripted) -> tuple[Any, CountingEncoder]:
    """A pipeline of all four tasks whose encoder counts."""
    nlp, _ = scripted()
    encoder = CountingEncoder()
    retriever = make_retriever(encoder=encoder)
    retriever.fit(BANK, nlp)
    nlp.get_pipe("ramie_extractor").extraction.retriever = retriever
    return nlp, encoder


def exemplars_of(doc: Doc) -> list[str]:
    return [
        hit["id"] for entity in doc._.ramie["entities"] for hit in entity["exemplars"]
    ]


def test_each_distinct_sentence_of_a_stream_is_embedded_once(counted):
    nlp, encoder = counted
    notes = [f"{MELATONIN} {NOTHING}", f"{GINKGO} {NOTHING}", MELATONIN]

    docs = list(nlp.pipe(notes))

    assert sorted(encoder.asked) == sorted([MELATONIN, NOTHING, GINKGO])
    assert [exemplars_of(doc) for doc in docs[::2]] == [[BANK[0].id] * 2] * 2


def test_without_retrieval_nothing_is_embedded(counted):
    nlp, encoder = counted
    nlp.get_pipe("ramie_extractor").extraction.retriever.k = 0

    doc = nlp(MELATONIN)

    assert encoder.asked == []
    assert [entity.text for entity in doc.ents] == ["melatonin", "insomnia"]
