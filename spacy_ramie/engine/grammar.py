"""The grammar of an answer, as text for llguidance.

Nothing here knows of torch or of a model: the same text serves any engine that
speaks llguidance's Lark dialect.
"""

import json
from collections.abc import Sequence


def items_grammar(
    chunks: Sequence[str], columns: Sequence[Sequence[str] | None]
) -> str:
    """Write the grammar of a list of items, each of whose spans is in a sentence.

    Accepted are `None` or one item a line with a tab between its fields, and a
    blank before each. A span is one or more neighbouring chunks without a blank at
    its edges. The answer may begin with no blank or with two: tokenizers of the
    SentencePiece kind put one before every text, or hide it.

    chunks (Sequence[str]): Tokens of the sentence and the blanks between them;
        none holds a tab or a line break.
    columns (Sequence): Per field the words it can hold; None: a span.
    RETURNS (str): The grammar.
    """
    words = [None if column is None else _choice(column) for column in columns]
    fields = ["SPAN" if word is None else f"WORD{i}" for i, word in enumerate(words)]
    rules = [
        # Forced bytes would be forced as tokens, and text of a note that reads like
        # a special token as that token: an answer would end at a "</s>" in it.
        '%llguidance {"no_forcing": true}',
        'start: LEAD ("None" | items)',
        'items: item ("\\n " item)*',
        f"item: {' TAB '.join(fields)}",
        "LEAD: / {0,2}/",
        "TAB: /\\t /",
        "SPAN: SUB & /\\S([^\\t\\n]*\\S)?/",
        f"SUB: %regex {json.dumps({'substring_chunks': list(chunks)})}",
    ]
    rules += [f"WORD{i}: {word}" for i, word in enumerate(words) if word is not None]
    return "\n".join(rules) + "\n"


def _choice(words: Sequence[str]) -> str:
    return " | ".join(json.dumps(word) for word in words)
