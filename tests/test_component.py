"""The component in a pipeline: what a note gets, from whom, and what it keeps."""

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from itertools import count, islice

import pytest
import spacy
import srsly
from conftest import NOTE, ScriptedEngine, answer_by_note
from negspacy.negation import Negex  # noqa: F401 # registers "negex"
from spacy.tokens import Doc, DocBin, Span
from thinc.api import Config

from spacy_ramie.corpus.docbin import read_docs
from spacy_ramie.corpus.items import make_items
from spacy_ramie.errors import ConfigError, ModelError
from spacy_ramie.types import Answer, Failure, Request

FIRST = NOTE.partition(" No")[0]

# The first sentence of NOTE, labelled; the ingredient has another name than the text.
TAUGHT = {
    "id": "bank-1",
    "text": FIRST,
    "entities": [
        {"id": "T1", "start": 8, "end": 17, "label": "DS", "ingredient": "melatonin"},
        {"id": "T2", "start": 31, "end": 39, "label": "EVENT"},
        {"id": "T3", "start": 41, "end": 47, "label": "DS", "ingredient": "g. biloba"},
    ],
    "relations": [{"head": "T1", "tail": "T2", "label": "POSITIVE"}],
    "usage": [{"entity": "T1", "label": "START"}],
    "doses": [{"entity": "T1", "dose": "3 mg"}],
}
OTHER = {"id": "bank-2", "text": "Nothing taken, nothing felt.", "entities": []}


@pytest.fixture
def bank(tmp_path):
    """A corpus of TAUGHT and a sentence that is not like it."""
    path = tmp_path / "bank.jsonl"
    srsly.write_jsonl(path, [TAUGHT, OTHER])
    return path


class CountingEngine(ScriptedEngine):
    """Answers by script and counts its calls."""

    calls = 0

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        self.calls += 1
        return super().run(requests)


def count_calls(nlp) -> CountingEngine:
    engine = CountingEngine(answer_by_note)
    nlp.get_pipe("ramie_extractor").extraction.engine = engine
    return engine


def labelled(spans) -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in spans]


def plain(record) -> object:
    """A record as JSON has it: DocBin turns lists into tuples."""
    return json.loads(json.dumps(record))


def answering(task: str, answer: Answer):
    """An engine's script that answers one task so and the others well."""
    return lambda request: answer if request.task == task else answer_by_note(request)


ALL = [
    ("melatonin", "DS"),
    ("insomnia", "EVENT"),
    ("ginkgo", "DS"),
    ("nosebleeds", "EVENT"),
    ("headache", "EVENT"),
]


# What a note gets


def test_entities_are_in_ents_and_spans(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    assert labelled(doc.ents) == ALL
    assert list(doc.spans["ramie"]) == list(doc.ents)
    assert [ent.id_ for ent in doc.ents] == ["T1", "T2", "T3", "T4", "T5"]
    assert [item["id"] for item in doc._.ramie["entities"]] == [
        ent.id_ for ent in doc.ents
    ]


def test_overlapping_entities_are_all_in_spans_and_the_longest_in_ents(scripted):
    said = "green tea\tsupplement\ngreen tea extract\tsupplement"
    nlp, _ = scripted(answering("ner", Answer(said)), spans_key="found")
    doc = nlp("Took green tea extract.")
    assert labelled(doc.ents) == [("green tea extract", "DS")]
    assert sorted(labelled(doc.spans["found"])) == [
        ("green tea", "DS"),
        ("green tea extract", "DS"),
    ]


def test_relations_are_between_spans_of_the_doc(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    pairs = [r for r in doc._.ramie_relations if r.source == "re"]
    found = {(r.head.text, r.tail.text): r.label for r in pairs}
    assert found == {
        ("melatonin", "insomnia"): "POSITIVE",
        ("melatonin", "nosebleeds"): "NOT_RELATED",
        ("ginkgo", "insomnia"): "NEGATIVE",
        ("ginkgo", "nosebleeds"): "NEGATIVE",
    }
    assert pairs[0].score == pytest.approx(0.9)
    ends = [end for r in doc._.ramie_relations for end in (r.head, r.tail)]
    assert all(end in doc.ents for end in ends)


def test_relations_of_a_span_are_those_it_is_an_end_of(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    found = {text: [] for text, _ in ALL}
    for ent in doc.ents:
        for relation in ent._.ramie_relations:
            if relation.source == "re":
                found[ent.text].append((relation.head.text, relation.tail.text))
    assert found["headache"] == []
    assert sorted(found["insomnia"]) == [
        ("ginkgo", "insomnia"),
        ("melatonin", "insomnia"),
    ]


def test_triples_are_texts(scripted):
    nlp, _ = scripted()
    assert nlp(NOTE)._.ramie_triples == [
        ("melatonin", "POSITIVE", "insomnia"),
        ("melatonin", "NOT_RELATED", "nosebleeds"),
        ("ginkgo", "NEGATIVE", "insomnia"),
        ("ginkgo", "NEGATIVE", "nosebleeds"),
    ]


def test_usage_is_that_of_the_mention(scripted):
    nlp, _ = scripted()
    usage = {ent.text: ent._.ramie_usage for ent in nlp(NOTE).ents}
    assert usage == {
        "melatonin": "START",
        "ginkgo": "DISCONTINUE",
        "insomnia": None,
        "nosebleeds": None,
        "headache": None,
    }


def test_cats_are_the_highest_probabilities_over_the_mentions(scripted):
    nlp, _ = scripted()
    rest = pytest.approx(0.1 / 3)
    assert nlp(NOTE).cats == {
        "START": pytest.approx(0.9),
        "DISCONTINUE": pytest.approx(0.9),
        "CONTINUE": rest,
        "UNCERTAIN": rest,
    }


@pytest.mark.parametrize("text", ["No headache.", ""])
def test_cats_have_every_class_without_a_mention(scripted, text):
    nlp, _ = scripted()
    classes = ("START", "DISCONTINUE", "CONTINUE", "UNCERTAIN")
    assert nlp(text).cats == dict.fromkeys(classes, 0.0)


def test_cats_of_an_engine_without_probabilities_are_zero_and_one(scripted):
    nlp, _ = scripted(answering("uc", Answer("start")))
    cats = nlp(NOTE).cats
    assert cats == {"START": 1.0, "DISCONTINUE": 0.0, "CONTINUE": 0.0, "UNCERTAIN": 0.0}


def test_score_is_the_probability_of_the_item_and_none_where_it_is_unknown(scripted):
    nlp, _ = scripted()
    scores = {ent.text: ent._.ramie_score for ent in nlp(NOTE).ents}
    # The script gives every character of "melatonin<TAB>supplement" e ** -0.01.
    assert scores["melatonin"] == pytest.approx(2.718281828**-0.20)
    assert scores["headache"] is None


def test_exemplars_behind_an_annotation_are_named(scripted, bank):
    retriever = {"@misc": "spacy_ramie.Retriever.v1", "key": "sentence"}
    nlp, engine = scripted(exemplars=bank, retriever=retriever)
    doc = nlp(NOTE)
    melatonin, insomnia, *_ = doc.ents
    assert insomnia._.ramie_exemplars == [{"id": "bank-1/0", "similarity": 1.0}]
    (ner,) = [r for r in engine.requests if r.task == "ner" and FIRST in r.parts[-1]]
    assert " melatonin\t supplement\n insomnia\t event\n ginkgo" in ner.parts[1]
    # One behind the entity, one behind its class.
    assert len(melatonin._.ramie_exemplars) == 2
    assert {e["similarity"] for e in melatonin._.ramie_exemplars} == {1.0}


def test_kb_id_is_the_ingredient_that_the_bank_knows(scripted, bank):
    nlp, _ = scripted(exemplars=bank)
    # The script says "ginkgo": found, and linked, in whatever case it stands.
    doc = nlp(NOTE.replace("ginkgo", "Ginkgo"))
    assert {ent.text: ent.kb_id_ for ent in doc.ents} == {
        "melatonin": "melatonin",
        "Ginkgo": "g. biloba",
        "insomnia": "",
        "nosebleeds": "",
        "headache": "",
    }


def test_a_note_keeps_its_own_segmentation(scripted):
    nlp, _ = scripted()
    assert not nlp(NOTE).has_annotation("SENT_START")


# Streams


TEXTS = [NOTE, "", "No headache.", "Nothing taken.", NOTE + " " + NOTE, "\n"]


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_pipe_gives_the_same_docs_in_order_with_the_same_records(
    scripted, bank, batch_size
):
    nlp, _ = scripted(exemplars=bank)
    expected = [nlp(text)._.ramie for text in TEXTS]
    docs = [nlp.make_doc(text) for text in TEXTS]
    out = list(nlp.pipe(docs, batch_size=batch_size))
    assert [id(doc) for doc in out] == [id(doc) for doc in docs]
    assert [doc._.ramie for doc in out] == expected


def test_pipe_keeps_contexts(scripted):
    nlp, _ = scripted()
    pairs = [(text, {"note": i}) for i, text in enumerate(TEXTS)]
    out = list(nlp.pipe(pairs, as_tuples=True, batch_size=2))
    assert [(doc.text, context) for doc, context in out] == pairs


def test_many_notes_reach_the_engine_in_two_calls(scripted):
    nlp, _ = scripted()
    engine = count_calls(nlp)
    docs = list(nlp.pipe([NOTE] * 50))
    assert engine.calls == 2
    assert len(engine.requests) == sum(doc._.ramie["requests"] for doc in docs) > 50


def test_a_window_bounds_what_is_read_ahead(scripted):
    nlp, _ = scripted(window=3)
    engine = count_calls(nlp)
    read = count()
    stream = (nlp.make_doc(NOTE) for _ in read)
    docs = list(islice(nlp.pipe(stream), 5))
    assert [labelled(doc.ents) for doc in docs] == [ALL] * 5
    # Sixty tokens, three sentences of twenty, are four of these notes.
    assert len(docs[0]) * 3 < 60 <= len(docs[0]) * 4
    assert next(read) == 8
    assert engine.calls == 4


# Other components


def ruled(nlp, patterns, *, sentences: bool = False):
    """Put an entity ruler, and a sentenciser, before the component."""
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in patterns])
    if sentences:
        nlp.add_pipe("sentencizer", first=True)


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


# Tasks


@pytest.mark.parametrize("task", ["ner", "re", "te", "uc"])
def test_a_task_that_is_switched_off_is_not_asked(scripted, task):
    nlp, engine = scripted(tasks={task: None})
    doc = nlp(NOTE)
    asked = {request.task for request in engine.requests}
    # Without NER the ends of triples are the entities.
    assert asked == {"ner", "re", "te", "uc"} - {task}
    assert bool(doc.cats) is (task != "uc")


DOSE = """
import spacy

from spacy_ramie.styles.shown import show
from spacy_ramie.tasks.base import in_unit, local
from spacy_ramie.types import Annotations, Failure, Question


class DoseTask:
    name = "dose"
    wave = 2
    labels = ()

    def __init__(self, style):
        self.style = style

    def instruction(self):
        return "Copy the dose of the [[mention]]."

    def questions(self, unit, entities):
        return [self.question(unit, e) for e in entities if in_unit(unit, e)]

    def question(self, unit, entity):
        place = local(unit, entity)
        asked = self.style.ask_mention(show(unit.text), place, "dose")
        return Question(self.name, unit, asked, (entity,))

    def gold(self, question, known):
        doses = {item["entity"]: item["dose"] for item in known.values.get("doses", ())}
        return doses.get(question.about[0])

    def read(self, question, answer):
        if answer.text not in question.unit.text:
            failure = Failure("ungrounded", "no such dose", answer.text)
            return Annotations(failures=(failure,))
        (entity,) = question.about
        dose = {"start": entity.start, "end": entity.end, "dose": answer.text}
        return Annotations(values={"doses": (dose,)})


@spacy.registry.misc("clinic.Dose.v1")
def make_dose():
    return lambda schema, style: DoseTask(style)
"""
DOSE_CONFIG = """
[nlp]
lang = "en"
pipeline = ["ramie_extractor"]

[components]

[components.ramie_extractor]
factory = "ramie_extractor"

[components.ramie_extractor.tasks]

[components.ramie_extractor.tasks.dose]
@misc = "clinic.Dose.v1"
"""


@pytest.fixture
def with_dose(tmp_path, bank):
    """A pipeline with a fifth task, written in a user's file."""
    path = tmp_path / "clinic_dose.py"
    path.write_text(DOSE)
    spacy.util.import_file("clinic_dose", path)
    config = Config().from_str(DOSE_CONFIG)
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(bank))
    return nlp, component


def test_a_task_of_a_user_is_asked_and_read(with_dose):
    nlp, component = with_dose

    def answer(request: Request) -> Answer:
        if request.task != "dose":
            return answer_by_note(request)
        return Answer("3 mg" if "[[ melatonin ]]" in request.parts[-1] else "9 g")

    component.extraction.engine = engine = ScriptedEngine(answer)
    record = nlp(NOTE)._.ramie
    assert record["values"] == {"doses": [{"start": 8, "end": 17, "dose": "3 mg"}]}
    asked = [request for request in engine.requests if request.task == "dose"]
    assert len(asked) == len(ALL)
    assert asked[0].parts[0] == (
        "### Instruction:\nCopy the dose of the [[mention]].\n\n"
    )
    kinds = [(f["task"], f["kind"]) for f in record["failures"]]
    assert kinds == [("dose", "ungrounded")] * 4


def test_a_task_of_a_user_has_training_items_and_exemplars(with_dose, bank):
    nlp, component = with_dose
    docs = read_docs(bank, nlp, component.schema)
    items = make_items(docs, list(component.extraction.tasks.values()))
    (item,) = [item for item in items if item.question.task == "dose"]
    assert item.completion == "3 mg"
    assert "[[ melatonin ]]" in item.question.input

    component.extraction.engine = engine = ScriptedEngine(answer_by_note)
    nlp(NOTE)
    asked = [request for request in engine.requests if request.task == "dose"]
    expected = component.extraction.style.example_part(item.question.input, "3 mg")
    assert {request.parts[1] for request in asked} == {expected}


# Failures


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


# What a record survives


def through_docbin(doc: Doc) -> Doc:
    docbin = DocBin(docs=[doc], store_user_data=True)
    (found,) = DocBin().from_bytes(docbin.to_bytes()).get_docs(doc.vocab)
    return found


def through_json(doc: Doc) -> Doc:
    text = json.dumps(doc.to_json(underscore=["ramie"]))
    return Doc(doc.vocab).from_json(json.loads(text))


def through_bytes(doc: Doc) -> Doc:
    return Doc(doc.vocab).from_bytes(doc.to_bytes())


def through_pickle(doc: Doc) -> Doc:
    return pickle.loads(pickle.dumps(doc))


def retokenized(doc: Doc) -> Doc:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:5])  # 3 mg qhs
        retokenizer.split(doc[1], ["mela", "tonin"], heads=[doc[1], doc[1]])
    return doc


@pytest.mark.parametrize(
    "carry",
    [
        through_docbin,
        through_json,
        through_bytes,
        through_pickle,
        Doc.copy,
        retokenized,
    ],
)
def test_a_record_survives(scripted, bank, carry):
    nlp, _ = scripted(exemplars=bank)
    doc = nlp(NOTE)
    expected = plain(doc._.ramie)
    pairs = [(r.head.text, r.label, r.tail.text) for r in doc._.ramie_relations]
    triples = doc._.ramie_triples

    carried = carry(doc)

    assert plain(carried._.ramie) == expected
    relations = carried._.ramie_relations
    assert [(r.head.text, r.label, r.tail.text) for r in relations] == pairs
    assert all(r.head.doc is carried for r in relations)
    assert carried._.ramie_triples == triples
    melatonin = carried.char_span(8, 17, label="DS", alignment_mode="expand")
    assert melatonin._.ramie_usage == "START"
    assert melatonin._.ramie_score == pytest.approx(2.718281828**-0.20)
    insomnia = carried.char_span(31, 39, label="EVENT", alignment_mode="expand")
    assert [r.head.text for r in insomnia._.ramie_relations if r.source == "re"] == [
        melatonin.text,
        "ginkgo",
    ]


def test_views_find_a_mention_that_was_merged_into_a_longer_token(scripted):
    nlp, _ = scripted()
    doc = nlp(NOTE)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:5])
    mention = doc.char_span(8, 17, label="DS", alignment_mode="expand")
    assert mention.text == "melatonin 3 mg qhs"
    assert mention._.ramie_usage == "START"
    assert mention._.ramie_score == pytest.approx(2.718281828**-0.20)


# What is imported and loaded, and when


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, spacy_ramie; print({'torch', 'spacy'} & set(sys.modules))"
    assert run_python(code) == "set()"


WITHOUT_TORCH = """
import sys
from importlib.metadata import distribution

import catalogue

# spaCy itself imports torch where it can, and other packages' entry points do.
sys.modules["torch"] = None
catalogue.AVAILABLE_ENTRY_POINTS = distribution("spacy-ramie").entry_points

import spacy

nlp = spacy.blank("en")
nlp.add_pipe("ramie_extractor")
for entry_point in distribution("spacy-ramie").entry_points:
    entry_point.load()
heavy = {"transformers", "peft", "sentence_transformers", "llguidance", "sklearn"}
print(heavy & set(sys.modules))
"""


def test_a_pipeline_is_made_without_torch():
    assert run_python(WITHOUT_TORCH) == "set()"


def test_the_model_is_loaded_on_the_first_note_that_asks_something(make_nlp):
    nlp = make_nlp(engine={"base": "no/such/folder"})
    assert nlp(" ")._.ramie["requests"] == 0
    with pytest.raises(ModelError, match=r"R202.*no/such/folder"):
        nlp("Took zinc.")
