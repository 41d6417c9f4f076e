"""Reuse what spacy-transformers has computed: no second run of a clinical BERT."""

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.language import Language
from spacy.tokens import Doc, Span
from thinc.api import to_numpy

from ..errors import Errors, RetrievalError
from .encoders import Encoder, Vectors

# Wherever the pipeline was loaded from, its transformer is part of it and is
# saved with it, so that its name is enough.
_MISSING = "no component has set"


class TrfDataEncoder:
    """The mean of the last hidden state over the wordpieces of a sentence.

    component (str): Name of the transformer component, which embeds exemplars.
    """

    def __init__(self, component: str) -> None:
        self.component = component

    @property
    def identity(self) -> str:
        """The name of the component."""
        return f"trf_data/{self.component}/mean"

    def queries(self, sentences: Sequence[Span]) -> Vectors:
        """Embed sentences of notes that went through the transformer."""
        return numpy.stack([_pool(sentence) for sentence in sentences])

    def documents(self, texts: Sequence[str], nlp: Language) -> Vectors:
        """Embed the keys of exemplars."""
        if self.component not in nlp.pipe_names:
            raise RetrievalError(Errors.R305.format(problem=_MISSING))
        transformer: Any = nlp.get_pipe(self.component)
        docs = transformer.pipe(nlp.make_doc(text) for text in texts)
        return numpy.stack([_pool(doc[:]) for doc in docs])


def _pool(sentence: Span) -> Vectors:
    doc = sentence.doc
    if not Doc.has_extension("trf_data") or doc._.trf_data is None:
        raise RetrievalError(Errors.R305.format(problem=_MISSING))
    data = doc._.trf_data
    hidden = to_numpy(data.model_output.last_hidden_state)
    rows = to_numpy(data.align[sentence.start : sentence.end].data).reshape(-1)
    flat = hidden.reshape(-1, hidden.shape[-1])
    if not len(rows):
        # Nothing that its tokenizer knows: a zero-width space, say.
        return numpy.zeros(flat.shape[1], dtype=numpy.float32)
    pooled: Vectors = flat[rows].mean(axis=0).astype(numpy.float32)
    return pooled


def make_trf_data_encoder(component: str = "transformer") -> Encoder:
    """Make the encoder (`spacy_ramie.TrfDataEncoder.v1`).

    component (str): Name of the spacy-transformers component of the pipeline.
    RETURNS (Encoder): The encoder.
    """
    return TrfDataEncoder(component)
