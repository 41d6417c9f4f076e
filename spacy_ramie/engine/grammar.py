"""The grammar of an answer, as text for llguidance.

Nothing here knows of torch or of a model: the same text serves any engine that
speaks llguidance's Lark dialect.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce

# A sentence of more words is held to its pieces, but not to their order, whose
# rules grow with every word: the parser keeps at most 2,000 of them in mind.
ORDERED_WORDS = 100

# Bits for a place in the sentence. The parameter of a rule has 64 of them.
PLACE_BITS = 16


def items_grammar(
    chunks: Sequence[str], columns: Sequence[Sequence[str] | None]
) -> str:
    """Write the grammar of a list of items, each of whose spans is in a sentence.

    Accepted are `None` or one item a line with a tab between its fields, and a
    blank before each. A span is one or more neighbouring chunks without a blank at
    its edges. The items go through the sentence from left to right, by where their
    first span begins, then their second: none can be said more often than it stands
    there. The answer may begin with no blank or with two: tokenizers of the
    SentencePiece kind put one before every text, or hide it.

    chunks (Sequence[str]): Tokens of the sentence and the blanks between them;
        none holds a tab or a line break.
    columns (Sequence): Per field the words it can hold; None: a span. Four spans
        at most.
    RETURNS (str): The grammar, in llguidance's dialect of Lark with parametric
        rules.
    """
    rules = [
        # Forced bytes would be forced as tokens, and text of a note that reads like
        # a special token as that token: an answer would end at a "</s>" in it.
        '%llguidance {"no_forcing": true}',
        'start: LEAD ("None" | field0::0)',
        "LEAD: / {0,2}/",
        "TAB: /\\t /",
    ]
    starts = [k for k, chunk in enumerate(chunks) if not chunk[0].isspace()]
    ordered = len(starts) <= ORDERED_WORDS
    rules += _spans_by_start(chunks) if ordered else _any_span(chunks)
    lows = _places(columns)
    for i, column in enumerate(columns):
        last = i + 1 == len(columns)
        if column is not None:
            rules.append(f"WORD{i}: {' | '.join(map(json.dumps, column))}")
        if column is not None or not ordered:
            field = "SPAN" if column is None else f"WORD{i}"
            then = "rest::_" if last else f"TAB field{i + 1}::_"
            rules.append(f"field{i}::_: {field} {then}")
        else:
            rules += _in_order(i, starts, lows, last)
    more = _some_left(lows.values(), starts[-1]) if ordered else "true"
    rules.append(f'rest::_: "" | "\\n " field0::_ %if {more}')
    return "\n".join(rules) + "\n"


def _places(columns: Sequence[Sequence[str] | None]) -> dict[int, int]:
    """Per span field its lowest bit in the parameter: the first field has the highest."""
    fields = [i for i, column in enumerate(columns) if column is None]
    return {field: n * PLACE_BITS for n, field in enumerate(reversed(fields))}


def _any_span(chunks: Sequence[str]) -> list[str]:
    """The terminal of all spans."""
    return [
        "SPAN: SUB & /\\S([^\\t\\n]*\\S)?/",
        f"SUB: %regex {json.dumps({'substring_chunks': list(chunks)})}",
    ]


def _spans_by_start(chunks: Sequence[str]) -> Iterator[str]:
    """A terminal for each chunk: the spans that begin with it."""
    for k, chunk in enumerate(chunks):
        may_end = "" if chunk[-1].isspace() else "?"
        more = f" SPAN{k + 1}{may_end}" if k + 1 < len(chunks) else ""
        yield f"SPAN{k}: {json.dumps(chunk)}{more}"


def _in_order(
    field: int, starts: Sequence[int], lows: Mapping[int, int], last: bool
) -> Iterator[str]:
    """The rules of a field that is a span.

    The parameter knows of the item before where each of its spans began: its chunk
    and 1 more, so that 0 is before the first. One that begins later is free in its
    other spans; one that begins at the same chunk must go on in those.
    """
    low = lows[field]
    before = [lows[i] for i in lows if i < field]
    behind = [lows[i] for i in lows if i > field]
    above = (1 << 64) - (1 << low + PLACE_BITS)
    options = []
    for k in starts:
        later, same = f"lt({_bits(low)}, {k + 1})", f"eq({_bits(low)}, {k + 1})"
        options.append(f"SPAN{k} set{field}_{k}::bit_and({above}) %if {later}")
        if behind:
            same = f"and({same}, {_some_left(behind, starts[-1])})"
            options.append(f"SPAN{k} TAB field{field + 1}::_ %if {same}")
        place = f"bit_or({k + 1 << low})"
        if last:
            # Not by way of `rest`: of a rule that is nothing but another one,
            # llguidance 1.9.1 loses the function.
            more = "true" if k < starts[-1] else _some_left(before, starts[-1])
            yield f'set{field}_{k}::_: "" | "\\n " field0::{place} %if {more}'
        else:
            yield f"set{field}_{k}::_: TAB field{field + 1}::{place}"
    yield f"field{field}::_: {' | '.join(options)}"


def _some_left(lows: Iterable[int], last: int) -> str:
    """The condition that a span can still begin later: the parser does not look ahead."""
    left = (f"lt({_bits(low)}, {last + 1})" for low in lows)
    return reduce("or({}, {})".format, left, "not(true)")


def _bits(low: int) -> str:
    return f"[{low}:{low + PLACE_BITS}]"
