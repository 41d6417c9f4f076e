"""Encoders made as a config makes them, and what the model alone gives for a text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy import registry
from spacy.tokens import Span
from transformers import AutoModel, AutoTokenizer

NLP = spacy.blank("en")
SHORT = "Patient started melatonin."
LONG = "She stopped ginkgo and garlic after bleeding and takes melatonin for sleep."


def make(name: str, **config: Any) -> Any:
    """Make a registered encoder, as a config does."""
    return registry.misc.get(f"spacy_ramie.{name}.v1")(**config)


def spans(*texts: str) -> list[Span]:
    return [NLP.make_doc(text)[:] for text in texts]


def embed(encoder: Any, side: str, *texts: str) -> Any:
    if side == "queries":
        return encoder.queries(spans(*texts))
    return encoder.documents(texts, NLP)


def states(folder: Path, ids: Sequence[int]) -> Any:
    """The last hidden states of a model that sees one text and no padding."""
    with torch.no_grad():
        model = AutoModel.from_pretrained(folder).eval()
        return model(torch.tensor([ids])).last_hidden_state[0].numpy()


def ids_of(folder: Path, text: str) -> list[int]:
    return AutoTokenizer.from_pretrained(folder)(text)["input_ids"]


def near(vector: Any) -> Any:
    return pytest.approx(vector, abs=1e-5)
