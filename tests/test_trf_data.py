"""The pipeline's own transformer, run once, is the encoder as well."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import spacy
import torch
from spacy.training import Example
from tiny_bert import write_bert
from torch.nn.modules.module import register_module_forward_hook
from transformers import AutoModel, AutoTokenizer, BertModel

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.errors import RetrievalError
from spacy_ramie.schema import make_supplements

pytest.importorskip("spacy_transformers")

RETRIEVER = {
    "@misc": "spacy_ramie.Retriever.v1",
    "encoder": {"@misc": "spacy_ramie.TrfDataEncoder.v1"},
    "key": "sentence",
}
FIRST = "Patient started melatonin for insomnia."
SECOND = "She stopped garlic after bleeding."


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert") / "model")


def record(number: int, text: str, **labels: str) -> dict[str, Any]:
    entities = [
        {"id": word, "start": text.index(word), "end": text.index(word) + len(word)}
        | {"label": label}
        for word, label in labels.items()
    ]
    return {"id": f"n{number}", "text": text, "entities": entities}


RECORDS = [
    record(1, FIRST, melatonin="DS", insomnia="EVENT"),
    record(2, SECOND, garlic="DS", bleeding="EVENT"),
    record(3, "He takes no ginkgo.", ginkgo="DS"),
]


@pytest.fixture
def make_pipeline(scripted, bert):
    """Make a pipeline; where says on which side of ramie_extractor BERT stands."""

    def make(
        where: str | None = "before", name: str = "transformer", **config: Any
    ) -> Any:
        nlp, _ = scripted(retriever={**RETRIEVER, **config})
        if where is not None:
            model = {
                "@architectures": "spacy-transformers.TransformerModel.v3",
                "name": str(bert),
                "tokenizer_config": {"use_fast": True},
            }
            place = {where: "ramie_extractor"}
            nlp.add_pipe("transformer", name=name, config={"model": model}, **place)
        return nlp

    return make


def initialize(nlp: Any) -> Any:
    docs = [gold_doc(r, nlp, make_supplements()) for r in RECORDS]
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    return nlp


@pytest.fixture
def forward_passes() -> Iterator[list[Any]]:
    """Every run of a BERT while the test lasts."""
    passes = []

    def count(module: Any, *_: Any) -> None:
        if isinstance(module, BertModel):
            passes.append(module)

    hook = register_module_forward_hook(count)
    yield passes
    hook.remove()


def retriever_of(nlp: Any) -> Any:
    return nlp.get_pipe("ramie_extractor").extraction.retriever


def shown(doc: Any) -> dict[str, tuple[str, float]]:
    """Per entity the note of its exemplar and the similarity."""
    return {
        entity["text"]: (hit["id"].split("/")[0], hit["similarity"])
        for entity in doc._.ramie["entities"]
        for hit in entity["exemplars"]
    }


def test_notes_are_shown_the_nearest_exemplars(make_pipeline):
    nlp = initialize(make_pipeline())

    doc = nlp(FIRST)

    assert shown(doc) == {
        "melatonin": ("n1", pytest.approx(1, abs=1e-3)),
        "insomnia": ("n1", pytest.approx(1, abs=1e-3)),
    }


def test_a_vector_is_the_mean_over_the_wordpieces_of_the_sentence(make_pipeline, bert):
    nlp = initialize(make_pipeline())
    doc = nlp(f"{FIRST} {SECOND}")
    sentence = doc.char_span(len(FIRST) + 1, len(doc.text))

    vector = retriever_of(nlp).encoder.queries([sentence])[0]

    tokenizer = AutoTokenizer.from_pretrained(bert)
    with torch.no_grad():
        inputs = tokenizer(doc.text, return_tensors="pt")
        rows = AutoModel.from_pretrained(bert).eval()(**inputs).last_hidden_state[0]
    # The second sentence is read in the context of the first.
    pieces = len(tokenizer.tokenize(SECOND))
    assert vector == pytest.approx(rows[-1 - pieces : -1].mean(0).numpy(), abs=1e-5)


def test_an_exemplar_is_embedded_by_the_transformer_of_the_pipeline(make_pipeline):
    nlp = initialize(make_pipeline())
    encoder = retriever_of(nlp).encoder

    documents = encoder.documents([FIRST, SECOND], nlp)

    queries = encoder.queries([nlp(text)[:] for text in (FIRST, SECOND)])
    assert documents == pytest.approx(queries, abs=1e-5)


def test_a_note_is_run_through_bert_once(make_pipeline, forward_passes):
    nlp = initialize(make_pipeline())
    forward_passes.clear()

    doc = nlp(f"{FIRST} {SECOND}")

    assert len(forward_passes) == 1
    assert len(shown(doc)) == 2


def test_what_the_transformer_has_left_is_what_is_compared(make_pipeline):
    nlp = initialize(make_pipeline())
    doc, other = nlp(FIRST), nlp(SECOND)
    encoder = retriever_of(nlp).encoder

    doc._.trf_data = other._.trf_data

    assert encoder.queries([doc[:]]) == pytest.approx(encoder.queries([other[:]]))


def test_the_transformer_may_have_another_name(make_pipeline):
    encoder = {**RETRIEVER["encoder"], "component": "clinical_bert"}
    nlp = initialize(make_pipeline(name="clinical_bert", encoder=encoder))

    assert shown(nlp(FIRST))["melatonin"][0] == "n1"


def test_a_sentence_that_bert_cannot_see_does_not_end_the_stream(make_pipeline):
    nlp = initialize(make_pipeline())

    docs = list(nlp.pipe(["\u200b", FIRST, f"{FIRST}\n\n\u200b\n\n{SECOND}"]))

    assert [len(shown(doc)) for doc in docs] == [0, 2, 2]
    kinds = {failure["kind"] for doc in docs for failure in doc._.ramie["failures"]}
    assert "engine_error" not in kinds


def test_a_sentence_that_bert_cannot_see_is_similar_to_nothing(make_pipeline):
    nlp = initialize(make_pipeline())
    doc = nlp("\u200b")

    vector = retriever_of(nlp).embed([doc[:]])["\u200b"]
    ((hit,),) = retriever_of(nlp).search("ner", [vector])

    assert hit.similarity == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("where", [None, "after"])
def test_without_a_transformer_before_it_a_note_is_refused(where, make_pipeline):
    donor = retriever_of(initialize(make_pipeline()))
    nlp = make_pipeline(where)
    if where is not None:
        nlp.get_pipe("transformer").initialize(lambda: [], nlp=nlp)
    retriever_of(nlp).banks = donor.banks

    with pytest.raises(RetrievalError, match=r"R305.*trf_data.*before ramie_extractor"):
        nlp(FIRST)


def test_without_a_transformer_no_bank_is_built(make_pipeline):
    nlp = make_pipeline(None)

    with pytest.raises(RetrievalError, match=r"R305.*trf_data.*before ramie_extractor"):
        initialize(nlp)


def test_a_saved_pipeline_needs_no_folder_of_bert(make_pipeline, bert, tmp_path):
    nlp = initialize(make_pipeline())
    saved = nlp(SECOND)
    nlp.to_disk(tmp_path / "saved")
    hidden = bert.rename(bert.with_name("elsewhere"))
    shutil.move(tmp_path / "saved", tmp_path / "moved")

    try:
        loaded = spacy.load(tmp_path / "moved")
    finally:
        hidden.rename(bert)

    doc = loaded.get_pipe("transformer")(loaded.make_doc(SECOND))
    vector = retriever_of(loaded).embed([doc[:]])[SECOND]
    assert vector == pytest.approx(
        retriever_of(nlp).embed([saved[:]])[SECOND], abs=1e-5
    )
    (hits,) = retriever_of(loaded).search("ner", [vector])
    assert [hit.exemplar.group for hit in hits] == ["n2"]
    assert hits[0].similarity == pytest.approx(1, abs=1e-5)
