"""PHEE as published becomes records: what a drug causes, treats, or is said not to."""

import pytest
import spacy
from command_line import ramie
from good_record import record, write_lines

from spacy_ramie.corpus.docbin import read_docs
from spacy_ramie.corpus.phee import convert_phee, convert_sentence
from spacy_ramie.errors import CorpusError
from spacy_ramie.schema import make_phee


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
