"""Encoders give the vectors that their models were trained to give."""

import json
from pathlib import Path

import pytest
import torch
from encoding import LONG, SHORT, embed, ids_of, make, near, states
from tiny_bert import WORDS
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoTokenizer, GPTNeoXConfig, GPTNeoXModel

# As BMRetriever was trained, and what it is told to look for here.
QUERY = "Given a sentence of a clinical note, retrieve similar sentences\nQuery: "
PASSAGE = "Represent this passage\npassage: "


@pytest.fixture(scope="module", params=["with pad token", "without"])
def neox(request, tmp_path_factory) -> Path:
    """A GPT-NeoX with random weights and a byte-level BPE tokenizer."""
    folder = tmp_path_factory.mktemp("neox")
    end = "<|endoftext|>"
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        [SHORT, LONG, QUERY, PASSAGE], 320, special_tokens=[end, "<|padding|>"]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "GPTNeoXTokenizer", "eos_token": end}
    if request.param == "with pad token":
        settings["pad_token"] = "<|padding|>"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=320,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=1024,
        initializer_range=0.5,
    )
    GPTNeoXModel(config).save_pretrained(folder)
    return folder


# Pooling and prefixes, each in a batch with padding


@pytest.mark.parametrize("side", ["queries", "documents"])
def test_medcpt_takes_the_cls_state_of_an_encoder_for_each_side(side, bert, other_bert):
    encoder = make("MedCPT", queries=str(bert), documents=str(other_bert))

    vectors = embed(encoder, side, SHORT, LONG)

    folder = {"queries": bert, "documents": other_bert}[side]
    assert vectors[0] == near(states(folder, ids_of(folder, SHORT))[0])
    assert vectors[1] == near(states(folder, ids_of(folder, LONG))[0])


@pytest.mark.parametrize("side", ["queries", "documents"])
def test_contriever_takes_the_mean_without_the_padding(side, bert):
    encoder = make("Contriever", model=str(bert))

    vectors = embed(encoder, side, SHORT, LONG)

    assert vectors[0] == near(states(bert, ids_of(bert, SHORT)).mean(axis=0))
    assert vectors[1] == near(states(bert, ids_of(bert, LONG)).mean(axis=0))


@pytest.mark.parametrize(
    ("side", "prefix"), [("queries", QUERY), ("documents", PASSAGE)]
)
def test_bmretriever_takes_the_state_of_eos_after_prefix_and_text(side, prefix, neox):
    encoder = make("BMRetriever", model=str(neox))

    vectors = embed(encoder, side, SHORT, LONG)

    eos = AutoTokenizer.from_pretrained(neox).eos_token_id
    for vector, text in zip(vectors, (SHORT, LONG), strict=True):
        assert vector == near(states(neox, [*ids_of(neox, prefix + text), eos])[-1])


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [
        ("cls", lambda rows: rows[0]),
        ("mean", lambda rows: rows.mean(axis=0)),
        ("lasttoken", lambda rows: rows[-1]),
    ],
)
def test_any_model_with_chosen_pooling_and_prefixes(pooling, pool, bert):
    encoder = make(
        "SentenceEncoder",
        model=str(bert),
        pooling=pooling,
        query_prefix="she takes ",
        document_prefix="he takes ",
    )

    query = embed(encoder, "queries", "garlic", LONG)[0]
    document = embed(encoder, "documents", "garlic", LONG)[0]

    assert query == near(pool(states(bert, ids_of(bert, "she takes garlic"))))
    assert document == near(pool(states(bert, ids_of(bert, "he takes garlic"))))


# Lengths


@pytest.mark.parametrize(
    ("name", "side", "length"),
    [
        ("MedCPT", "queries", 64),
        ("MedCPT", "documents", 512),
        ("Contriever", "queries", 512),
        ("Contriever", "documents", 512),
        ("SentenceEncoder", "queries", 32),
        ("SentenceEncoder", "documents", 32),
    ],
)
def test_a_text_beyond_the_length_gives_the_vector_of_its_cut(name, side, length, bert):
    config = {
        "MedCPT": {"queries": str(bert), "documents": str(bert)},
        "Contriever": {"model": str(bert)},
        "SentenceEncoder": {"model": str(bert), "length": 32},
    }[name]
    words = [WORDS[i * i % len(WORDS)] for i in range(600)]
    # [CLS] and [SEP] count too.
    cuts = [words, words[: length - 2], words[: length - 3]]

    beyond, cut, shorter = embed(make(name, **config), side, *map(" ".join, cuts))

    assert beyond == near(cut)
    assert beyond != near(shorter)


@pytest.mark.parametrize(
    ("side", "prefix"), [("queries", QUERY), ("documents", PASSAGE)]
)
def test_bmretriever_ends_a_cut_text_with_eos(side, prefix, neox):
    text = LONG * 20
    encoder = make("BMRetriever", model=str(neox))

    vectors = embed(encoder, side, text, SHORT)

    eos = AutoTokenizer.from_pretrained(neox).eos_token_id
    ids = ids_of(neox, prefix + text)
    assert len(ids) > 512
    assert vectors[0] == near(states(neox, [*ids[:511], eos])[-1])
