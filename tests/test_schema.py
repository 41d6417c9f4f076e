"""Labels are checked before anything is asked with them."""

import pytest
import spacy

from spacy_ramie.errors import ConfigError
from spacy_ramie.schema import SCHEMAS, make_schema, make_supplements, read_schema

GOOD = {
    "name": "mine",
    "entities": {"DS": "supplement", "EVENT": "event"},
    "relations": {"POSITIVE": "positive", "NEGATIVE": "negative"},
    "usage": {"START": "start", "STOP": "stop"},
    "heads": ["DS"],
    "tails": ["EVENT"],
    "usage_of": ["DS"],
}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param({"entities": {}}, "no entity label", id="no entities"),
        pytest.param(
            {"entities": {"DS": "it", "EVENT": "it"}},
            "two labels of 'entities' share a wording",
            id="entities alike",
        ),
        pytest.param(
            {"relations": {"A": "it", "B": "it"}},
            "two labels of 'relations' share a wording",
            id="relations alike",
        ),
        pytest.param(
            {"usage": {"A": "it", "B": "it"}},
            "two labels of 'usage' share a wording",
            id="classes alike",
        ),
        pytest.param(
            {"relations": {"A": ""}}, "the wording '' of A is empty", id="empty wording"
        ),
        pytest.param(
            {"usage": {"A": "a\tb"}}, r"the wording 'a\\tb' of A", id="tab in a wording"
        ),
        pytest.param(
            {"relations": {"A": "a\nb"}}, r"the wording 'a\\nb' of A", id="line break"
        ),
        pytest.param(
            {"relations": {"A": "a\rb"}}, r"the wording 'a\\rb' of A", id="CR"
        ),
        pytest.param(
            {"usage": {"A": " a"}}, "the wording ' a' of A", id="blank at the edge"
        ),
        pytest.param(
            {"entities": {"DS": "None", "EVENT": "event"}},
            "the wording 'None' of DS",
            id="None as a wording",
        ),
        pytest.param(
            {"heads": ["DRUG"]}, "'DRUG' of 'heads' is not among", id="unknown head"
        ),
        pytest.param(
            {"tails": ["DRUG"]}, "'DRUG' of 'tails' is not among", id="unknown tail"
        ),
        pytest.param(
            {"usage_of": ["DRUG"]}, "'DRUG' of 'usage_of' is not among", id="unknown"
        ),
    ],
)
def test_a_schema_that_cannot_work_is_refused(changed, problem):
    with pytest.raises(ConfigError, match=rf"\[R001\] Schema 'mine': .*{problem}"):
        make_schema(**{**GOOD, **changed})


def test_a_good_schema_knows_what_can_relate():
    schema = make_schema(**GOOD)
    pairs = [(a, b) for a in GOOD["entities"] for b in GOOD["entities"]]
    assert [pair for pair in pairs if schema.can_relate(*pair)] == [("DS", "EVENT")]
    assert schema.usage_name == "usage"


@pytest.mark.parametrize(
    ("function", "entities", "relations", "usage", "usage_name"),
    [
        (
            "Supplements",
            ["DS", "EVENT"],
            ["POSITIVE", "NEGATIVE", "NOT_RELATED"],
            ["CONTINUE", "DISCONTINUE", "START", "UNCERTAIN"],
            "usage",
        ),
        (
            "SupplementsPaper",
            [
                "event",
                "folic_acid",
                "milk_thistle",
                "ginger",
                "chamomile",
                "garlic",
                "black_cohosh",
                "ginkgo",
                "lavender",
                "melatonin",
                "cranberry",
                "ginseng",
                "glucosamine",
                "dandelion",
                "saw_palmetto",
                "green_tea",
            ],
            ["NEGATIVE", "NOT_RELATED", "POSITIVE"],
            ["CONTINUE", "DISCONTINUE", "UNCERTAIN", "START"],
            "usage",
        ),
        (
            "PHEE",
            ["DRUG", "EVENT"],
            ["POSITIVE", "NEGATIVE", "NOT_RELATED"],
            ["ASSERTED", "SPECULATED", "NEGATED"],
            "assertion",
        ),
    ],
)
def test_packaged_schemas(function, entities, relations, usage, usage_name):
    schema = spacy.registry.misc.get(f"spacy_ramie.{function}.v1")()
    assert list(schema.entities) == entities
    assert list(schema.relations) == relations
    assert list(schema.usage) == usage
    assert schema.usage_name == usage_name
    assert (
        set(schema.heads) == set(schema.usage_of) == set(entities) - set(schema.tails)
    )


def test_a_file_of_the_user_is_read_like_a_packaged_one(tmp_path):
    text = (SCHEMAS / "supplements.cfg").read_text(encoding="utf8")
    path = tmp_path / "mine.cfg"
    path.write_text(
        text.replace('"supplement"', '"Nahrungsergänzung"'), encoding="utf8"
    )
    schema = read_schema(path)
    assert schema.entities == {"DS": "Nahrungsergänzung", "EVENT": "event"}
    assert schema.relations == make_supplements().relations


def test_a_file_without_a_schema_says_so(tmp_path):
    path = tmp_path / "other.cfg"
    path.write_text("[training]\nseed = 1\n", encoding="utf8")
    with pytest.raises(ConfigError, match=r"\[R006\].*other\.cfg.*\[schema\]"):
        read_schema(path)


def test_tasks_without_labels_in_the_schema_are_off():
    """With none to choose from, a model could say anything."""
    labels = {"name": "ents", "entities": {"DS": "supplement"}, "relations": {}}
    labels |= {"usage": {}, "heads": [], "tails": [], "usage_of": []}
    schema = {"@misc": "spacy_ramie.Schema.v1", **labels}

    component = spacy.blank("en").add_pipe("ramie_extractor", config={"schema": schema})

    assert list(component.label_data) == ["ner"]
