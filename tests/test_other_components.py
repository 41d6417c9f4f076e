"""What other components found is kept or asked about, and nobody's names are taken."""

import pytest
from conftest import NOTE, ScriptedEngine
from known_note import ALL, labelled, ruled
from negspacy.negation import Negex  # noqa: F401 # registers "negex"
from spacy.tokens import Doc, Span

from spacy_ramie.errors import ConfigError
from spacy_ramie.types import Answer


def test_entities_set_before_are_overwritten(scripted):
    nlp, _ = scripted()
    ruled(nlp, [("qhs", "FREQUENCY"), ("for insomnia", "REASON")])
    assert labelled(nlp(NOTE).ents) == ALL


def test_entities_set_before_are_kept_and_added_to(scripted):
    nlp, _ = scripted(overwrite_ents=False)
    ruled(nlp, [("qhs", "FREQUENCY"), ("for insomnia", "REASON")])
    doc = nlp(NOTE)
    assert labelled(doc.ents) == [
        ("melatonin", "DS"),
        ("qhs", "FREQUENCY"),
        ("for insomnia", "REASON"),
        *ALL[2:],
    ]
    assert labelled(doc.spans["ramie"]) == ALL


@pytest.fixture
def given(scripted):
    """A pipeline whose entities an entity ruler finds, one of no label of ours."""
    nlp, engine = scripted(entities="doc")
    patterns = [("melatonin", "DS"), ("insomnia", "EVENT"), ("qhs", "FREQUENCY")]
    ruled(nlp, patterns, sentences=True)
    return nlp, engine


def test_entities_of_the_doc_are_asked_about_and_left_alone(given):
    nlp, engine = given
    doc = nlp(NOTE)
    assert {request.task for request in engine.requests} == {"re", "te", "uc"}
    assert labelled(doc.ents) == [
        ("melatonin", "DS"),
        ("qhs", "FREQUENCY"),
        ("insomnia", "EVENT"),
    ]
    assert labelled(doc.spans["ramie"]) == ALL[:2]
    (relation,) = [r for r in doc._.ramie_relations if r.source == "re"]
    assert [relation.head, relation.tail] == list(doc.spans["ramie"])
    assert doc.ents[0]._.ramie_usage == "START"


def test_an_entity_of_the_doc_that_crosses_a_sentence_border_is_a_failure(given):
    nlp, engine = given
    nlp.get_pipe("entity_ruler").add_patterns([{"label": "DS", "pattern": "oil. Fish"}])
    doc = nlp("Fish oil. Fish is fine.")
    (failure,) = doc._.ramie["failures"]
    assert doc.text[failure["start"] : failure["end"]] == "oil. Fish"
    assert (failure["kind"], failure["task"]) == ("unasked", "")
    assert labelled(doc.spans["ramie"]) == labelled(doc.ents) == [("oil. Fish", "DS")]
    assert {request.task for request in engine.requests} == {"te"}


def test_negspacy_negates_our_entities(scripted):
    nlp, _ = scripted()
    nlp.add_pipe("sentencizer", first=True)
    nlp.add_pipe("negex", config={"ent_types": ["EVENT"]})
    negated = {ent.text: ent._.negex for ent in nlp(NOTE).ents}
    assert negated["headache"] is True
    assert negated["insomnia"] is False


RENAMED = {
    "record": "second",
    "relations": "second_relations",
    "triples": "second_triples",
    "usage": "second_usage",
    "score": "second_score",
    "exemplars": "second_exemplars",
}


def test_two_components_with_other_names_do_not_meet(scripted):
    nlp, _ = scripted()
    config = {"attrs": RENAMED, "spans_key": "second", "overwrite_ents": False}
    second = nlp.add_pipe("ramie_extractor", name="second", config=config)
    said = {"ner": Answer("headache\tsupplement"), "uc": Answer("continue")}
    second.extraction.engine = ScriptedEngine(
        lambda r: said.get(r.task, Answer("None"))
    )
    doc = nlp("No headache.")
    assert labelled(doc.spans["ramie"]) == [("headache", "EVENT")]
    assert labelled(doc.spans["second"]) == [("headache", "DS")]
    assert doc._.ramie["usage"] == []
    headache = doc.spans["second"][0]
    assert (headache._.ramie_usage, headache._.second_usage) == (None, "CONTINUE")


def test_classes_that_an_earlier_component_found_stay(scripted):
    nlp, _ = scripted()
    config = {"attrs": RENAMED, "spans_key": "second", "overwrite_ents": False}
    second = nlp.add_pipe("ramie_extractor", name="second", config=config)
    second.extraction.engine = ScriptedEngine(lambda request: Answer("None"))
    assert nlp(NOTE).cats["START"] == pytest.approx(0.9)


def test_entities_set_before_are_kept_where_none_are_asked_for(scripted):
    nlp, _ = scripted(tasks={"ner": None, "te": None})
    ruled(nlp, [("qhs", "FREQUENCY")])
    assert labelled(nlp(NOTE).ents) == [("qhs", "FREQUENCY")]


@pytest.fixture
def foreign():
    """Extensions of somebody else, on docs and on spans."""
    Doc.set_extension("foreign", default="theirs")
    Span.set_extension("foreign", default="theirs")
    yield {owner: owner.get_extension("foreign") for owner in (Doc, Span)}
    Doc.remove_extension("foreign")
    Span.remove_extension("foreign")


@pytest.mark.parametrize("key", RENAMED)
def test_an_extension_of_somebody_else_is_refused_and_left_alone(
    make_nlp, foreign, key
):
    with pytest.raises(ConfigError, match=rf"R003.*_\.foreign.*\"{key}\""):
        make_nlp(attrs={**RENAMED, key: "foreign"})
    found = {owner: owner.get_extension("foreign") for owner in (Doc, Span)}
    assert found == foreign


def test_an_unknown_attribute_is_refused(make_nlp):
    with pytest.raises(ConfigError, match=r"R002.*attrs.*'relation'"):
        make_nlp(attrs={"relation": "x"})
