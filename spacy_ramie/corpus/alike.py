"""Records that say the same: templates within a corpus, leaks between its splits."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Record = Mapping[str, Any]

# Characters of an n-gram, and the share of n-grams that two texts have in common
# (Jaccard) from which on one is taken for a copy of the other.
LENGTH = 5
ALIKE = 0.5
# Records compared with all others at a time.
BLOCK = 256


class Alike(NamedTuple):
    """Two records of different splits that are nearly one.

    share (float): Character n-grams in common, of those in either.
    """

    one: str
    other: str
    share: float


def skeleton(record: Record) -> tuple[str, ...]:
    """Give the words of a record, with a mark in place of each entity.

    record (Record): A corpus record.
    RETURNS (tuple[str, ...]): The words in lower case, without digits.
    """
    text, at = "", 0
    for entity in sorted(record.get("entities", ()), key=lambda e: e["start"]):
        # Of overlapping entities the rest of the later one goes too.
        text += record["text"][at : entity["start"]] + " _ "
        at = max(at, entity["end"])
    text += record["text"][at:]
    return tuple(re.findall(r"_|[^\W\d_]+", text.lower()))


def same_skeletons(records: Iterable[Record]) -> list[list[str]]:
    """Find records that are the same but for their entities.

    records (Iterable): Corpus records.
    RETURNS (list[list[str]]): The ids of each group of more than one.
    """
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for record in records:
        groups[skeleton(record)].append(record["id"])
    return [ids for ids in groups.values() if len(ids) > 1]


def near_duplicates(first: Sequence[Record], second: Sequence[Record]) -> list[Alike]:
    """Find records of one split that are nearly records of another.

    first (Sequence): Corpus records.
    second (Sequence): Those of the other split.
    RETURNS (list[Alike]): The pairs, the most alike first.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if not first or not second:
        return []
    # One word shorter than an n-gram is an n-gram, blanks and all (char_wb).
    vectorizer = CountVectorizer(
        analyzer="char_wb", ngram_range=(LENGTH, LENGTH), binary=True
    )
    vectorizer.fit(record["text"] for record in (*first, *second))
    one, other = (
        vectorizer.transform(record["text"] for record in records)
        for records in (first, second)
    )
    sizes = one.sum(axis=1).A1, other.sum(axis=1).A1
    found = []
    for at in range(0, len(first), BLOCK):
        # Nearly every pair has some n-gram in common.
        shared = (one[at : at + BLOCK] @ other.T).tocoo()
        rows = at + shared.row
        either = sizes[0][rows] + sizes[1][shared.col] - shared.data
        for i in (shared.data >= ALIKE * either).nonzero()[0]:
            ids = first[rows[i]]["id"], second[shared.col[i]]["id"]
            found.append(Alike(*ids, float(shared.data[i] / either[i])))
    return sorted(found, key=lambda pair: -pair.share)
