"""A failure is recorded where it happened, and costs no other note anything."""

from collections.abc import Sequence

import pytest
from conftest import NOTE, ScriptedEngine, answer_by_note
from known_note import FIRST, answering, labelled, ruled

from spacy_ramie.types import Answer, Failure, Request


def error(kind: str) -> Answer:
    return Answer(error=Failure(kind, "said the engine"))


@pytest.mark.parametrize(
    ("task", "answer", "kind"),
    [
        pytest.param("ner", Answer("melatonin"), "unparsable", id="no label"),
        pytest.param("ner", Answer(""), "unparsable", id="nothing said"),
        pytest.param("ner", Answer("zinc\tmetal"), "unparsable", id="foreign label"),
        pytest.param("te", Answer("zinc\tpositive"), "unparsable", id="no tail"),
        pytest.param("re", Answer("perhaps"), "unparsable", id="foreign relation"),
        pytest.param("uc", Answer("perhaps"), "unparsable", id="foreign class"),
        pytest.param("ner", Answer("mel", truncated=True), "truncated", id="cut off"),
        pytest.param("te", Answer("mel", truncated=True), "truncated", id="cut triple"),
        pytest.param("uc", Answer("sta", truncated=True), "truncated", id="cut class"),
        pytest.param("ner", Answer("zinc\tevent"), "ungrounded", id="foreign text"),
        pytest.param(
            "te", Answer("zinc\tpositive\tinsomnia"), "ungrounded", id="foreign head"
        ),
        pytest.param("re", error("engine_error"), "engine_error", id="engine"),
    ],
)
def test_a_failure_is_recorded_where_it_happened(scripted, task, answer, kind):
    nlp, engine = scripted(answering(task, answer))
    doc = nlp(FIRST)
    failures = doc._.ramie["failures"]
    assert len(failures) == sum(request.task == task for request in engine.requests)
    for failure in failures:
        assert (failure["task"], failure["kind"]) == (task, kind)
        assert doc.text[failure["start"] : failure["end"]] == FIRST
        assert failure["answer"] == answer.text
        assert failure["message"]


def test_complete_items_of_a_cut_off_answer_are_kept(scripted):
    said = "melatonin\tsupplement\ninsomnia\tev"
    script = answering("ner", Answer(said, truncated=True))
    nlp, _ = scripted(script, entities="ner")
    doc = nlp(FIRST)
    assert labelled(doc.ents) == [("melatonin", "DS")]
    assert [f["kind"] for f in doc._.ramie["failures"]] == ["truncated"]


def test_no_entities_is_no_failure(scripted):
    nlp, _ = scripted(lambda request: Answer("None"))
    record = nlp(FIRST)._.ramie
    assert (record["requests"], record["entities"], record["failures"]) == (2, [], [])


class Breaks(ScriptedEngine):
    """Breaks down over any batch that a certain note is part of."""

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        if any("poison" in request.parts[-1] for request in requests):
            raise RuntimeError("boom")
        return super().run(requests)


def test_an_engine_that_breaks_down_over_a_note_costs_that_note_alone(scripted):
    nlp, _ = scripted()
    expected = nlp(NOTE)._.ramie
    nlp.get_pipe("ramie_extractor").extraction.engine = Breaks(answer_by_note)
    texts = [NOTE, "Took poison. Well.", NOTE]
    first, broken, last = nlp.pipe(texts)
    assert first._.ramie == last._.ramie == expected
    (failure,) = broken._.ramie["failures"]
    assert failure["kind"] == "engine_error"
    assert failure["message"] == "RuntimeError: boom"
    assert (failure["start"], failure["end"]) == (0, len(texts[1]))
    assert (labelled(broken.ents), set(broken.cats.values())) == ([], {0.0})


@pytest.mark.parametrize("entities", ["predict", "doc"])
def test_a_note_that_fails_keeps_the_entities_of_earlier_components(scripted, entities):
    nlp, _ = scripted(entities=entities)
    ruled(nlp, [("poison", "EVENT")])
    nlp.get_pipe("ramie_extractor").extraction.engine = Breaks(answer_by_note)
    doc = nlp("Took poison.")
    assert labelled(doc.ents) == [("poison", "EVENT")]
    given = labelled(doc.spans["ramie"])
    assert given == ([] if entities == "predict" else [("poison", "EVENT")])
    assert [f["kind"] for f in doc._.ramie["failures"]] == ["engine_error"]


def test_no_text_of_a_note_is_logged_above_debug(scripted, caplog):
    class Quotes(ScriptedEngine):
        def run(self, requests):
            raise ValueError(f"cannot read {requests[0].parts[-1]}")

    nlp, _ = scripted()
    nlp.get_pipe("ramie_extractor").extraction.engine = Quotes(answer_by_note)
    with caplog.at_level("INFO"):
        nlp("Seen by Elm.")
    assert "ValueError" in caplog.text
    assert "Elm" not in caplog.text
