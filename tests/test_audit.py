"""Leaks are found: between corpora, from exemplars, and in what is searched with."""

import numpy
import pytest
import spacy
import srsly
from conftest import ScriptedEngine
from spacy.training import Example
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.docbin import read_docs
from spacy_ramie.corpus.items import make_items
from spacy_ramie.retrieval.retriever import Retriever, with_answer
from spacy_ramie.scoring.asked import about, ask, ask_as_released
from spacy_ramie.scoring.audit import check_exemplars, check_queries, tells
from spacy_ramie.types import Answer

BLANK = spacy.blank("en")
EVENTS = ("rash", "cough", "fever", "nausea", "edema", "cramps")
RELATIONS = ("POSITIVE", "NEGATIVE", "NOT_RELATED")
CLASSES = ("CONTINUE", "DISCONTINUE", "START")


def record(id, text, event, turn):
    """A note of one supplement and one event, whose words do not tell the labels."""
    start, end = text.index("garlic"), text.index(event)
    entities = [
        {"id": "T1", "start": start, "end": start + len("garlic"), "label": "DS"},
        {"id": "T2", "start": end, "end": end + len(event), "label": "EVENT"},
    ]
    return {
        "id": id,
        "text": text,
        "entities": entities,
        "relations": [{"head": "T1", "tail": "T2", "label": RELATIONS[turn % 3]}],
        "usage": [{"entity": "T1", "label": CLASSES[turn % 3]}],
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Exemplars, of each event with each label, and as many notes to ask about."""
    folder = tmp_path_factory.mktemp("audit")
    cases = [(event, turn) for event in EVENTS for turn in range(3)]
    train = [
        record(f"n{i}", f"The patient has had garlic and {e} in {2000 + i}.", e, turn)
        for i, (e, turn) in enumerate(cases)
    ]
    test = [
        record(f"t{i}", f"Both garlic and {e} again, visit {i}, unchanged.", e, turn)
        for i, (e, turn) in enumerate(cases)
    ]
    dev = record("d", "On day one some garlic; a wholly new headache.", "headache", 0)
    copied = {**train[4], "id": "copied"}
    splits = {"train": train, "test": test, "dev": [dev], "copied": [*test, copied]}
    for name, members in splits.items():
        srsly.write_jsonl(folder / f"{name}.jsonl", members)
    return {name: folder / f"{name}.jsonl" for name in splits}


def make_pipeline(files, tiny_base, index):
    """A pipeline with real retrieval; the model is left out."""
    nlp = spacy.blank("en")
    retriever = {
        "@misc": "spacy_ramie.Retriever.v1",
        "encoder": {"@misc": "spacy_ramie.HashingEncoder.v1"},
        "index": {"@misc": f"spacy_ramie.{index}Index.v1"},
    }
    config = {"engine": {"base": str(tiny_base)}, "retriever": retriever}
    component = nlp.add_pipe("ramie_extractor", config=config)
    component.initialize(lambda: [], nlp=nlp, exemplars=str(files["train"]))
    return nlp, component


@pytest.fixture(scope="module", params=["Annoy", "Exact"])
def pipeline(request, files, tiny_base):
    return make_pipeline(files, tiny_base, request.param)


class LeakyRetriever(Retriever):
    """Searches as the paper's released code does: it has been told the answers.

    honest (Retriever): The retriever whose bank it searches.
    answers (dict): Task and sentence to the gold answer.
    """

    def __init__(self, honest, answers):
        super().__init__(honest.encoder, honest.make_index, honest.k, honest.key)
        self.banks, self.answers = honest.banks, answers
        self.sentences = []

    def embed(self, sentences):
        """Wait for the task: a number for each sentence in place of a vector."""
        self.sentences += [sentence.text for sentence in sentences]
        first = len(self.sentences) - len(sentences)
        return {s.text: numpy.array(first + i) for i, s in enumerate(sentences)}

    def search(self, task, vectors, *, but=None):
        texts = [self.sentences[int(number)] for number in vectors]
        queries = [with_answer(t, self.answers.get((task, t), "")) for t in texts]
        spans = [BLANK.make_doc(query)[:] for query in queries]
        return super().search(task, [*self.encoder.queries(spans)] if spans else [])


def leaky(nlp, component, docs):
    tasks = [*component.extraction.tasks.values()]
    answers = {
        (item.question.task, item.question.unit.text): item.completion
        for item in make_items(component.prepare(docs, nlp), tasks)
    }
    return LeakyRetriever(component.extraction.retriever, answers)


def copy_answer(request):
    """Answer as the exemplar does."""
    _, exemplar, _ = request.parts
    copied = exemplar.split("Response:\n")[1].rstrip("\n")
    return Answer(copied, tuple(float(c == copied) for c in request.choices))


@pytest.fixture
def leaking(pipeline, files, monkeypatch):
    """The same pipeline with that retriever."""
    nlp, component = pipeline
    docs = read_docs(files["test"], nlp, component.schema)
    retriever = leaky(nlp, component, docs)
    monkeypatch.setattr(component.extraction, "retriever", retriever)
    return nlp, component


def scores_of_a_copier(nlp, component, path):
    docs = read_docs(path, nlp, component.schema)
    engine = component.extraction.engine
    component.extraction.engine = ScriptedEngine(copy_answer)
    try:
        return nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    finally:
        component.extraction.engine = engine


# What a leak fakes

LEAKED = ("ramie_te_f", "ramie_re_gold_acc", "ramie_uc_gold_acc")


def test_who_copies_answers_is_no_good_with_honest_queries(pipeline, files):
    scores = scores_of_a_copier(*pipeline, files["test"])

    # Which event it is can be found by the sentence; the labels cannot.
    assert scores["ents_f"] == 1
    assert all(scores[key] <= 0.5 for key in LEAKED)


def test_who_copies_answers_is_perfect_with_the_answer_in_the_query(leaking, files):
    scores = scores_of_a_copier(*leaking, files["test"])

    assert scores["ents_f"] == 1
    assert all(scores[key] == 1 for key in LEAKED)


# What was searched with


def asked_of(pipeline, path):
    nlp, component = pipeline
    return ask(nlp, component, read_docs(path, nlp, component.schema))


def leaks_of(checks):
    return {check.name.split(":")[0]: len(check.leaks) for check in checks}


def test_honest_queries_say_nothing_of_the_answer(pipeline, files):
    asked = asked_of(pipeline, files["test"])

    assert {one.task for one in asked} == {"ner", "te", "re", "uc"}
    assert [(*one.queries,) for one in asked] == [(one.sentence,) for one in asked]
    assert not any(leaks_of(check_queries(asked)).values())


def test_answers_in_the_queries_of_a_pipeline_are_found(leaking, files):
    asked = asked_of(leaking, files["test"])

    assert leaks_of(check_queries(asked)) == dict.fromkeys(
        ("ner", "te", "re", "uc"), 18
    )


def test_the_released_protocol_is_found_out(pipeline, files):
    nlp, component = pipeline
    honest = asked_of(pipeline, files["test"])

    asked = ask_as_released(nlp, component, honest)

    assert leaks_of(check_queries(asked)) == dict.fromkeys(
        ("ner", "te", "re", "uc"), 18
    )
    # It also finds other exemplars: more of them with the right label.
    right = [
        sum(one.shown[0].answer == one.answer for one in some if one.task == "re")
        for some in (honest, asked)
    ]
    assert right[0] < right[1] == 18


def test_asking_leaves_the_pipeline_as_it_was(pipeline, files):
    extraction = pipeline[1].extraction
    before = extraction.engine, extraction.retriever.encoder

    asked_of(pipeline, files["test"])

    assert (extraction.engine, extraction.retriever.encoder) == before


SENTENCE = "Will start garlic for gout."


@pytest.mark.parametrize(
    ("query", "answer", "told"),
    [
        (SENTENCE, " start", False),
        (f"Note 3: {SENTENCE}", " start", False),
        (
            f"Represent this for retrieval: {SENTENCE.upper()}",
            " garlic\t supplement",
            False,
        ),
        (with_answer(SENTENCE, " start"), " start", True),
        (with_answer(SENTENCE, " garlic\t supplement"), " garlic\t supplement", True),
        (with_answer(SENTENCE, " None"), " None", True),
        (with_answer(SENTENCE, " uncertain"), " start", False),
    ],
)
def test_a_query_tells_what_it_says_beside_the_sentence(query, answer, told):
    assert tells(query, SENTENCE, answer) == told


def test_queries_are_those_about_the_sentence():
    queries = [f"Find: {SENTENCE}", "Has gout."]

    assert about(SENTENCE.lower(), queries) == queries[:1]
    # A query in other words can be about any sentence of its note.
    assert about("Gout, too.", queries) == queries


# Exemplars


def test_a_copy_among_the_exemplars_gives_the_answer_away(pipeline, files):
    asked = asked_of(pipeline, files["copied"])

    found = {check.name[:2]: [*check.leaks] for check in check_exemplars(asked)}

    assert [leak.split()[0] for leak in found["re"]] == ["copied"]


def test_a_phrase_that_comes_again_is_no_copy(pipeline, files):
    (one, *_) = asked_of(pipeline, files["test"])
    exemplar = one.shown[0]

    def leaks(sentence, answer):
        asked = one._replace(sentence=sentence, answer=answer, shown=[exemplar])
        (check,) = check_exemplars([asked])
        return len(check.leaks)

    assert leaks(exemplar.sentence, exemplar.answer) == 1
    assert leaks(exemplar.sentence, "None") == 0
    assert leaks("Some other sentence of more than six words.", exemplar.answer) == 0
    exemplar = type(exemplar)(*("x",) * 3, "No nausea.", "No nausea.", "None")
    assert leaks("No nausea.", "None") == 0


# The command


@pytest.fixture(scope="module")
def model(tmp_path_factory, files, tiny_base):
    folder = tmp_path_factory.mktemp("audited") / "model"
    make_pipeline(files, tiny_base, "Annoy")[0].to_disk(folder)
    return folder


def audit(*arguments):
    result = CliRunner().invoke(ramie_cli, ["audit", *map(str, arguments)])
    return result.exit_code, result.output


def test_audit_without_a_leak_says_what_it_looked_at(model, files):
    code, printed = audit(model, files["test"], files["train"], files["dev"])

    assert code == 0, printed
    assert "No leak" in printed
    for task in ("ner", "te", "re", "uc"):
        assert printed.count(f"{task}: ") == 2


@pytest.mark.parametrize(
    ("test", "options", "said"),
    [
        ("copied", [], "copied"),
        ("test", ["--released"], "72 leak(s)"),
    ],
)
def test_audit_leaves_with_an_error_where_there_is_a_leak(
    model, files, test, options, said
):
    code, printed = audit(model, files[test], files["train"], *options)

    assert code == 1
    assert said in printed
    assert "No leak" not in printed


def test_audit_finds_splits_that_share_records(model, files):
    code, printed = audit(model, files["dev"], files["train"], files["copied"])

    assert code == 1
    assert "n4" in printed
