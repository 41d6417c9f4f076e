"""The items of a split, and the examples that training makes of them."""

from spacy_ramie.corpus.items import make_items
from spacy_ramie.engine.loading import load_tokenizer
from spacy_ramie.engine.tokens import PromptTokenizer
from spacy_ramie.training.features import embed_units, encode_items


def items_of(setup, split):
    docs = setup.docs(split)
    return docs, list(make_items(docs, list(setup.component.extraction.tasks.values())))


def encode(setup, split, base, *, held_out, context=2048):
    """The training examples of a split, as training makes them."""
    extraction = setup.component.extraction
    docs, items = items_of(setup, split)
    tokens = PromptTokenizer(load_tokenizer(str(base)), context)
    features = encode_items(
        items,
        embed_units(docs, extraction.retriever),
        extraction.tasks,
        extraction.style,
        extraction.retriever,
        tokens,
        held_out=held_out,
    )
    return items, features, tokens
