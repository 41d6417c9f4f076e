"""Encoders on sentence-transformers: any of its models, and the paper's three."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy
from spacy.language import Language
from spacy.tokens import Span

from ..device import torch_device
from .encoders import Encoder, Vectors
from .sentence_model import (
    fingerprint_of,
    load_sentence_model,
    sentence_folder,
    unloadable,
)


@dataclass(frozen=True)
class Recipe:
    """How a plain transformer becomes a sentence encoder.

    Loaded by name alone sentence-transformers would use mean pooling for all.

    queries (str): Folder or Hub name of the model for sentences of notes.
    documents (str): The same for exemplars, where it is another one.
    pooling (str | None): "cls", "mean" or "lasttoken"; None: as the model says.
    query_prefix (str): Put before every sentence.
    document_prefix (str): Put before every exemplar.
    query_length (int | None): Tokens of a sentence at most; None: as the model says.
    document_length (int | None): The same for exemplars.
    end_with_eos (bool): The last token must be the end-of-sequence token.
    """

    queries: str
    documents: str
    pooling: str | None = None
    query_prefix: str = ""
    document_prefix: str = ""
    query_length: int | None = None
    document_length: int | None = None
    end_with_eos: bool = False


# Jin et al. 2023: two encoders, CLS pooling, 64 and 512 tokens.
MEDCPT = Recipe(
    "ncbi/MedCPT-Query-Encoder",
    "ncbi/MedCPT-Article-Encoder",
    pooling="cls",
    query_length=64,
    document_length=512,
)
# Izacard et al. 2022: one encoder, mean pooling.
CONTRIEVER = Recipe(
    "facebook/contriever",
    "facebook/contriever",
    pooling="mean",
    query_length=512,
    document_length=512,
)
# Xu et al. 2024: GPT-NeoX, last token, which is EOS; instruction before both sides.
BMRETRIEVER = Recipe(
    "BMRetriever/BMRetriever-410M",
    "BMRetriever/BMRetriever-410M",
    pooling="lasttoken",
    query_prefix="Given a sentence of a clinical note, retrieve similar sentences\nQuery: ",
    document_prefix="Represent this passage\npassage: ",
    query_length=512,
    document_length=512,
    end_with_eos=True,
)


class SentenceEncoder:
    """A recipe, loaded on first use and never from the network.

    recipe (Recipe): The models and how to use them.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._models: dict[tuple[str, int | None], Any] = {}

    @property
    def models(self) -> tuple[str, ...]:
        """Folders or Hub names of its models, each once."""
        return tuple(dict.fromkeys((self.recipe.queries, self.recipe.documents)))

    @property
    def identity(self) -> str:
        """The settings of the recipe and a fingerprint of its models."""
        models = "+".join(fingerprint_of(model) for model in self.models)
        rest = replace(self.recipe, queries="", documents="")
        settings = hashlib.sha256(repr(rest).encode()).hexdigest()[:8]
        return f"sentence-transformers/{models}/{settings}"

    def queries(self, sentences: Sequence[Span]) -> Vectors:
        """Embed sentences of notes."""
        model = self._model(self.recipe.queries, self.recipe.query_length)
        texts = [self.recipe.query_prefix + sentence.text for sentence in sentences]
        return _encode(model.encode_query, texts)

    def documents(self, texts: Sequence[str], nlp: Language) -> Vectors:
        """Embed the keys of exemplars."""
        model = self._model(self.recipe.documents, self.recipe.document_length)
        prefixed = [self.recipe.document_prefix + text for text in texts]
        return _encode(model.encode_document, prefixed)

    def _model(self, name: str, length: int | None) -> Any:
        """Load a model once, also where both sides use it."""
        device = torch_device()
        if (name, length) not in self._models:
            self._models[name, length] = self._load(name, length, str(device))
        return self._models[name, length]

    def _load(self, name: str, length: int | None, device: str) -> Any:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import (
            Pooling,
            Transformer,
        )

        if self.recipe.pooling is None:
            model = load_sentence_model(name, device)
            if length is not None:
                model.max_seq_length = length
            return model
        folder = str(sentence_folder(name))
        local = {"local_files_only": True}
        try:
            transformer = Transformer(
                folder,
                max_seq_length=length,
                model_kwargs=local,
                processor_kwargs=local,
                config_kwargs=local,
            )
        except Exception as error:
            raise unloadable(name, error) from error
        if transformer.tokenizer.pad_token is None:
            # It is masked, so that any token will do.
            transformer.tokenizer.pad_token = transformer.tokenizer.eos_token
        if self.recipe.end_with_eos:
            _append_eos(transformer.tokenizer)
        width = transformer.get_embedding_dimension()
        pooling = Pooling(width, pooling_mode=self.recipe.pooling)
        return SentenceTransformer(modules=[transformer, pooling], device=device)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_models": {}}


def _encode(encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
    vectors = encode(
        list(texts), show_progress_bar=False, convert_to_numpy=True, batch_size=32
    )
    return numpy.asarray(vectors, dtype=numpy.float32)


def _append_eos(tokenizer: Any) -> None:
    """Make a tokenizer end every text with EOS, also one that is cut."""
    from tokenizers.processors import TemplateProcessing

    eos = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {eos}", special_tokens=[(eos, tokenizer.eos_token_id)]
    )


def make_sentence_encoder(
    model: str,
    pooling: str | None = None,
    query_prefix: str = "",
    document_prefix: str = "",
    length: int | None = None,
) -> Encoder:
    """Use any model of sentence-transformers (`spacy_ramie.SentenceEncoder.v1`).

    model (str): Folder or Hub name.
    pooling (str | None): "cls", "mean" or "lasttoken"; None: as the model says.
    query_prefix (str): Put before every sentence.
    document_prefix (str): Put before every exemplar.
    length (int | None): Tokens at most; None: as the model says.
    RETURNS (Encoder): The encoder.
    """
    return SentenceEncoder(
        Recipe(model, model, pooling, query_prefix, document_prefix, length, length)
    )


def make_medcpt(
    queries: str = MEDCPT.queries, documents: str = MEDCPT.documents
) -> Encoder:
    """Use MedCPT as it was trained (`spacy_ramie.MedCPT.v1`).

    queries (str): Folder or Hub name of the query encoder.
    documents (str): The same of the article encoder.
    RETURNS (Encoder): The encoder.
    """
    return SentenceEncoder(replace(MEDCPT, queries=queries, documents=documents))


def make_contriever(model: str = CONTRIEVER.queries) -> Encoder:
    """Use Contriever (`spacy_ramie.Contriever.v1`).

    model (str): Folder or Hub name.
    RETURNS (Encoder): The encoder.
    """
    return SentenceEncoder(replace(CONTRIEVER, queries=model, documents=model))


def make_bmretriever(model: str = BMRETRIEVER.queries) -> Encoder:
    """Use BMRetriever as it was trained (`spacy_ramie.BMRetriever.v1`).

    model (str): Folder or Hub name.
    RETURNS (Encoder): The encoder.
    """
    return SentenceEncoder(replace(BMRETRIEVER, queries=model, documents=model))
