"""A saved exemplar bank that was damaged, or is of another encoder, is refused."""

import shutil
from pathlib import Path

import pytest
import spacy
from whole_pipeline import COMPONENT

from spacy_ramie.errors import RetrievalError


@pytest.fixture
def copied(saved, tmp_path):
    """A copy of the saved pipeline, to be damaged."""
    return shutil.copytree(saved, tmp_path / "copied")


def flip_a_byte(bank: Path) -> None:
    data = bytearray((bank / "ner.ann").read_bytes())
    data[len(data) // 2] ^= 1
    (bank / "ner.ann").write_bytes(data)


def remove_sidecar(bank: Path) -> None:
    (bank / "ner.json").unlink()


def remove_index(bank: Path) -> None:
    (bank / "ner.ann").unlink()


def spoil_sidecar(bank: Path) -> None:
    (bank / "ner.json").write_text("{")


def swap_indices(bank: Path) -> None:
    shutil.copy(bank / "re.ann", bank / "ner.ann")


def swap_indices_and_sidecars(bank: Path) -> None:
    swap_indices(bank)
    shutil.copy(bank / "re.json", bank / "ner.json")


def lose_an_exemplar(bank: Path) -> None:
    lines = (bank / "exemplars.jsonl").read_text().splitlines(keepends=True)
    (bank / "exemplars.jsonl").write_text("".join(lines[:-1]))


def remove_exemplars(bank: Path) -> None:
    (bank / "exemplars.jsonl").unlink()


def spoil_exemplars(bank: Path) -> None:
    (bank / "exemplars.jsonl").write_text('{"id": "1"}\n')


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (flip_a_byte, "R301.*ner.ann.*checksum"),
        (remove_sidecar, "R301.*no ner.json"),
        (remove_index, "R301.*no ner.ann"),
        (spoil_sidecar, "R301.*ner.json is not JSON"),
        (swap_indices, "R301.*checksum"),
        (swap_indices_and_sidecars, "R301.*exemplars"),
        (lose_an_exemplar, "R307.*exemplars.jsonl.*checksum"),
        (remove_exemplars, "R306"),
        (spoil_exemplars, "R307.*exemplars.jsonl"),
    ],
)
def test_a_damaged_bank_is_refused_at_loading(copied, damage, code):
    damage(copied / COMPONENT / "retriever")
    with pytest.raises(RetrievalError, match=code):
        spacy.load(copied)


def test_a_bank_of_another_encoder_is_refused(trained, saved):
    encoder = {"@misc": "spacy_ramie.HashingEncoder.v1", "dimension": 64}
    retriever = {"retriever": {"encoder": encoder}}
    with pytest.raises(RetrievalError, match="R302.*1024.*64"):
        spacy.load(saved, config={"components": {COMPONENT: retriever}})
    fresh = spacy.blank("en").add_pipe(COMPONENT, config=retriever)
    with pytest.raises(RetrievalError, match="R302.*1024.*64"):
        fresh.from_bytes(trained.get_pipe(COMPONENT).to_bytes())
