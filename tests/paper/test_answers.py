"""Every question has its answer: greedy, with probabilities, the same from disk."""

import os

import pytest
import spacy
import torch

from spacy_ramie.types import Request

from .conftest import ask_about_gold
from .notes import NOTES, SENTENCES


def test_every_sentence_of_any_note_is_answered_or_fails_by_itself(trained):
    for doc in trained.docs:
        record = doc._.ramie
        failed = {(f["task"], f["start"], f["kind"]) for f in record["failures"]}
        asked = {(t, start) for start, _ in record["units"] for t in ("ner", "te")}
        # A random model does not write Python, so that every answer is a failure.
        assert {(task, start) for task, start, _ in failed} == asked
        assert {kind for *_, kind in failed} <= {"unparsable", "truncated"}
        assert record["requests"] == len(asked)
    assert [len(doc._.ramie["units"]) for doc in trained.docs] == [2, 4, 0, 0, 1]


def test_every_pair_and_mention_gets_a_label_of_the_paper(trained):
    labelled = [
        item
        for finding in trained.findings
        if finding.question.task in ("re", "uc")
        for item in (*finding.annotations.relations, *finding.annotations.usage)
    ]
    tasks = [finding.question.task for finding in trained.findings]

    assert len(labelled) == tasks.count("re") + tasks.count("uc")
    assert min(tasks.count("re"), tasks.count("uc")) > 0
    for item in labelled:
        assert sum(item.scores.values()) == pytest.approx(1, abs=1e-5)
        assert item.score == max(item.scores.values()) == item.scores[item.label]
    assert all(finding.hits for finding in trained.findings)


def test_generation_is_greedy_and_alike_in_any_batch(trained):
    """Also for bases that sample unless told otherwise, and windows that slide."""
    engine = trained.extraction.engine
    requests = [Request("ner", ("Find all.", text)) for text in SENTENCES]
    runner = engine.load()
    end = runner.tokens.eos

    answers = engine.run(requests)

    assert len({answer.text for answer in answers}) > 1
    for request, answer in zip(requests, answers, strict=True):
        ids = list(runner.encode(request).prompt)
        start = len(ids)
        while len(ids) < start + 8 and ids[-1] != end:
            ids.append(int(logits_of(runner, ids)[-1].argmax()))
        said = [token for token in ids[start:] if token != end]
        assert start > 48
        assert answer.text == runner.tokens.decode(said)[0]
        assert answer.truncated == (ids[-1] != end)


def logits_of(runner, ids):
    with torch.inference_mode():
        return runner.model(torch.tensor([ids]), use_cache=False).logits[0]


def by_branch(runner, prompt, labels):
    """Softmax over the tokens at which the labels part."""
    shared = os.path.commonprefix(labels)
    logits = logits_of(runner, [*prompt, *shared])[-1]
    return logits[[label[len(shared)] for label in labels]].softmax(dim=-1)


def by_whole_label(runner, prompt, labels):
    """Softmax over the log-probabilities of whole labels, their end included."""
    totals = []
    for label in labels:
        steps = logits_of(runner, [*prompt, *label]).log_softmax(dim=-1)
        steps = steps[len(prompt) - 1 : -1]
        totals.append(steps[range(len(label)), label].sum())
    return torch.stack(totals).softmax(dim=-1)


# The first labels part all at once, of the others two go on together; whether the
# paper's do depends on the tokenizer.
@pytest.mark.parametrize(
    ("choices", "parted"),
    [
        (("qZ", "vZ", "zZ"), True),
        (("qZ", "qJ", "z"), False),
        (("qZ", "qJJ", "zZQ", "z"), False),
        ("re", None),
        ("uc", None),
    ],
)
def test_label_probabilities(trained, choices, parted):
    if parted is None:
        choices = trained.extraction.tasks[choices].classifier.choices
    runner = trained.extraction.engine.load()
    labels = [runner.tokens.completion(choice) for choice in choices]
    branch = len(os.path.commonprefix(labels))
    distinct = len({label[branch] for label in labels}) == len(labels)
    requests = [Request("uc", ("Classify.", text), choices) for text in SENTENCES]

    answers = trained.extraction.engine.run(requests)

    assert parted in (None, distinct)
    for request, answer in zip(requests, answers, strict=True):
        prompt = runner.encode(request).prompt
        expected = (by_branch if distinct else by_whole_label)(runner, prompt, labels)
        assert sum(answer.scores) == pytest.approx(1, abs=1e-5)
        assert answer.scores == pytest.approx(expected.tolist(), abs=1e-5)
        assert answer.text == choices[int(expected.argmax())]


def test_pipeline_from_disk_gives_identical_answers(trained, tmp_path):
    trained.nlp.to_disk(tmp_path / "copy")
    again = spacy.load(tmp_path / "copy")
    extraction = again.get_pipe("ramie_extractor").extraction

    assert str(tmp_path) in extraction.engine.base
    assert ask_about_gold(extraction, trained.gold) == trained.findings
    for doc, before in zip(again.pipe(NOTES), trained.docs, strict=True):
        assert doc._.ramie == before._.ramie
