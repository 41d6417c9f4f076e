"""Corpus records: what is refused, what is kept, and what the converters make."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
import spacy
import srsly
from spacy import util
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.alike import near_duplicates, same_skeletons
from spacy_ramie.corpus.docbin import read_docs, record_of, write_docbin
from spacy_ramie.corpus.paper_labels import to_paper_labels
from spacy_ramie.corpus.phee import convert_phee, convert_sentence
from spacy_ramie.corpus.records import gold_annotations, read_records
from spacy_ramie.errors import CorpusError
from spacy_ramie.schema import make_phee, make_supplements, make_supplements_paper

CORPUS = Path(__file__).parent.parent / "corpus"
SPLITS = ("train", "dev", "test")


def ramie(*arguments):
    return CliRunner().invoke(ramie_cli, [*map(str, arguments)])


def said(result):
    """What a command printed, without the line breaks of a narrow screen."""
    return " ".join(result.output.split())


def write_lines(path, *lines):
    path.write_text(
        "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines)
    )
    return path


# Bad records

DS = {"id": "T1", "start": 6, "end": 15, "label": "DS"}
EVENT = {"id": "T2", "start": 20, "end": 25, "label": "EVENT"}
RELATION = {"head": "T1", "tail": "T2", "label": "POSITIVE"}
USAGE = {"entity": "T1", "label": "CONTINUE"}


def record(id="b", **changed):
    return {
        "id": id,
        "text": "Takes melatonin for sleep.",
        "entities": [DS, EVENT],
        "relations": [RELATION],
        "usage": [USAGE],
        **changed,
    }


# What is changed in a good record, and what is said of it.
BAD = {
    "ends outside": (
        {"entities": [DS, {**EVENT, "end": 99}]},
        "entity T2: offsets 20:99 lie outside the text of 26 characters",
    ),
    "starts outside": (
        {"entities": [{**DS, "start": -1}, EVENT]},
        "entity T1: offsets -1:15 lie outside",
    ),
    "empty span": ({"entities": [DS, {**EVENT, "end": 20}]}, "or are empty"),
    "blank before": (
        {"entities": [{**DS, "start": 5}, EVENT]},
        "entity T1: ' melatonin' has a blank at its edge",
    ),
    "blank behind": (
        {"entities": [{**DS, "end": 16}, EVENT]},
        "entity T1: 'melatonin ' has a blank at its edge",
    ),
    "entity label": (
        {"entities": [DS, {**EVENT, "label": "DRUG"}], "relations": []},
        "entity T2: unknown label 'DRUG', known are: DS, EVENT",
    ),
    "relation label": (
        {"relations": [{**RELATION, "label": "CAUSES"}]},
        "relation T1-T2: unknown label 'CAUSES', known are: POSITIVE, NEGATIVE",
    ),
    "usage label": (
        {"usage": [{**USAGE, "label": "STOP"}]},
        "usage of T1: unknown label 'STOP', known are: CONTINUE, DISCONTINUE",
    ),
    "relation to nothing": (
        {"relations": [{**RELATION, "tail": "T9"}]},
        "relation T1-T9: there is no entity T9",
    ),
    "usage of nothing": (
        {"usage": [{**USAGE, "entity": "T9"}]},
        "usage of T9: there is no entity T9",
    ),
    "own task of nothing": (
        {"dose": [{"entity": "T9", "value": "3 mg"}]},
        "dose: there is no entity T9",
    ),
    "relation the wrong way": (
        {"relations": [{**RELATION, "head": "T2", "tail": "T1"}]},
        "relation T2-T1: the schema allows none from EVENT to DS",
    ),
    "usage of an event": (
        {"usage": [{**USAGE, "entity": "T2"}]},
        "usage of T2: the schema gives none to EVENT",
    ),
    "entity id twice": (
        {"entities": [DS, {**EVENT, "id": "T1"}], "relations": []},
        "two entities have the same id",
    ),
    "pair twice": (
        {"relations": [RELATION, {**RELATION, "label": "NEGATIVE"}]},
        "two relations have the same head and tail",
    ),
    "usage twice": (
        {"usage": [USAGE, {**USAGE, "label": "START"}]},
        "two usage classes for one entity",
    ),
    "offset as text": (
        {"entities": [{**DS, "start": "6"}, EVENT]},
        "entities.0.start: Input should be a valid integer",
    ),
    "offset as fraction": (
        {"entities": [{**DS, "start": 6.0}, EVENT]},
        "entities.0.start: Input should be a valid integer",
    ),
    "text missing": ({"text": None}, "text: Input should be a valid string"),
    "half a character": (
        {"text": "\ud83dakes melatonin for sleep."},
        "text: it holds half of a surrogate pair",
    ),
    "entities as object": (
        {"entities": {"T1": DS}},
        "entities: Input should be a valid list",
    ),
    "entity as text": ({"entities": ["DS"]}, "entities.0: Input should be a valid"),
    "misspelt key": (
        {"entities": [{**DS, "ingredients": "melatonin"}, EVENT]},
        "entities.0.ingredients: Extra inputs are not permitted",
    ),
}


@pytest.mark.parametrize(("changed", "reason"), BAD.values(), ids=BAD)
def test_bad_record_is_refused_with_its_place_and_the_reason(tmp_path, changed, reason):
    bad = record(**changed)
    path = write_lines(tmp_path / "x.jsonl", record("a"), "", bad, record("c"))

    with pytest.raises(CorpusError) as caught:
        read_records(path, make_supplements())

    assert f"{path}, line 3, record b: " in str(caught.value)
    assert reason in str(caught.value)
    assert "record a" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "id", "reason"),
    [
        ('{"id": "b", "text": ', "?", "not JSON: Expecting value"),
        ("[]", "?", "Input should be a valid dictionary"),
        ('"b"', "?", "Input should be a valid dictionary"),
        (record(id=7), "7", "id: Input should be a valid string"),
        (record(id=["b"]), "['b']", "id: Input should be a valid string"),
        ({"id": "b"}, "b", "text: Field required"),
        (record(id="a"), "a", "the id was used before"),
    ],
)
def test_line_that_is_no_record_of_its_own_is_refused(tmp_path, line, id, reason):
    path = write_lines(tmp_path / "x.jsonl", record("a"), line)

    with pytest.raises(CorpusError, match=re.escape(f"line 2, record {id}: {reason}")):
        read_records(path, make_supplements())


def test_line_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes('{"id": "a", "text": "Kräuter"}'.encode("latin-1"))

    with pytest.raises(CorpusError, match="line 1, record .: not JSON: 'utf-8' codec"):
        read_records(path, make_supplements())


def test_check_lists_every_problem_of_every_file_at_once(tmp_path):
    bad = [record(f"b{i}", **changed) for i, (changed, _) in enumerate(BAD.values())]
    first = write_lines(tmp_path / "first.jsonl", record("a"), *bad, "[]", "no JSON")
    second = write_lines(tmp_path / "second.jsonl", record("a"), record("c"))

    result = ramie("check", first, second)

    assert result.exit_code == 1
    output = said(result)
    for line, (_, reason) in enumerate(BAD.values(), start=2):
        assert f"{first}, line {line}, record b{line - 2}: " in output
        assert reason in output
    assert f"{second}, record a: the id is also in {first}" in output
    # A good record is said nothing of.
    assert "record c" not in output
    assert f" {output.count('[R101]') + 1} problem(s)" in output


def test_check_counts_records_and_labels_of_good_files(tmp_path):
    path = write_lines(tmp_path / "x.jsonl", record("a"), record("b", usage=[]))

    result = ramie("check", path)

    assert result.exit_code == 0
    counts = "2 records, 2 DS, 2 EVENT, 2 POSITIVE, 1 CONTINUE"
    assert f"{path}: {counts}" in said(result)


def test_error_about_a_hopeless_file_stays_readable(tmp_path):
    bad = [record(str(i), text="") for i in range(100)]
    path = write_lines(tmp_path / "x.jsonl", *bad)

    with pytest.raises(CorpusError, match="200 bad record") as caught:
        read_records(path, make_supplements())

    assert len(str(caught.value).splitlines()) < 30


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


# The .spacy form


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


# PHEE


def argument(context, *spans, **inner):
    """An argument in the published form: each span a list of pieces."""
    spans = [[span] if isinstance(span, str) else span for span in spans]
    return {
        "text": spans,
        "start": [[context.index(piece) for piece in span] for span in spans],
        "entity_id": [f"T{i}" for i in range(len(spans))],
        **inner,
    }


def event(context, kind, drugs, effects=(), *, treats=(), has=(), **flags):
    """An event in the published form."""
    inner = {"Drug": argument(context, *drugs)}
    if treats:
        inner["Disorder"] = argument(context, *treats)
    made = {
        "event_id": "E1",
        "event_type": kind,
        "Trigger": argument(context, context.split()[0]),
        "Treatment": argument(context, *drugs, **inner),
    }
    if effects:
        made["Effect"] = argument(context, *effects)
    if has:
        made["Subject"] = argument(context, *has, Disorder=argument(context, *has))
    for flag, value in flags.items():
        made[flag] = argument(context, context.split()[0], value=value)
    return made


def sentence(context, *events):
    return {
        "id": "1_1",
        "context": context,
        "is_mult_event": len(events) > 1,
        "annotations": [{"events": list(events)}],
    }


def adverse(context, drugs, effects=(), **more):
    return event(context, "Adverse_event", drugs, effects, **more)


def therapeutic(context, drugs, effects=(), **more):
    return event(context, "Potential_therapeutic_event", drugs, effects, **more)


def labels_of(data):
    """Texts and labels of a converted sentence, which must be a good record."""
    made = convert_sentence(data)
    texts = {e["id"]: made["text"][e["start"] : e["end"]] for e in made["entities"]}
    return {
        "entities": {(texts[e["id"]], e["label"]) for e in made["entities"]},
        "relations": {
            (texts[r["head"]], r["label"], texts[r["tail"]]) for r in made["relations"]
        },
        "usage": {texts[u["entity"]]: u["label"] for u in made["usage"]},
    }


def test_effect_of_an_adverse_event_is_negative():
    text = "Rash and fever occurred after lithium in a case of mania."
    data = sentence(
        text, adverse(text, ["lithium"], ["Rash", "fever"], treats=["mania"])
    )

    assert labels_of(data) == {
        "entities": {
            ("Rash", "EVENT"),
            ("fever", "EVENT"),
            ("lithium", "DRUG"),
            ("mania", "EVENT"),
        },
        "relations": {
            ("lithium", "NEGATIVE", "Rash"),
            ("lithium", "NEGATIVE", "fever"),
            ("lithium", "POSITIVE", "mania"),
        },
        "usage": {"lithium": "ASSERTED"},
    }


def test_effect_and_disorder_of_a_therapeutic_event_are_positive():
    text = "Remission of psoriasis with methotrexate in a man with gout."
    data = sentence(
        text,
        therapeutic(
            text, ["methotrexate"], ["Remission"], treats=["psoriasis"], has=["gout"]
        ),
    )

    assert labels_of(data)["relations"] == {
        ("methotrexate", "POSITIVE", "Remission"),
        ("methotrexate", "POSITIVE", "psoriasis"),
        # What the patient has besides.
        ("methotrexate", "NOT_RELATED", "gout"),
    }


def test_what_a_drug_causes_outweighs_what_it_treats():
    text = "Amiodarone worsened the arrhythmia."
    events = [
        adverse(text, ["Amiodarone"], ["arrhythmia"]),
        therapeutic(text, ["Amiodarone"], treats=["arrhythmia"]),
    ]

    for order in (events, events[::-1]):
        assert labels_of(sentence(text, *order))["relations"] == {
            ("Amiodarone", "NEGATIVE", "arrhythmia")
        }


def test_discontinuous_argument_gives_the_span_that_covers_it():
    """Its pieces are not always in the order of the text."""
    text = "Stomatitis, diarrhea and dermatitis followed 5-FU."
    data = sentence(text, adverse(text, ["5-FU"], [["dermatitis", "Stomatitis"]]))

    assert labels_of(data)["relations"] == {
        ("5-FU", "NEGATIVE", "Stomatitis, diarrhea and dermatitis")
    }


def test_drug_within_the_name_of_an_event_says_nothing_of_it():
    text = "Aspirin asthma came back after ibuprofen, and hives."
    ibuprofen = adverse(text, ["ibuprofen"], ["Aspirin asthma"])
    aspirin = adverse(text, ["Aspirin"], ["hives"])

    assert labels_of(sentence(text, ibuprofen, aspirin))["relations"] == {
        ("ibuprofen", "NEGATIVE", "Aspirin asthma"),
        ("Aspirin", "NEGATIVE", "hives"),
        ("ibuprofen", "NOT_RELATED", "hives"),
    }


def test_drug_within_the_name_of_its_own_event_is_related_to_it():
    text = "Treatment of lithium tremor with metoprolol."
    data = sentence(
        text, therapeutic(text, ["lithium", "metoprolol"], treats=["lithium tremor"])
    )

    assert ("lithium", "POSITIVE", "lithium tremor") in labels_of(data)["relations"]


@pytest.mark.parametrize(
    ("flags", "label"),
    [
        ({}, "ASSERTED"),
        ({"Negated": True}, "NEGATED"),
        ({"Speculated": True}, "SPECULATED"),
        ({"Speculated": True, "Negated": True}, "NEGATED"),
        ({"Speculated": False, "Negated": False}, "ASSERTED"),
    ],
)
def test_assertion_of_an_event_is_that_of_its_drugs(flags, label):
    text = "No rash was seen with garlic and ginger."
    data = sentence(text, adverse(text, ["garlic", "ginger"], ["rash"], **flags))

    assert labels_of(data)["usage"] == {"garlic": label, "ginger": label}


def test_events_of_a_sentence_keep_to_their_own_drugs():
    text = "Cough may follow enalapril, but losartan caused no cough or gout."
    data = sentence(
        text,
        adverse(text, ["enalapril"], ["Cough"], Speculated=True),
        adverse(text, ["losartan"], ["gout"], Negated=True),
    )

    assert labels_of(data) == {
        "entities": {
            ("Cough", "EVENT"),
            ("enalapril", "DRUG"),
            ("losartan", "DRUG"),
            ("gout", "EVENT"),
        },
        "relations": {
            ("enalapril", "NEGATIVE", "Cough"),
            ("enalapril", "NOT_RELATED", "gout"),
            ("losartan", "NOT_RELATED", "Cough"),
            ("losartan", "NEGATIVE", "gout"),
        },
        "usage": {"enalapril": "SPECULATED", "losartan": "NEGATED"},
    }


def test_drug_with_conflicting_assertions_has_none():
    text = "Niacin and zinc may cause flushing, but no rash."
    data = sentence(
        text,
        adverse(text, ["Niacin", "zinc"], ["flushing"], Speculated=True),
        adverse(text, ["Niacin"], ["rash"], Negated=True),
    )

    assert labels_of(data)["usage"] == {"zinc": "SPECULATED"}


def test_span_that_is_a_drug_and_a_disorder_is_a_drug():
    text = "Alcohol withdrawal eased by diazepam."
    data = sentence(
        text,
        adverse(text, ["Alcohol"], ["withdrawal"]),
        therapeutic(text, ["diazepam"], treats=["Alcohol", "withdrawal"]),
    )

    found = labels_of(data)

    assert ("Alcohol", "DRUG") in found["entities"]
    assert ("Alcohol", "EVENT") not in found["entities"]
    assert not any(tail == "Alcohol" for *_, tail in found["relations"])


def test_published_file_becomes_a_corpus_that_passes_the_check(tmp_path):
    texts = [f"Rash after lithium, case {i}." for i in range(3)]
    published = write_lines(
        tmp_path / "phee.jsonl",
        *(
            {**sentence(t, adverse(t, ["lithium"], ["Rash"])), "id": f"{i}_1"}
            for i, t in enumerate(texts)
        ),
    )
    made, spacy_form = tmp_path / "phee/made.jsonl", tmp_path / "phee/made.spacy"
    phee = ("--schema", "phee")

    results = [
        ramie("convert", published, made, "--form", "phee", *phee),
        ramie("check", made, *phee),
        ramie("convert", made, spacy_form, *phee),
    ]

    assert [r.exit_code for r in results] == [0, 0, 0]
    docs = read_docs(spacy_form, spacy.blank("en"), make_phee())
    assert [doc.text for doc in docs] == texts
    assert docs[0].cats == {"ASSERTED": 1.0, "SPECULATED": 0.0, "NEGATED": 0.0}


@pytest.mark.parametrize("line", [record(), [1], "no JSON", {"annotations": None}])
def test_file_that_is_not_phee_is_refused_with_the_line(tmp_path, line):
    text = "Rash after lithium."
    good = sentence(text, adverse(text, ["lithium"], ["Rash"]))
    path = write_lines(tmp_path / "x.jsonl", good, line)

    with pytest.raises(CorpusError, match="line 2.*not a sentence as PHEE has them"):
        convert_phee(path)


# The paper's labels


def test_paper_labels_name_the_ingredient_and_drop_the_others():
    text = "Melatonin and fish oil for sleep and gout."
    fish_oil = {"id": "T2", "start": 14, "end": 22, "label": "DS"}
    given = {
        "id": "x",
        "text": text,
        "entities": [
            {
                "id": "T1",
                "start": 0,
                "end": 9,
                "label": "DS",
                "ingredient": "melatonin",
            },
            {**fish_oil, "ingredient": "fish_oil"},
            {"id": "T3", "start": 27, "end": 32, "label": "EVENT"},
        ],
        "relations": [
            {"head": "T1", "tail": "T3", "label": "POSITIVE"},
            {"head": "T2", "tail": "T3", "label": "NOT_RELATED"},
        ],
        "usage": [
            {"entity": "T1", "label": "START"},
            {"entity": "T2", "label": "CONTINUE"},
        ],
        "source": "clinic b",
    }

    made = to_paper_labels(given, make_supplements_paper())

    assert [(e["id"], e["label"]) for e in made["entities"]] == [
        ("T1", "melatonin"),
        ("T3", "event"),
    ]
    assert made["relations"] == [{"head": "T1", "tail": "T3", "label": "POSITIVE"}]
    assert made["usage"] == [{"entity": "T1", "label": "START"}]
    assert (made["id"], made["text"], made["source"]) == ("x", text, "clinic b")


@pytest.mark.parametrize(
    "given",
    [
        {"id": "x", "text": "Nothing."},
        {"id": "x", "text": "Takes melatonin.", "entities": [DS]},
    ],
)
def test_paper_labels_of_a_record_with_little_in_it(given):
    made = to_paper_labels(given, make_supplements_paper())

    assert (made["entities"], made["relations"], made["usage"]) == ([], [], [])


def test_corpus_with_paper_labels_passes_their_check(tmp_path):
    paper = ("--schema", "supplements_paper")
    made = tmp_path / "paper.jsonl"

    converted = ramie(
        "convert", CORPUS / "dev.jsonl", made, "--form", "supplements", *paper
    )
    checked = ramie("check", made, *paper)

    assert (converted.exit_code, checked.exit_code) == (0, 0)
    labels = Counter(e["label"] for r in srsly.read_jsonl(made) for e in r["entities"])
    assert labels["event"] > 300
    assert len(labels) > 10


# The corpus that comes along


@pytest.fixture(scope="module")
def splits():
    return {
        name: read_records(CORPUS / f"{name}.jsonl", make_supplements())
        for name in SPLITS
    }


def without_blanks(text):
    return " ".join(text.lower().split())


def test_corpus_passes_the_check():
    result = ramie("check", *(CORPUS / f"{name}.jsonl" for name in SPLITS))

    assert result.exit_code == 0, result.output


def test_corpus_has_no_id_and_no_text_twice(splits):
    records = [record for split in splits.values() for record in split]

    assert len(records) >= 300
    assert len({record["id"] for record in records}) == len(records)
    assert len({without_blanks(r["text"]) for r in records}) == len(records)


def test_corpus_has_no_skeletons(splits):
    assert same_skeletons(r for split in splits.values() for r in split) == []


@pytest.mark.parametrize(("one", "other"), combinations(SPLITS, 2))
def test_no_record_of_a_split_is_nearly_one_of_another(splits, one, other):
    assert near_duplicates(splits[one], splits[other]) == []


def test_records_that_differ_in_their_entities_are_one_skeleton():
    other = {**record("c"), "text": "Takes magnesium for sleep."}

    assert same_skeletons([record(), other]) == [["b", "c"]]
    assert same_skeletons([record(), {**record("c"), "text": "Off melatonin."}]) == []


def test_check_warns_of_templates_and_leaks(tmp_path):
    """They are no error: whoever needs them shall know of them."""
    long = "Seen today for review of her knees, which are better. "
    train = {**record("a"), "text": record()["text"] + f" {long}"}
    leak = {**record("b"), "text": record()["text"] + f" {long}Sleeps."}
    fresh = record("c")

    result = ramie(
        "check",
        write_lines(tmp_path / "train.jsonl", train),
        write_lines(tmp_path / "test.jsonl", leak, fresh),
    )

    assert result.exit_code == 0
    shares = re.findall(r"record a: (\d+)% the same as record (\w)", said(result))
    assert [id for _, id in shares] == ["b"]
    assert int(shares[0][0]) > 80
    assert "but for their entities" not in said(result)


@pytest.mark.parametrize("name", SPLITS)
def test_every_split_has_every_label_and_records_without(splits, name):
    records = splits[name]
    labels = {
        item["label"]
        for record in records
        for kind in ("entities", "relations", "usage")
        for item in record[kind]
    }
    schema = make_supplements()

    assert labels == {*schema.entities, *schema.relations, *schema.usage}
    supplements = [sum(e["label"] == "DS" for e in r["entities"]) for r in records]
    assert 0.1 <= supplements.count(0) / len(records) <= 0.3
    assert any(not r["entities"] for r in records)
    assert any(r["entities"] and not r["relations"] for r in records)
    # Every mention of a supplement has a usage class.
    assert supplements == [len(r["usage"]) for r in records]


def test_test_split_has_ingredients_that_training_never_saw(splits):
    ingredients = {
        name: {
            e["ingredient"] for r in records for e in r["entities"] if "ingredient" in e
        }
        for name, records in splits.items()
    }

    assert len(ingredients["test"] - ingredients["train"] - ingredients["dev"]) >= 20


def test_table_of_the_corpus_readme_is_right(splits):
    rows = {
        cells[1].strip(): [int(c.replace(",", "")) for c in cells[2:-1]]
        for line in (CORPUS / "README.md").read_text().splitlines()
        if (cells := line.split("|"))[0] == ""
        and cells[1:2]
        and cells[1].strip() in SPLITS
    }

    for name, records in splits.items():
        counts = Counter(
            item["label"]
            for record in records
            for kind in ("entities", "relations", "usage")
            for item in record[kind]
        )
        without = sum(all(e["label"] != "DS" for e in r["entities"]) for r in records)
        schema = make_supplements()
        labels = (*schema.entities, *schema.relations, *schema.usage)
        assert rows[name] == [len(records), without, *(counts[x] for x in labels)]
