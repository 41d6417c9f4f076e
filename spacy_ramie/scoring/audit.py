"""What would make figures say nothing: records, exemplars and queries that leak."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from spacy.tokens import Doc

from ..corpus.alike import near_duplicates
from ..corpus.docbin import record_of
from ..retrieval.retriever import Retriever
from .asked import Asked
from .leaks import find_leaks

# An exemplar is a copy of a sentence from this share of n-grams on. Short sentences
# come again in notes that have nothing to do with each other ("No nausea.").
COPY = 0.75
WORDS = 6


class Check(NamedTuple):
    """A row of an audit.

    name (str): What was looked at.
    number (int): How much of it.
    leaks (Sequence[str]): What was found, by id.
    """

    name: str
    number: int
    leaks: Sequence[str]


def check_splits(corpora: Mapping[str, Sequence[Doc]]) -> Iterator[Check]:
    """Look for records of one corpus that are nearly those of another.

    corpora (Mapping): Name to gold documents.
    YIELDS (Check): One for each two; its number is that of the first.
    """
    records = {
        name: [record for doc in docs if (record := record_of(doc)) is not None]
        for name, docs in corpora.items()
    }
    for one, other in combinations(records, 2):
        found = near_duplicates(records[one], records[other])
        leaks = {pair.one: f"{pair.one} ({pair.other})" for pair in found}
        name = f"records of {one} that are nearly in {other}"
        yield Check(name, len(records[one]), [*leaks.values()])


def check_bank(retriever: Retriever, docs: Sequence[Doc]) -> Check:
    """Look for records that exemplars were made of.

    retriever (Retriever): Its banks are looked through.
    docs (Sequence[Doc]): What is measured on.
    RETURNS (Check): Its number is that of the documents.
    """
    leaks = {
        pair.other: f"{pair.other} ({pair.one})" for pair in find_leaks(retriever, docs)
    }
    return Check(
        "records that are nearly notes of exemplars", len(docs), [*leaks.values()]
    )


def check_exemplars(asked: Sequence[Asked]) -> Iterator[Check]:
    """Look for exemplars shown that are copies of the sentence and have its answer.

    asked (Sequence[Asked]): Questions and what was shown for them.
    YIELDS (Check): One for each task.
    """
    long = [one for one in asked if _words(one.sentence).total() >= WORDS]
    first = dict.fromkeys(one.sentence for one in long)
    second = dict.fromkeys(e.sentence for one in long for e in one.shown)
    pairs = near_duplicates(
        *([{"id": text, "text": text} for text in texts] for texts in (first, second))
    )
    copies = {(pair.one, pair.other) for pair in pairs if pair.share >= COPY}
    for task, members in _by_task(asked).items():
        leaks = [
            f"{one.record} ({exemplar.id})"
            for one in members
            for exemplar in one.shown
            if exemplar.answer == one.answer
            and (one.sentence, exemplar.sentence) in copies
        ]
        yield Check(
            f"{task}: exemplars shown that give the answer away", len(members), leaks
        )


def check_queries(asked: Sequence[Asked]) -> Iterator[Check]:
    """Look for queries that say more of the gold answer than the sentence does.

    asked (Sequence[Asked]): Questions and what was searched with for them.
    YIELDS (Check): One for each task; its number is that of the questions for which
        anything was searched.
    """
    for task, members in _by_task(asked).items():
        searched = [one for one in members if one.queries]
        leaks = [
            one.record
            for one in searched
            if any(tells(query, one.sentence, one.answer) for query in one.queries)
        ]
        name = f"{task}: queries with the gold answer in them"
        yield Check(name, len(searched), leaks)


def tells(query: str, sentence: str, answer: str) -> bool:
    """Say whether a query has all words of an answer beside those of its sentence.

    query (str): What was searched with.
    sentence (str): The sentence it is about.
    answer (str): The gold answer.
    RETURNS (bool): Whether the answer is in it.
    """
    said = _words(answer)
    return bool(said) and said <= _words(query) - _words(sentence)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def _by_task(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    tasks = dict.fromkeys(one.task for one in asked)
    return {task: [one for one in asked if one.task == task] for task in tasks}
