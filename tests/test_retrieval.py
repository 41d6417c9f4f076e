"""What is found are the k nearest exemplars of the task, by the key of the config."""

import pytest
from tiny_bank import (
    BANK,
    GINKGO,
    MELATONIN,
    NLP,
    NOTHING,
    exemplar,
    hits_of,
    make_retriever,
)

from spacy_ramie.errors import ConfigError


@pytest.mark.parametrize("kind", ["Annoy", "Exact"])
@pytest.mark.parametrize(
    ("k", "found"),
    [
        (0, []),
        (1, [MELATONIN]),
        (2, [MELATONIN, GINKGO]),
        (9, [MELATONIN, GINKGO, NOTHING]),
    ],
)
def test_k_exemplars_are_found_the_nearest_first(k, found, kind):
    retriever = make_retriever(kind, k=k)
    retriever.fit(BANK, NLP)

    hits = hits_of(retriever, "Started melatonin, ginkgo stopped.")

    assert [hit.exemplar.sentence for hit in hits] == found


@pytest.mark.parametrize("task", ["ner", "te"])
def test_a_task_is_shown_its_own_exemplars(task):
    retriever = make_retriever(k=9)
    retriever.fit(BANK, NLP)

    hits = hits_of(retriever, MELATONIN, task)

    assert {hit.exemplar.id for hit in hits} == {e.id for e in BANK if e.task == task}


def test_a_task_without_exemplars_is_shown_none():
    retriever = make_retriever()
    retriever.fit(BANK, NLP)

    assert hits_of(retriever, MELATONIN, "uc") == []


def test_without_a_bank_nothing_is_found():
    retriever = make_retriever()
    retriever.fit([], NLP)

    assert hits_of(retriever, MELATONIN) == []


def test_fitting_again_replaces_the_bank():
    retriever = make_retriever(k=9)
    retriever.fit(BANK, NLP)

    retriever.fit([exemplar(NOTHING)], NLP)

    assert [h.exemplar for h in hits_of(retriever, MELATONIN)] == [exemplar(NOTHING)]
    assert hits_of(retriever, MELATONIN, "te") == []


def test_the_sentence_alone_can_be_the_key():
    retriever = make_retriever(key="sentence")
    retriever.fit(BANK, NLP)

    assert hits_of(retriever, MELATONIN)[0].similarity == pytest.approx(1, abs=1e-5)


def test_sentence_and_answer_are_the_key_as_in_the_paper():
    twins = [
        exemplar(MELATONIN, "None", number=0),
        exemplar(MELATONIN, "melatonin insomnia melatonin insomnia", number=1),
    ]
    retriever = make_retriever(key="sentence_and_answer", k=2)
    retriever.fit(twins, NLP)

    plain, rich = hits_of(retriever, "melatonin insomnia"), hits_of(retriever, NOTHING)

    assert [hit.exemplar.id for hit in plain] == [twins[1].id, twins[0].id]
    assert [hit.exemplar.id for hit in rich] == [twins[0].id, twins[1].id]


@pytest.mark.parametrize("config", [{"key": "answer"}, {"k": -1}])
def test_a_wrong_setting_is_refused(config):
    with pytest.raises(ConfigError, match=rf"R002.*retriever\.{next(iter(config))}"):
        make_retriever(**config)
