"""The .spacy form keeps every record whole, and what is no corpus is refused."""

import json
import re

import pytest
import spacy
import srsly
from command_line import ramie
from good_record import DS, EVENT, record
from spacy import util
from spacy.tokens import DocBin

from spacy_ramie.corpus.docbin import read_docs, record_of, write_docbin
from spacy_ramie.corpus.records import gold_annotations
from spacy_ramie.errors import CorpusError
from spacy_ramie.schema import make_phee, make_supplements


def as_json(record):
    # DocBin makes tuples of lists.
    return json.loads(json.dumps(record))


@pytest.fixture
def corpus(tmp_path, records):
    """Records in both forms, one with keys of a user's own and overlapping entities."""
    nested = {"id": "T3", "start": 6, "end": 25, "label": "EVENT"}
    own = record(
        "own",
        entities=[{**DS, "ingredient": "melatonin"}, EVENT, nested],
        dose=[{"entity": "T1", "value": "3 mg"}],
        source={"clinic": "b", "pages": [1, 2]},
        tags=["long", "short"],
        lines=[0, 26],
    )
    given = [*records, own]
    files = {form: tmp_path / f"x.{form}" for form in ("jsonl", "spacy")}
    srsly.write_jsonl(files["jsonl"], given)
    result = ramie("convert", files["jsonl"], files["spacy"])
    assert result.exit_code == 0, result.output
    return files, given


def test_spacy_form_keeps_every_record_whole(corpus):
    files, given = corpus

    docs = read_docs(files["spacy"], spacy.blank("en"), make_supplements())

    assert [as_json(record_of(doc)) for doc in docs] == given
    assert [doc.text for doc in docs] == [r["text"] for r in given]


def test_several_sources_become_files_of_their_names(tmp_path, records):
    sources = [tmp_path / f"{split}.jsonl" for split in ("train", "dev")]
    for source, some in zip(sources, (records, records[:1]), strict=True):
        srsly.write_jsonl(source, some)

    result = ramie("convert", *sources, tmp_path / "made")

    assert result.exit_code == 0, result.output
    made = {
        path.name: [
            d.text for d in read_docs(path, spacy.blank("en"), make_supplements())
        ]
        for path in (tmp_path / "made").iterdir()
    }
    texts = [r["text"] for r in records]
    assert made == {"train.spacy": texts, "dev.spacy": texts[:1]}


def test_a_folder_may_have_a_dot_in_its_name(tmp_path, records):
    srsly.write_jsonl(tmp_path / "x.jsonl", records)
    (tmp_path / "v1.2").mkdir()

    result = ramie("convert", tmp_path / "x.jsonl", tmp_path / "v1.2")

    assert result.exit_code == 0, result.output
    assert (tmp_path / "v1.2/x.spacy").is_file()


@pytest.mark.parametrize(
    ("sources", "target"),
    [
        (["a/x.jsonl", "a/y.jsonl"], "made.spacy"),
        (["a/x.jsonl", "b/x.jsonl"], "made"),
        (["a/x.jsonl"], "a/x.jsonl"),
    ],
    ids=["one file for two", "two of one name", "over the source"],
)
def test_nothing_is_written_over_what_was_read(tmp_path, records, sources, target):
    for source in (*sources, "a/x.jsonl"):
        (tmp_path / source).parent.mkdir(exist_ok=True)
        srsly.write_jsonl(tmp_path / source, records)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}

    result = ramie("convert", *(tmp_path / s for s in sources), tmp_path / target)

    assert result.exit_code == 1
    assert "R405" in result.output
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_own_keys_reach_the_gold_annotations(corpus):
    files, _ = corpus
    *_, doc = read_docs(files["spacy"], spacy.blank("en"), make_supplements())

    known = gold_annotations(record_of(doc))

    (dose,) = known.values["dose"]
    assert (dose["value"], dose["entity"].text) == ("3 mg", "melatonin")
    # Lists of anything but objects are no labels.
    assert set(known.values) == {"dose"}


def test_spacys_own_fields_hold_what_fits_into_them(corpus):
    files, _ = corpus
    *_, doc = read_docs(files["spacy"], spacy.blank("en"), make_supplements())

    # Of entities that overlap, the longest.
    assert [(e.text, e.label_) for e in doc.ents] == [("melatonin for sleep", "EVENT")]
    assert doc.cats == {
        "CONTINUE": 1.0,
        "DISCONTINUE": 0.0,
        "START": 0.0,
        "UNCERTAIN": 0.0,
    }


@pytest.mark.parametrize("form", ["jsonl", "spacy"])
def test_reader_gives_spacy_examples_with_their_records(corpus, form):
    files, given = corpus
    nlp = spacy.blank("en")
    config = {
        "corpus": {
            "@readers": "spacy_ramie.Corpus.v1",
            "path": str(files[form]),
            "schema": {"@misc": "spacy_ramie.Supplements.v1"},
        }
    }

    examples = list(util.registry.resolve(config)["corpus"](nlp))

    assert [as_json(record_of(eg.reference)) for eg in examples] == given
    assert [eg.predicted.text for eg in examples] == [r["text"] for r in given]
    # The gold labels are on the reference alone.
    assert not any(eg.predicted.ents for eg in examples)
    assert all(record_of(eg.predicted) is None for eg in examples)


# What is no corpus


def test_a_spacy_file_of_another_schema_is_refused(tmp_path):
    nlp, schema = spacy.blank("en"), make_supplements()
    record = {"id": "a-1", "text": "zinc", "entities": [{**DS, "start": 0, "end": 4}]}
    write_docbin([record], tmp_path / "a.spacy", nlp, schema)
    assert len(read_docs(tmp_path / "a.spacy", nlp, schema)) == 1
    with pytest.raises(CorpusError, match=r"R110.*a-1.*'phee' has no label 'DS'"):
        read_docs(tmp_path / "a.spacy", nlp, make_phee())


def test_docbin_of_other_making_is_refused(tmp_path):
    nlp = spacy.blank("en")
    DocBin(docs=[nlp("Takes melatonin.")]).to_disk(tmp_path / "x.spacy")

    with pytest.raises(CorpusError, match="R105"):
        read_docs(tmp_path / "x.spacy", nlp, make_supplements())


def test_file_that_is_no_docbin_is_refused(tmp_path):
    (tmp_path / "x.spacy").write_bytes(b"no DocBin")

    with pytest.raises(CorpusError, match="R106"):
        read_docs(tmp_path / "x.spacy", spacy.blank("en"), make_supplements())


@pytest.mark.parametrize("name", ["none.jsonl", "none.spacy"])
def test_missing_file_is_named(tmp_path, name):
    with pytest.raises(CorpusError, match=re.escape(f"{tmp_path / name}: no such")):
        read_docs(tmp_path / name, spacy.blank("en"), make_supplements())


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.spacy"])
def test_corpus_without_a_record_is_refused(tmp_path, name):
    path = tmp_path / name
    DocBin().to_disk(path) if path.suffix == ".spacy" else path.touch()

    with pytest.raises(CorpusError, match="R104"):
        read_docs(path, spacy.blank("en"), make_supplements())
