"""An encoder that is not here ends what needs it, clearly, and nothing else."""

from typing import Any

import pytest
from tiny_bank import BANK, MELATONIN, NLP, make_retriever

from spacy_ramie.errors import RetrievalError


@pytest.fixture
def homeless() -> dict[str, Any]:
    encoder = {"@misc": "spacy_ramie.Contriever.v1", "model": "nobody/none"}
    return {"@misc": "spacy_ramie.Retriever.v1", "encoder": encoder}


def test_an_encoder_that_is_not_here_ends_the_initialisation(
    homeless, scripted, corpus_files
):
    nlp, _ = scripted(retriever=homeless)
    component = nlp.get_pipe("ramie_extractor")

    with pytest.raises(RetrievalError, match="R304.*nobody/none"):
        component.initialize(lambda: [], nlp=nlp, exemplars=str(corpus_files["dev"]))


def test_a_bank_without_its_encoder_is_not_loaded(homeless, scripted, tmp_path):
    retriever = make_retriever()
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)
    nlp, _ = scripted(retriever=homeless)

    with pytest.raises(RetrievalError, match="R304.*nobody/none"):
        nlp.get_pipe("ramie_extractor").extraction.retriever.from_disk(tmp_path)


def test_an_encoder_that_has_gone_ends_the_stream_instead_of_emptying_it(
    homeless, scripted
):
    nlp, _ = scripted(retriever=homeless)
    retriever = nlp.get_pipe("ramie_extractor").extraction.retriever
    fitted = make_retriever()
    fitted.fit(BANK, NLP)
    retriever.banks = fitted.banks

    with pytest.raises(RetrievalError, match="R304.*nobody/none"):
        nlp(MELATONIN)


def test_without_a_bank_no_encoder_is_needed(homeless, scripted):
    nlp, _ = scripted(retriever=homeless)

    doc = nlp(MELATONIN)

    assert [entity.text for entity in doc.ents] == ["melatonin", "insomnia"]
