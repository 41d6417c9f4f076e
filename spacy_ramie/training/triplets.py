"""What a retriever learns from: which exemplar helps a sentence, and which only looks so."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from ..retrieval.overlap import items_of, overlap
from ..types import Exemplar

# A label of a closed set stands in thousands of answers: so many of them are looked at.
DRAWN = 64


class Triplet(NamedTuple):
    """A sentence and two exemplars of its task, one to be found and one not to be.

    anchor (Exemplar): Its sentence is what is searched for.
    positive (Exemplar): Another note's, whose answer shares an item with the anchor's.
    negative (Exemplar): Another note's, with similar words, whose answer shares none.
    """

    anchor: Exemplar
    positive: Exemplar
    negative: Exemplar


def make_triplets(
    exemplars: Sequence[Exemplar],
    similar: Sequence[Sequence[Exemplar]],
    each: int,
    random: Random,
) -> list[Triplet]:
    """Find what each exemplar of a task should and should not be near to.

    The positives are those with the largest overlap of the answers, by chance where
    several have it; the negatives are the most similar ones.

    exemplars (Sequence[Exemplar]): All of one task.
    similar (Sequence): For each of them others with similar words, the most similar
        first.
    each (int): How many triplets of an exemplar at most.
    random (Random): Source of chance.
    RETURNS (list[Triplet]): In the order of the exemplars; one without a positive or
        without a negative has none.
    """
    answers = {exemplar.id: items_of(exemplar.answer) for exemplar in exemplars}
    sharers: dict[str, list[Exemplar]] = defaultdict(list)
    for exemplar in exemplars:
        for item in sorted(answers[exemplar.id]):
            sharers[item].append(exemplar)
    triplets = []
    for anchor, others in zip(exemplars, similar, strict=True):
        positives = _positives(anchor, answers, sharers, random)[:each]
        negatives = [
            other
            for other in others
            if _apart(anchor, other) and not answers[anchor.id] & answers[other.id]
        ]
        if negatives:
            triplets += [
                Triplet(anchor, positive, negatives[i % len(negatives)])
                for i, positive in enumerate(positives)
            ]
    return triplets


def _positives(
    anchor: Exemplar,
    answers: Mapping[str, frozenset[str]],
    sharers: Mapping[str, Sequence[Exemplar]],
    random: Random,
) -> list[Exemplar]:
    """Exemplars that share an item, those that share most first."""
    wanted = answers[anchor.id]
    drawn: dict[str, Exemplar] = {}
    for item in sorted(wanted):
        some = random.sample(sharers[item], min(DRAWN, len(sharers[item])))
        drawn.update((e.id, e) for e in some if _apart(anchor, e))
    found = list(drawn.values())
    random.shuffle(found)
    return sorted(found, key=lambda e: -overlap(wanted, answers[e.id]))


def _apart(one: Exemplar, other: Exemplar) -> bool:
    """Say whether two exemplars are of different notes and different sentences."""
    return one.group != other.group and one.sentence != other.sentence
