"""No model is ever downloaded: it is here, or there is a clear error."""

import shutil
import socket
from typing import Any

import pytest
from encoding import NLP, SHORT, embed, make, near
from huggingface_hub import utils as hub

from spacy_ramie.errors import RetrievalError


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
