"""How good retrieval is in itself, and what a gold answer in the query would fake."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
from spacy.language import Language
from spacy.tokens import Doc

from ..component import RamieExtractor
from ..corpus.items import Item, make_items
from ..retrieval.index import ExactIndex
from ..retrieval.retriever import Retriever, with_answer

# How many exemplars are looked at.
DEPTHS = (1, 3, 5)


def study_neighbours(
    nlp: Language, component: RamieExtractor, docs: Sequence[Doc]
) -> dict[str, dict[str, dict[str, float]]]:
    """Compare the answers of questions with those of the exemplars found for them.

    The query is the sentence, and once more the sentence with its gold answer, as the
    paper's released code has it: what the second is better by is what that leak fakes.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component; its exemplars are searched exactly.
    docs (Sequence[Doc]): Gold documents that are not among the exemplars.
    RETURNS (dict): Per task, for the queries "sentence" and "with answer": for each
        depth k `precision@k` (share of the k that share an item of the answer),
        `recall@k` (share of the questions for which one of the k does) and `ndcg@k`
        (the overlap of the answers, Jaccard, as gain); and `copied`, the share of the
        questions that the first one's answer is the answer to.
    """
    extraction = component.extraction
    items = list(make_items(component.prepare(docs, nlp), [*extraction.tasks.values()]))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for task in extraction.retriever.banks:
        asked = [item for item in items if item.question.task == task]
        queries = {
            "sentence": [item.exemplar.sentence for item in asked],
            "with answer": [
                with_answer(item.exemplar.sentence, item.completion) for item in asked
            ],
        }
        found[task] = {
            name: _study(nlp, extraction.retriever, task, asked, texts)
            for name, texts in queries.items()
            if asked
        }
    return found


def _study(
    nlp: Language,
    retriever: Retriever,
    task: str,
    items: Sequence[Item],
    texts: Sequence[str],
) -> dict[str, float]:
    bank = retriever.banks[task]
    index = ExactIndex()
    index.build(bank.index.vectors())
    distinct = list(dict.fromkeys(texts))
    vectors = retriever.encoder.queries([nlp.make_doc(text)[:] for text in distinct])
    rows = index.search(numpy.asarray(vectors), max(DEPTHS))
    nearest = {
        text: [row for row, _ in found]
        for text, found in zip(distinct, rows, strict=True)
    }
    answers = [_lines(exemplar.answer) for exemplar in bank.exemplars]
    ideal: dict[frozenset[str], list[float]] = {}
    scores = []
    for item, text in zip(items, texts, strict=True):
        wanted = _lines(item.completion)
        if wanted not in ideal:
            gains = (overlap(wanted, answer) for answer in answers)
            ideal[wanted] = sorted(gains, reverse=True)[: max(DEPTHS)]
        got = [overlap(wanted, answers[row]) for row in nearest[text]]
        scores.append(_score(got, ideal[wanted]))
    return {key: sum(s[key] for s in scores) / len(scores) for key in scores[0]}


def _score(got: Sequence[float], best: Sequence[float]) -> Mapping[str, float]:
    scores: dict[str, Any] = {"copied": float(got[0] == 1)}
    for k in DEPTHS:
        right = [gain > 0 for gain in got[:k]]
        scores[f"precision@{k}"] = sum(right) / len(right)
        scores[f"recall@{k}"] = float(any(right))
        ideal = discounted(best[:k])
        scores[f"ndcg@{k}"] = discounted(got[:k]) / ideal if ideal else 0.0
    return scores


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Give the Jaccard index of two answers: 1 where they are the same.

    one (frozenset[str]): Lines of the one.
    other (frozenset[str]): Lines of the other.
    RETURNS (float): Between 0 and 1.
    """
    return len(one & other) / len(one | other)


def discounted(gains: Sequence[float]) -> float:
    """Sum gains, each divided by the logarithm of its place (DCG, Järvelin 2002).

    gains (Sequence[float]): The first is the best place.
    RETURNS (float): 0 where there is no gain.
    """
    return sum(g / math.log2(place) for place, g in enumerate(gains, start=2))


def _lines(answer: str) -> frozenset[str]:
    return frozenset(line.strip() for line in answer.strip().split("\n"))
