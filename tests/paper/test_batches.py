"""A batch reads once what its rows share, drops those done, and says the same."""

import os
from functools import wraps

import pytest

from spacy_ramie.types import Request

from .notes import SENTENCES


def test_an_instruction_is_read_once(trained, monkeypatch):
    """But where attention slides over less than a prompt."""
    runner = trained.extraction.engine.load()
    read = []
    forward = runner.model.forward

    def counted(input_ids, **kwargs):
        read.append(input_ids.shape[1])
        return forward(input_ids=input_ids, **kwargs)

    monkeypatch.setattr(runner.model, "forward", counted)
    slides = runner.model.config.model_type == "mistral"
    for task, choices in (("ner", ()), ("uc", ("qZ", "vZ"))):
        parts = [(f"Find all {task}. " * 5, sentence) for sentence in SENTENCES]
        prompts = [runner.encode(Request(task, two, choices)) for two in parts]
        labels = [runner.tokens.completion(choice) for choice in choices]
        whole = max(len(p.prompt) for p in prompts) + len(os.path.commonprefix(labels))
        instruction = prompts[0].instruction
        read.clear()
        runner.answer(prompts)
        runner.answer(prompts)

        if slides:
            assert read.count(whole) == 2
        else:
            assert whole not in read
            assert read.count(instruction) == 1
            assert read.count(whole - instruction) == 2


def test_exemplars_that_rows_share_are_read_once(trained, monkeypatch):
    """Two exemplars for six prompts; the answers are those of each prompt alone."""
    runner = trained.extraction.engine.load()
    shown = ("Example one is quite long. ", "Two. ")
    for choices in (("qZ", "vZ"), ()):
        requests = [
            Request("ner", ("Find all. ", shown[i % 2], sentence), choices)
            for i, sentence in enumerate(SENTENCES * 2)
        ]
        prompts = [runner.encode(request) for request in requests]
        alone = [runner.answer([prompt])[0] for prompt in prompts]
        rows = []
        forward = runner.model.forward

        # transformers looks at the signature to see what a model takes.
        @wraps(forward)
        def counted(input_ids, rows=rows, forward=forward, **kwargs):
            rows.append(input_ids.shape[0])
            return forward(input_ids=input_ids, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(runner.model, "forward", counted)
            together = runner.answer(prompts)

        slides = runner.model.config.model_type == "mistral"
        assert (2 in rows) == (not slides)
        for one, other in zip(together, alone, strict=True):
            assert one.text == other.text
            assert one.scores == pytest.approx(other.scores, abs=1e-5)
            chances = [chance for _, chance in one.pieces]
            assert chances == pytest.approx([c for _, c in other.pieces], abs=1e-3)


def test_rows_that_are_done_leave_and_the_others_say_the_same(trained, monkeypatch):
    runner = trained.extraction.engine.load()
    # So many letters and then the end, in no more tokens than an answer may have.
    prompts = [
        runner.encode(Request("ner", ("Find all. ", sentence), (), grammar))
        for sentence, grammar in zip(
            SENTENCES, (f"start: /[a-z]{{{n}}}/\n" for n in (1, 5, 9)), strict=True
        )
    ]
    monkeypatch.setattr("spacy_ramie.engine.runner.ROUND", 1000)
    at_once = runner.answer(prompts)
    rows = []
    forward = runner.model.forward

    @wraps(forward)
    def counted(input_ids, **kwargs):
        rows.append(input_ids.shape[0])
        return forward(input_ids=input_ids, **kwargs)

    monkeypatch.setattr(runner.model, "forward", counted)
    monkeypatch.setattr("spacy_ramie.engine.runner.ROUND", 2)
    in_rounds = runner.answer(prompts)

    # Some decoders take a letter away at the beginning.
    lengths = [len(answer.text) for answer in at_once]
    assert lengths == pytest.approx([1, 5, 9], abs=1)
    for one, other in zip(in_rounds, at_once, strict=True):
        assert (one.text, one.truncated) == (other.text, other.truncated)
        assert [end for end, _ in one.pieces] == [end for end, _ in other.pieces]
        chances = [chance for _, chance in other.pieces]
        assert [c for _, c in one.pieces] == pytest.approx(chances, abs=1e-3)
    slides = runner.model.config.model_type == "mistral"
    assert (rows[-1] < len(prompts)) == (not slides)
