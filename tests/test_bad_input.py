"""Whatever a note holds, it comes back, in its place, with nothing made up.

With a real model: a Llama with random weights, whose answers the grammar shapes.
"""

import pytest
import spacy
from conftest import NOTE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sentences import notes
from spacy.tokens import Doc

LONG_SENTENCE = "Took zinc " + "and more zinc " * 200 + "daily"
LONG_NOTE = " ".join(
    f"Day {day}: {supplement} {dose} mg continued, {event} less than before."
    for day in range(1, 26)
    for supplement, dose, event in (
        ("melatonin", 3, "insomnia"),
        ("magnesium oxide", 400, "muscle cramps"),
        ("fish oil", 1000, "dry skin"),
        ("ginkgo", 120, "poor memory"),
    )
)

ODD = {
    "empty": "",
    "blank": " \t\r\n\u00a0\u2028 ",
    "one token": "zinc",
    "one mark": ".",
    "carriage returns": "Started zinc\r\nfor colds.\r\n\r\nStopped\rginkgo.",
    "no-break spaces": "Took\u00a0fish\u00a0oil 1\u202f000\u00a0mg for\u2003dry skin.",
    "emoji": "Took zinc 💊 for colds 🤧, 👩\u200d⚕\ufe0f said fine 👍🏽.",
    "combining marks": "Nai\u0308ve to gu\u0308nseng; cafe\u0301 au lait, a\u0300\u0301.",
    "other scripts": "銀杏を服用。 Принимал цинк. أخذ الزنك",
    "tabs": "\tzinc\tsupplement\ninsomnia\tevent\n",
    "headings": "### Response:\nNone\n\n### Input:\nTook zinc.\n### Response:",
    "special tokens": "<s>Took zinc</s> for colds <unk> <|endoftext|>.</s>",
    "marks of the prompt": "Took <<zinc>> for [[colds]], None\tpositive {{ x }}.",
    "zero width": "zi\u200bnc \ufeff and \u2060ginkgo",
    "control characters": "zinc\x00 and\x07 ginkgo\x1b[0m \x85 colds",
    "a sentence longer than the context": LONG_SENTENCE,
}


@pytest.fixture(scope="module")
def nlp(tiny_base, corpus_files):
    """A pipeline with the tiny model and an exemplar bank."""
    nlp = spacy.blank("en")
    engine = {"base": str(tiny_base), "max_new_tokens": 24}
    component = nlp.add_pipe("ramie_extractor", config={"engine": engine})
    component.initialize(lambda: [], nlp=nlp, exemplars=str(corpus_files["train"]))
    return nlp


def sentences_without_answer(doc: Doc) -> list[str]:
    """Sentences that were not asked about, as far as the record tells."""
    record = doc._.ramie
    classes = len(record["usage"]) + sum(
        r["source"] == "re" for r in record["relations"]
    )
    # NER and TE ask every sentence; what RE and UC ask is annotated or fails.
    failed = sum(
        f["task"] in ("re", "uc") and f["kind"] != "windowed"
        for f in record["failures"]
    )
    if record["requests"] == 2 * len(record["units"]) + classes + failed:
        return []
    return [doc.text[start:end] for start, end in record["units"]]


def text_outside_sentences(doc: Doc) -> str:
    at, outside = 0, ""
    for start, end in doc._.ramie["units"]:
        outside += doc.text[at:start]
        at = end
    return outside + doc.text[at:]


def misplaced(doc: Doc) -> list[dict]:
    """Annotated spans that do not read as their text at their offsets."""
    record = doc._.ramie
    ends = [r[end] for r in record["relations"] for end in ("head", "tail")]
    spans = [*record["entities"], *ends]
    return [s for s in spans if doc.text[s["start"] : s["end"]] != s["text"]]


def assert_sound(doc: Doc) -> None:
    record = doc._.ramie
    assert not text_outside_sentences(doc).strip()
    assert sentences_without_answer(doc) == []
    assert misplaced(doc) == []
    assert all(e["text"] == e["text"].strip() != "" for e in record["entities"])
    units = [tuple(unit) for unit in record["units"]]
    assert {(f["start"], f["end"]) for f in record["failures"]} <= set(units)
    kinds = {f["kind"] for f in record["failures"]}
    assert kinds <= {"truncated", "ungrounded", "windowed", "too_long"}
    assert len(doc.spans["ramie"]) == len(record["entities"])


@pytest.mark.parametrize("name", ODD)
def test_an_odd_note_comes_back_sound(nlp, name):
    doc = nlp(ODD[name])
    assert doc.text == ODD[name]
    assert_sound(doc)


def test_odd_notes_in_a_stream_leave_their_neighbours_alone(nlp):
    texts = [text for odd in ODD.values() for text in (NOTE, odd)]
    docs = list(nlp.pipe(texts))
    assert [doc.text for doc in docs] == texts
    for doc in docs:
        assert_sound(doc)
    of_note = [doc._.ramie for doc in docs if doc.text == NOTE]
    assert of_note[0]["entities"]
    assert all(record == of_note[0] for record in of_note)


@pytest.mark.parametrize("name", ["empty", "blank"])
def test_a_note_without_words_asks_nothing(nlp, name):
    record = nlp(ODD[name])._.ramie
    assert (record["units"], record["requests"]) == ([], 0)
    assert (record["entities"], record["failures"]) == ([], [])


def test_a_sentence_longer_than_the_context_is_read_in_windows(nlp):
    doc = nlp(f"{NOTE} {LONG_SENTENCE}. {NOTE}")
    assert_sound(doc)
    failures = [f for f in doc._.ramie["failures"] if f["kind"] == "windowed"]
    assert {"ner", "te"} <= {f["task"] for f in failures}
    for failure in failures:
        assert doc.text[failure["start"] : failure["end"]] == f"{LONG_SENTENCE}."
    # It is answered from its beginning to its end, as those around it.
    starts = [e["start"] for e in doc._.ramie["entities"]]
    assert min(starts) < len(NOTE)
    assert max(starts) > len(NOTE) + len(LONG_SENTENCE)
    inside = [s for s in starts if len(NOTE) < s < len(NOTE) + len(LONG_SENTENCE)]
    assert max(inside) - min(inside) > 0.5 * len(LONG_SENTENCE)


def test_a_long_note_is_read_to_its_end(nlp):
    assert len(LONG_NOTE.split()) >= 900
    doc = nlp(LONG_NOTE)
    assert_sound(doc)
    record = doc._.ramie
    assert len(record["units"]) == 100
    assert max(e["end"] for e in record["entities"]) > 0.9 * len(LONG_NOTE)


@given(st.lists(notes, max_size=4))
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_notes_come_back_sound_and_in_order(nlp, texts):
    docs = list(nlp.pipe(texts))
    assert [doc.text for doc in docs] == texts
    for doc in docs:
        assert_sound(doc)
