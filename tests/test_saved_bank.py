"""A saved bank gives the same hits again; a damaged or foreign one is refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from tiny_bank import BANK, GINKGO, MELATONIN, NLP, hits_of, make_retriever

from spacy_ramie.errors import RetrievalError
from spacy_ramie.retrieval.encoders import HashingEncoder
from spacy_ramie.retrieval.retriever import Retriever


def to_disk(retriever: Retriever, folder: Path) -> Retriever:
    retriever.to_disk(folder / "bank")
    loaded = make_retriever()
    loaded.from_disk(folder / "bank")
    return loaded


def to_bytes(retriever: Retriever, folder: Path) -> Retriever:
    loaded = make_retriever()
    loaded.from_bytes(retriever.to_bytes())
    return loaded


def to_pickle(retriever: Retriever, folder: Path) -> Retriever:
    return pickle.loads(pickle.dumps(retriever))


def onto_itself(retriever: Retriever, folder: Path) -> Retriever:
    """Save over the files that are mapped, go on with them, and load again."""
    loaded = to_disk(retriever, folder)
    loaded.to_disk(folder / "bank")
    assert hits_of(loaded, GINKGO) == hits_of(retriever, GINKGO)
    return to_disk(loaded, folder)


@pytest.mark.parametrize("way", [to_disk, to_bytes, to_pickle, onto_itself])
@pytest.mark.parametrize("task", ["ner", "te"])
def test_a_restored_retriever_gives_the_same_hits(task, way, tmp_path):
    retriever = make_retriever(k=1)
    retriever.fit(BANK, NLP)

    restored = way(retriever, tmp_path)

    hits = hits_of(retriever, "Melatonin started.", task)
    assert [hit.exemplar.sentence for hit in hits] == [MELATONIN]
    assert hits_of(restored, "Melatonin started.", task) == hits


def test_exact_search_is_restored_from_disk(tmp_path):
    retriever = make_retriever("Exact")
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)

    restored = make_retriever("Exact")
    restored.from_disk(tmp_path)

    assert hits_of(restored, GINKGO) == hits_of(retriever, GINKGO)


def edit_sidecar(folder: Path, **changes: Any) -> None:
    sidecar = folder / "ner.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), **changes}))


def index_file(folder: Path) -> Path:
    return next(f for f in folder.glob("ner.*") if f.suffix != ".json")


def damage_byte(folder: Path) -> None:
    content = bytearray(index_file(folder).read_bytes())
    content[len(content) // 2] ^= 1
    index_file(folder).write_bytes(content)


def cut_index(folder: Path) -> None:
    index_file(folder).write_bytes(index_file(folder).read_bytes()[:-8])


def lose_index(folder: Path) -> None:
    index_file(folder).unlink()


def lose_sidecar(folder: Path) -> None:
    (folder / "ner.json").unlink()


def cut_sidecar(folder: Path) -> None:
    (folder / "ner.json").write_text((folder / "ner.json").read_text()[:20])


def empty_sidecar(folder: Path) -> None:
    (folder / "ner.json").write_text("{}")


def other_dimension(folder: Path) -> None:
    edit_sidecar(folder, dimension=65)


def other_count(folder: Path) -> None:
    edit_sidecar(folder, count=2)


def swap_tasks(folder: Path) -> None:
    """Put the index of another task in the place of one, without its sidecar."""
    other = index_file(folder).with_stem("te")
    index_file(folder).write_bytes(other.read_bytes())


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
@pytest.mark.parametrize(
    "damage",
    [
        damage_byte,
        cut_index,
        lose_index,
        lose_sidecar,
        cut_sidecar,
        empty_sidecar,
        other_dimension,
        other_count,
        swap_tasks,
    ],
)
def test_damaged_files_are_refused(damage, kind, tmp_path):
    retriever = make_retriever(kind)
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)

    damage(tmp_path)

    with pytest.raises(RetrievalError, match="R301.*build the bank again") as error:
        make_retriever(kind).from_disk(tmp_path)
    assert str(tmp_path / "ner.") in str(error.value)


def lose_exemplar(folder: Path) -> None:
    rows = (folder / "exemplars.jsonl").read_text().splitlines(keepends=True)
    (folder / "exemplars.jsonl").write_text("".join(rows[1:]))


def add_a_line(folder: Path) -> None:
    with (folder / "exemplars.jsonl").open("a") as stream:
        stream.write("not JSON\n")


def lose_counts(folder: Path) -> None:
    (folder / "exemplars.json").unlink()


def cut_counts(folder: Path) -> None:
    (folder / "exemplars.json").write_text("{")


def empty_counts(folder: Path) -> None:
    (folder / "exemplars.json").write_text("{}")


@pytest.mark.parametrize(
    "damage", [lose_exemplar, add_a_line, lose_counts, cut_counts, empty_counts]
)
def test_damaged_exemplars_are_refused(damage, tmp_path):
    retriever = make_retriever()
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)

    damage(tmp_path)

    with pytest.raises(RetrievalError, match="R307.*[Bb]uild the bank again") as error:
        make_retriever().from_disk(tmp_path)
    assert str(tmp_path / "exemplars.jsonl") in str(error.value)


def test_a_folder_without_a_bank_is_refused(tmp_path):
    with pytest.raises(RetrievalError, match=r"R306.*nlp\.initialize") as error:
        make_retriever().from_disk(tmp_path)

    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("saved", ["disk", "bytes"])
def test_a_bank_of_another_encoder_is_refused(saved, tmp_path):
    retriever = make_retriever(encoder=HashingEncoder(64))
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)
    other = make_retriever(encoder=HashingEncoder(128))

    with pytest.raises(RetrievalError, match="R302.*build the bank again") as error:
        if saved == "disk":
            other.from_disk(tmp_path)
        else:
            other.from_bytes(retriever.to_bytes())

    assert retriever.encoder.identity in str(error.value)
    assert other.encoder.identity in str(error.value)


def test_an_index_of_another_kind_is_refused(tmp_path):
    retriever = make_retriever("Annoy")
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)

    with pytest.raises(RetrievalError, match="R301"):
        make_retriever("Exact").from_disk(tmp_path)
