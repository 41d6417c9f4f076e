"""A pipeline with all that can be saved: base, adapter and exemplar bank."""

import spacy
from conftest import NOTE

COMPONENT = "ramie_extractor"
NOTES = [NOTE, "Took zinc.", "", "No headache on fish oil."]


def make_pipeline(base, adapter=None, corpus=None):
    """A pipeline over a base, with an adapter and an exemplar bank where given."""
    engine = {
        "base": str(base),
        "adapter": None if adapter is None else str(adapter),
        "max_new_tokens": 24,
    }
    nlp = spacy.blank("en")
    # Annoy's files are the more delicate ones.
    retriever = {"index": {"@misc": "spacy_ramie.AnnoyIndex.v1"}}
    component = nlp.add_pipe(
        COMPONENT, config={"engine": engine, "retriever": retriever}
    )
    if corpus is not None:
        component.initialize(lambda: [], nlp=nlp, exemplars=str(corpus))
    return nlp


def records(nlp, texts=NOTES):
    return [doc._.ramie for doc in nlp.pipe(texts, batch_size=2)]
