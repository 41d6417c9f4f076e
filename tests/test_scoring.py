"""What counts as right, what as wrong, and what the scores are called."""

import pytest
import spacy
import srsly
from conftest import NOTE, answer_by_note
from spacy.cli._util import app
from spacy.training import Example
from typer.testing import CliRunner

from spacy_ramie.cli import ramie_cli
from spacy_ramie.corpus.docbin import gold_doc, make_corpus, write_docbin
from spacy_ramie.schema import make_supplements
from spacy_ramie.scoring.given import score_given
from spacy_ramie.scoring.scorer import gold_items, score_records
from spacy_ramie.scoring.variants import compare_variants
from spacy_ramie.types import Answer, Failure
from spacy_ramie.views import attribute_names, register_views

register_views(attribute_names({}))

TEXT = "Melatonin for sleep, no nausea. Melatonin held."
SPANS = {
    "melatonin": (0, 9, "DS"),
    "sleep": (14, 19, "EVENT"),
    "nausea": (24, 30, "EVENT"),
    "again": (32, 41, "DS"),
}


def gold(**changed):
    """The gold record: four entities, two relations, two usage classes."""
    return {
        "id": "x",
        "text": TEXT,
        "entities": [
            {"id": name, "start": start, "end": end, "label": label}
            for name, (start, end, label) in SPANS.items()
        ],
        "relations": [
            {"head": "melatonin", "tail": "sleep", "label": "POSITIVE"},
            {"head": "melatonin", "tail": "nausea", "label": "NOT_RELATED"},
        ],
        "usage": [
            {"entity": "melatonin", "label": "UNCERTAIN"},
            {"entity": "again", "label": "DISCONTINUE"},
        ],
        **changed,
    }


def found_span(start, end, label):
    return {"start": start, "end": end, "label": label, "text": TEXT[start:end]}


def found_relation(label, head=SPANS["melatonin"], tail=SPANS["sleep"], source="re"):
    head, tail = found_span(*head), found_span(*tail)
    return {"head": head, "tail": tail, "label": label, "source": source}


def found_usage(label, mention=SPANS["melatonin"]):
    start, end, _ = mention
    return {"start": start, "end": end, "label": label}


def example(found, known=None):
    nlp = spacy.blank("en")
    reference = gold_doc(known or gold(), nlp, make_supplements())
    predicted = nlp.make_doc(reference.text)
    predicted._.ramie = found
    return Example(predicted, reference)


def scores_of(**found):
    return score_records([example(found)], "ramie")


def prf(scores, kind):
    return tuple(round(scores[f"{kind}_{x}"], 4) for x in "prf")


# Entities


def test_exact_entities_are_right():
    found = [found_span(*span) for span in SPANS.values()]

    assert prf(scores_of(entities=found), "ents") == (1, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        (0, 8, "DS"),
        (0, 10, "DS"),
        (1, 9, "DS"),
        (0, 9, "EVENT"),
        (32, 41, "EVENT"),
        (9, 13, "DS"),
    ],
)
def test_entity_needs_the_very_characters_and_label(wrong):
    found = [found_span(*SPANS["sleep"]), found_span(*wrong)]

    assert prf(scores_of(entities=found), "ents") == (0.5, 0.25, 0.3333)


def test_entity_said_twice_counts_once():
    found = [found_span(*SPANS["sleep"])] * 3

    assert prf(scores_of(entities=found), "ents") == (1, 0.25, 0.4)


def test_entities_by_label():
    found = [found_span(*SPANS[name]) for name in ("melatonin", "again", "sleep")]

    table = scores_of(entities=found)["ents_per_type"]

    assert table == {
        "DS": {"p": 1.0, "r": 1.0, "f": 1.0},
        "EVENT": {"p": 1.0, "r": 0.5, "f": pytest.approx(2 / 3)},
    }


def test_gold_document_without_a_record_is_scored_by_its_entities():
    nlp = spacy.blank("en")
    reference, predicted = nlp.make_doc(TEXT), nlp.make_doc(TEXT)
    reference.ents = [reference.char_span(0, 9, label="DS")]
    predicted._.ramie = {"entities": [found_span(*SPANS["melatonin"])]}

    scores = score_records([Example(predicted, reference)], "ramie")

    assert prf(scores, "ents") == (1, 1, 1)
    assert prf(scores, "ramie_re") == (0, 0, 0)


# Relations, triples, usage


def test_relation_is_right_with_both_ends_and_label():
    found = [
        found_relation("POSITIVE"),
        found_relation("NOT_RELATED", tail=SPANS["nausea"]),
    ]

    assert prf(scores_of(relations=found), "ramie_re") == (1, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "NEGATIVE"},
        {"label": "NOT_RELATED"},
        {"head": SPANS["again"]},
        {"head": (0, 8, "DS")},
        {"tail": (14, 20, "EVENT")},
        {"tail": (14, 19, "DS")},
        {"tail": SPANS["nausea"]},
        {"head": SPANS["sleep"], "tail": SPANS["melatonin"]},
    ],
)
def test_relation_needs_both_ends_and_label(wrong):
    found = [found_relation(**{"label": "POSITIVE", **wrong})]

    assert prf(scores_of(relations=found), "ramie_re") == (0, 0, 0)


def test_not_related_is_a_label_like_the_others():
    found = [
        found_relation("NOT_RELATED"),
        found_relation("NOT_RELATED", tail=SPANS["nausea"]),
    ]

    scores = scores_of(relations=found)

    assert prf(scores, "ramie_re") == (0.5, 0.5, 0.5)
    assert scores["ramie_re_per_type"] == {
        "NOT_RELATED": {"p": 0.5, "r": 1.0, "f": pytest.approx(2 / 3)},
        "POSITIVE": {"p": 0.0, "r": 0.0, "f": 0.0},
    }


def test_relations_and_triples_are_counted_apart():
    found = [
        found_relation("POSITIVE"),
        found_relation("NOT_RELATED", tail=SPANS["nausea"], source="te"),
    ]

    scores = scores_of(relations=found)

    assert prf(scores, "ramie_re") == (1, 0.5, 0.6667)
    assert list(scores["ramie_te_per_type"]) == ["NOT_RELATED", "POSITIVE"]
    assert scores["ramie_te_per_type"]["POSITIVE"]["r"] == 0
    assert scores["ramie_te_per_type"]["NOT_RELATED"]["f"] == 1


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({}, True),
        # The same text in another place, without a type.
        ({"head": SPANS["again"]}, True),
        ({"head": (0, 9, ""), "tail": (14, 19, "")}, True),
        ({"head": (0, 8, "DS")}, False),
        ({"tail": SPANS["nausea"]}, False),
        ({"label": "NEGATIVE"}, False),
        ({"head": SPANS["sleep"], "tail": SPANS["melatonin"]}, False),
    ],
)
def test_triple_is_right_with_the_exact_texts(changed, right):
    relation = found_relation(**{"label": "POSITIVE", "source": "te", **changed})

    scores = scores_of(relations=[relation])

    assert scores["ramie_te_p"] == (1.0 if right else 0.0)
    assert scores["ramie_te_r"] == (0.5 if right else 0.0)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ([found_usage("UNCERTAIN")], (1, 0.5, 0.6667)),
        ([found_usage("START")], (0, 0, 0)),
        ([found_usage("UNCERTAIN", SPANS["again"])], (0, 0, 0)),
        ([found_usage("UNCERTAIN", (0, 8, "DS"))], (0, 0, 0)),
        (
            [found_usage("UNCERTAIN"), found_usage("DISCONTINUE", SPANS["again"])],
            (1, 1, 1),
        ),
    ],
)
def test_usage_needs_mention_and_class(usage, expected):
    assert prf(scores_of(usage=usage), "ramie_uc") == expected


# Failures and counts


def failure(kind):
    return {"task": "ner", "kind": kind, "start": 0, "end": 9, "message": ""}


def test_what_could_not_be_read_counts_as_missed():
    whole = {"entities": [found_span(*span) for span in SPANS.values()]}
    unread = {"entities": [], "failures": [failure("unparsable")]}

    scores = score_records([example(whole), example(unread)], "ramie")

    assert prf(scores, "ents") == (1, 0.5, 0.6667)


@pytest.mark.parametrize("found", [None, {}])
def test_note_without_a_record_counts_as_missed(found):
    scores = score_records([example(found)], "ramie")

    assert [prf(scores, kind) for kind in ("ents", "ramie_re", "ramie_uc")] == [
        (0, 0, 0)
    ] * 3
    assert scores["ents_per_type"]["DS"]["r"] == 0


def test_requests_and_failures_are_counted_over_all_notes():
    kinds = ["unparsable", "ungrounded", "truncated", "too_long", "engine_error"]
    first = {"requests": 7, "failures": [failure(kind) for kind in kinds]}
    second = {"requests": 4, "failures": [failure("ungrounded")]}

    scores = score_records([example(first), example(second)], "ramie")

    assert {key: n for key, n in scores.items() if isinstance(n, int)} == {
        "ramie_requests": 11,
        "ramie_unparsable": 1,
        "ramie_ungrounded": 2,
        "ramie_truncated": 1,
        "ramie_too_long": 1,
        "ramie_engine_errors": 1,
    }


# Gold entities given


def note_record():
    """NOTE as the scripted engine reads it, but for two labels and one relation."""
    places = {
        word: {"start": NOTE.index(word), "end": NOTE.index(word) + len(word)}
        for word in ("melatonin", "insomnia", "ginkgo", "nosebleeds", "headache")
    }
    relations = {
        ("melatonin", "insomnia"): "POSITIVE",
        ("ginkgo", "nosebleeds"): "NEGATIVE",
        # The engine says NOT_RELATED.
        ("melatonin", "nosebleeds"): "POSITIVE",
        # The ends are in two sentences: nobody is asked.
        ("melatonin", "headache"): "NOT_RELATED",
    }
    labels = dict.fromkeys(places, "EVENT") | {"melatonin": "DS", "ginkgo": "DS"}
    return {
        "id": "note",
        "text": NOTE,
        "entities": [{"id": w, **at, "label": labels[w]} for w, at in places.items()],
        "relations": [
            {"head": head, "tail": tail, "label": label}
            for (head, tail), label in relations.items()
        ],
        "usage": [
            {"entity": "melatonin", "label": "START"},
            {"entity": "ginkgo", "label": "CONTINUE"},
        ],
    }


def note_example(nlp, record=None):
    reference = gold_doc(record or note_record(), nlp, make_supplements())
    return Example(nlp.make_doc(reference.text), reference)


def extraction_of(nlp):
    return nlp.get_pipe("ramie_extractor").extraction


def test_every_gold_relation_counts_also_one_across_sentences(scripted):
    nlp, _ = scripted()

    scores = score_given([note_example(nlp)], extraction_of(nlp))

    assert scores["ramie_re_gold_acc"] == 0.5
    assert scores["ramie_re_gold_acc_per_type"] == {
        "NEGATIVE": 1.0,
        "NOT_RELATED": 0.0,
        "POSITIVE": 0.5,
    }


def test_every_gold_class_counts(scripted):
    nlp, _ = scripted()

    scores = score_given([note_example(nlp)], extraction_of(nlp))

    assert scores["ramie_uc_gold_acc"] == 0.5
    assert scores["ramie_uc_gold_acc_per_type"] == {"CONTINUE": 0.0, "START": 1.0}


def test_with_gold_entities_nothing_is_asked_that_would_find_some(scripted):
    nlp, engine = scripted()

    score_given([note_example(nlp)], extraction_of(nlp))

    # Two heads, three tails, one of them in another sentence.
    tasks = [request.task for request in engine.requests]
    assert sorted(tasks) == ["re"] * 4 + ["uc"] * 2


def test_request_that_fails_counts_as_wrong(scripted):
    def answer(request):
        if request.task == "uc":
            return Answer(error=Failure("engine_error", "out of memory"))
        return answer_by_note(request)

    nlp, _ = scripted(answer)

    scores = score_given([note_example(nlp)], extraction_of(nlp))

    assert (scores["ramie_uc_gold_acc"], scores["ramie_re_gold_acc"]) == (0.0, 0.5)


def test_without_gold_labels_there_is_no_accuracy(scripted):
    nlp, _ = scripted()
    empty = {"id": "x", "text": "Slept well."}

    scores = score_given([note_example(nlp, empty)], extraction_of(nlp))

    assert scores == {
        "ramie_re_gold_acc": None,
        "ramie_re_gold_acc_per_type": {},
        "ramie_re_gold_ece": None,
        "ramie_re_gold_brier": None,
        "ramie_re_gold_bins": [],
        "ramie_uc_gold_acc": None,
        "ramie_uc_gold_acc_per_type": {},
        "ramie_uc_gold_ece": None,
        "ramie_uc_gold_brier": None,
        "ramie_uc_gold_bins": [],
    }


def test_pipeline_scores_end_to_end_and_with_gold_entities(scripted):
    nlp, _ = scripted()

    scores = nlp.evaluate([note_example(nlp)])

    # The engine finds every entity; the pairs it is asked about are those of one
    # sentence, four in all, of which gold has three.
    assert prf(scores, "ents") == (1, 1, 1)
    assert prf(scores, "ramie_re") == (0.5, 0.5, 0.5)
    assert prf(scores, "ramie_te") == (1, 0.5, 0.6667)
    assert prf(scores, "ramie_uc") == (0.5, 0.5, 0.5)
    assert scores["ramie_re_gold_acc"] == 0.5
    assert scores["ramie_requests"] == 10


# Exemplars


def parrot(request):
    """Answer what the exemplar answers."""
    if len(request.parts) < 3:
        return Answer(request.choices[0] if request.choices else "None")
    said = request.parts[1].split("Response:\n")[1].strip("\n")
    if not request.choices:
        return Answer(said)
    scores = tuple(float(choice == said) for choice in request.choices)
    return Answer(said, scores)


def test_variants_show_other_exemplars_and_none(scripted, records, tmp_path):
    srsly.write_jsonl(tmp_path / "bank.jsonl", records)
    nlp, engine = scripted()
    engine.answer = parrot
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(tmp_path / "bank.jsonl"))
    docs = [gold_doc(r, nlp, make_supplements()) for r in records[:12]]

    scores, cases = compare_variants(nlp, component, docs, seed=0)

    # The notes are in the bank, and the key holds the sentence.
    assert scores["as it is"]["ents_f"] > 0.9
    assert scores["random exemplar"]["ents_f"] < 0.5
    assert scores["no exemplar"]["ents_f"] == 0
    # The pipeline is as it was.
    again = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    assert again["ents_f"] == scores["as it is"]["ents_f"]
    # Without an exemplar it finds no entity: all that is right is owed to them.
    helped = cases["helped"]["ner"]
    assert helped["count"] == sum(
        row["r"] * len(gold_items_of(docs, label))
        for label, row in scores["as it is"]["ents_per_type"].items()
    )
    assert cases["harmed"]["ner"] == {"count": 0, "cases": []}
    assert len(helped["cases"]) == 20
    known = {e.id: e for e in component.extraction.retriever.banks["ner"].exemplars}
    for case in helped["cases"]:
        (shown,) = case["exemplars"]
        # Its own note.
        assert known[shown["id"]].group == case["record"]
        assert case["text"] in known[shown["id"]].sentence
        assert 0.5 < shown["similarity"] <= 1


def gold_items_of(docs, label):
    return [item for doc in docs for item in gold_items(doc)["ents"].get(label, ())]


def test_an_exemplar_that_misleads_has_harmed(scripted, records, tmp_path):
    def misled(request):
        """Right by itself; shown anything, it finds nothing."""
        return answer_by_note(request) if len(request.parts) < 3 else Answer("None")

    srsly.write_jsonl(tmp_path / "bank.jsonl", records[:3])
    nlp, _ = scripted(misled)
    component = nlp.get_pipe("ramie_extractor")
    component.initialize(lambda: [], nlp=nlp, exemplars=str(tmp_path / "bank.jsonl"))
    melatonin = {"id": "T1", "start": 8, "end": 17, "label": "DS"}
    record = {"id": "n", "text": NOTE, "entities": [melatonin]}
    docs = [gold_doc(record, nlp, make_supplements())]

    _, cases = compare_variants(nlp, component, docs, seed=0)

    (case,) = cases["harmed"]["ner"]["cases"]
    assert (case["record"], case["text"], case["label"]) == ("n", "melatonin", "DS")
    assert case["exemplars"]
    assert {task["count"] for task in cases["helped"].values()} == {0}


def test_without_the_grammar_the_model_may_say_what_is_not_there(scripted, records):
    def babble(request):
        """A model that invents, unless the grammar keeps it from it."""
        if request.choices:
            return Answer(request.choices[0])
        return Answer("None" if request.grammar else "unobtainium\tsupplement")

    nlp, _ = scripted(babble)
    component = nlp.get_pipe("ramie_extractor")
    docs = [gold_doc(r, nlp, make_supplements()) for r in records[:4]]

    scores, _ = compare_variants(nlp, component, docs, seed=0)

    assert scores["as it is"]["ramie_ungrounded"] == 0
    assert scores["no grammar"]["ramie_ungrounded"] > 0


# The commands


@pytest.fixture(scope="module")
def metrics(tmp_path_factory, tiny_base, corpus_files, records):
    """A saved pipeline over the tiny base, and what `spacy evaluate` writes of it."""
    folder = tmp_path_factory.mktemp("scoring")
    nlp = spacy.blank("en")
    engine = {"base": str(tiny_base), "max_new_tokens": 12}
    component = nlp.add_pipe("ramie_extractor", config={"engine": engine})
    exemplars = str(corpus_files["train"])
    component.initialize(lambda: [], nlp=nlp, exemplars=exemplars)
    nlp.to_disk(folder / "model")
    corpus = folder / "test.spacy"
    write_docbin(records[-4:], corpus, nlp, make_supplements())
    output = folder / "metrics" / "test.json"
    output.parent.mkdir()
    result = CliRunner().invoke(
        app,
        ["evaluate", str(folder / "model"), str(corpus), "--output", str(output)],
    )
    assert result.exit_code == 0, result.output
    return folder / "model", corpus, srsly.read_json(output)


SHARES = [
    *(
        f"{kind}_{x}"
        for kind in ("ents", "ramie_re", "ramie_te", "ramie_uc")
        for x in "prf"
    ),
    "ramie_re_gold_acc",
    "ramie_uc_gold_acc",
]
COUNTS = ["requests", "unparsable", "ungrounded", "truncated"]
TABLES = [f"{kind}_per_type" for kind in ("ents", "ramie_re", "ramie_te", "ramie_uc")]


def test_variants_command_agrees_with_spacy_evaluate(metrics, tmp_path):
    model, corpus, scores = metrics
    output = tmp_path / "new" / "variants.json"

    result = CliRunner().invoke(
        ramie_cli, ["variants", str(model), str(corpus), str(output)]
    )

    assert result.exit_code == 0, result.output
    written = srsly.read_json(output)
    names = ["as it is", "no exemplar", "random exemplar", "no grammar"]
    assert list(written) == [*names, "cases"]
    assert set(written["cases"]) == {"helped", "harmed"}
    assert {key: written["as it is"][key] for key in SHARES} == pytest.approx(
        {key: scores[key] for key in SHARES}
    )
    assert "Usage, gold mentions" in result.output


def test_no_report_is_written_across_a_leak(metrics, records, tmp_path):
    model, _, scores = metrics
    # One of them is among the exemplars.
    leaky, page = tmp_path / "leaky.spacy", tmp_path / "report.html"
    write_docbin(
        [records[0], records[-1]], leaky, spacy.blank("en"), make_supplements()
    )
    srsly.write_json(tmp_path / "test.json", scores)
    arguments = ["report", *map(str, (model, leaky, tmp_path / "test.json", page))]

    refused = CliRunner().invoke(ramie_cli, arguments)
    written = page.exists()
    told = CliRunner().invoke(ramie_cli, [*arguments, "--despite-leaks"])

    assert refused.exit_code == 1
    assert "[R108] 1 record(s)" in " ".join(refused.output.split())
    assert records[0]["id"] in refused.output
    assert not written
    assert told.exit_code == 0, told.output
    assert "1 leaks: these records" in page.read_text()


def test_spacy_evaluate_writes_every_key(metrics):
    _, _, scores = metrics

    assert all(0 <= scores[key] <= 1 for key in SHARES)
    assert all(type(scores[f"ramie_{key}"]) is int for key in COUNTS)
    assert set(scores["ents_per_type"]) == {"DS", "EVENT"}
    for table in TABLES:
        assert all(set(row) == {"p", "r", "f"} for row in scores[table].values())


def test_spacy_evaluate_writes_what_the_pipeline_scores(metrics):
    model, corpus, scores = metrics
    nlp = spacy.load(model)

    again = nlp.evaluate(list(make_corpus(str(corpus), make_supplements())(nlp)))

    assert scores["ramie_requests"] > 10
    assert scores["ramie_re_gold_acc"] > 0
    for key in [*SHARES, *(f"ramie_{key}" for key in COUNTS)]:
        assert scores[key] == pytest.approx(again[key])
