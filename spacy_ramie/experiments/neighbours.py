"""How good retrieval is in itself, and what a gold answer in the query would fake."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
from spacy.language import Language
from spacy.tokens import Doc

from ..component import RamieExtractor
from ..corpus.items import Item, make_items
from ..linking import name_of
from ..retrieval.overlap import items_of, overlap
from ..retrieval.retriever import Retriever, with_answer
from ..tasks.entities import FIELDS, EntityTask
from .retrievers import CHANCE

# How many exemplars are looked at.
DEPTHS = (1, 3, 5)
QUERIES = ("sentence", "with answer")

# Per retriever, task and query: the measures.
Study = dict[str, dict[str, dict[str, dict[str, float]]]]
Names = Callable[[str], frozenset[str]]


def study_neighbours(
    nlp: Language,
    component: RamieExtractor,
    docs: Sequence[Doc],
    retrievers: Mapping[str, Retriever],
) -> Study:
    """Compare the answers of questions with those of the exemplars found for them.

    The query is the sentence, and once more the sentence with its gold answer, as the
    paper's released code has it: what the second is better by is what that leak fakes.

    nlp (Language): The pipeline.
    component (RamieExtractor): Its component.
    docs (Sequence[Doc]): Gold documents that are not among the exemplars.
    retrievers (Mapping[str, Retriever]): What finds the exemplars, all over those of
        the component.
    RETURNS (dict): Per retriever and task, for the queries "sentence" and "with
        answer" (without the latter for chance): for each depth k `precision@k` (share
        of the k that share an item of the answer), `recall@k` (share of the questions
        for which one of the k does) and `ndcg@k` (the overlap of the answers, Jaccard,
        as gain); `copied`, the share of the questions that the first one's answer is
        the answer to; and for entities `shared entities`, the share of the questions
        with an entity whose first exemplar names the same ingredient or words.
    """
    tasks = component.extraction.tasks
    items = list(make_items(component.prepare(docs, nlp), [*tasks.values()]))
    found: Study = {name: {} for name in retrievers}
    for task, bank in component.extraction.retriever.banks.items():
        asked = [item for item in items if item.question.task == task]
        answers = [items_of(exemplar.answer) for exemplar in bank.exemplars]
        best = _best_gains({items_of(item.completion) for item in asked}, answers)
        names = _names_in(component, task)
        for name, retriever in retrievers.items():
            found[name][task] = {
                query: _study(nlp, retriever, task, asked, query, best, names)
                for query in (QUERIES if name != CHANCE else QUERIES[:1])
                if asked
            }
    return found


def _best_gains(
    wanted: set[frozenset[str]], answers: Sequence[frozenset[str]]
) -> dict[frozenset[str], list[float]]:
    """What the best exemplars there are would gain, for each answer."""
    return {
        answer: sorted((overlap(answer, a) for a in answers), reverse=True)[
            : max(DEPTHS)
        ]
        for answer in wanted
    }


def _names_in(component: RamieExtractor, task: str) -> Names | None:
    """How the entities of an answer are read; nothing where a task names none."""
    asking = component.extraction.tasks.get(task)
    if not isinstance(asking, EntityTask):
        return None

    def names(answer: str) -> frozenset[str]:
        rows, _ = asking.style.read_items(FIELDS, answer)
        return frozenset(name_of(row.fields[0], component.ingredients) for row in rows)

    return names


def _study(
    nlp: Language,
    retriever: Retriever,
    task: str,
    items: Sequence[Item],
    query: str,
    best: Mapping[frozenset[str], Sequence[float]],
    names: Names | None,
) -> dict[str, float]:
    bank = retriever.banks[task]
    texts = [_query(item, query) for item in items]
    distinct = list(dict.fromkeys(texts))
    vectors = retriever.encoder.queries([nlp.make_doc(text)[:] for text in distinct])
    rows = bank.index.search(numpy.asarray(vectors), max(DEPTHS))
    nearest = {
        text: [bank.exemplars[row].answer for row, _ in found]
        for text, found in zip(distinct, rows, strict=True)
    }
    scores, shared = [], []
    for item, text in zip(items, texts, strict=True):
        wanted = items_of(item.completion)
        got = [overlap(wanted, items_of(answer)) for answer in nearest[text]]
        scores.append(_score(got, best[wanted]))
        named = names(item.completion) if names else frozenset()
        if names and named:
            shared.append(bool(named & names(nearest[text][0])))
    mean = {key: sum(s[key] for s in scores) / len(scores) for key in scores[0]}
    return {
        **mean,
        **({"shared entities": sum(shared) / len(shared)} if shared else {}),
    }


def _query(item: Item, query: str) -> str:
    sentence = item.exemplar.sentence
    if query == "sentence":
        return sentence
    return with_answer(sentence, item.completion)


def _score(got: Sequence[float], best: Sequence[float]) -> Mapping[str, float]:
    scores: dict[str, Any] = {"copied": float(got[0] == 1)}
    for k in DEPTHS:
        right = [gain > 0 for gain in got[:k]]
        scores[f"precision@{k}"] = sum(right) / len(right)
        scores[f"recall@{k}"] = float(any(right))
        ideal = discounted(best[:k])
        scores[f"ndcg@{k}"] = discounted(got[:k]) / ideal if ideal else 0.0
    return scores


def discounted(gains: Sequence[float]) -> float:
    """Sum gains, each divided by the logarithm of its place (DCG, Järvelin 2002).

    gains (Sequence[float]): The first is the best place.
    RETURNS (float): 0 where there is no gain.
    """
    return sum(g / math.log2(place) for place, g in enumerate(gains, start=2))
