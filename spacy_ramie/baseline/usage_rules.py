"""Usage by published rules: the nearest trigger before the mention decides.

Fan and Zhang 2018 (Table 1): a word that speaks of taking, stopping, starting or
advising, and at most seven words between it and the supplement.
"""

from collections.abc import Sequence

# Words between trigger and mention at most.
REACH = 7

_FORMS = {
    "CONTINUE": (
        "continue continues continued continuing increase increases increased "
        "increasing take takes took taken taking"
    ),
    "DISCONTINUE": (
        "stop stops stopped stopping discontinue discontinues discontinued "
        "discontinuing hold holds held holding"
    ),
    "START": (
        "start starts started starting add adds added adding begin begins began "
        "begun beginning"
    ),
    "UNCERTAIN": (
        "recommend recommends recommended recommending avoid avoids avoided avoiding "
        "suggest suggests suggested suggesting"
    ),
}
CLASSES = frozenset(_FORMS)
_TRIGGERS = {word: label for label, words in _FORMS.items() for word in words.split()}


def usage_by_rules(before: Sequence[str]) -> str:
    """Classify a mention by what stands before it.

    before (Sequence[str]): The words of the sentence up to the mention.
    RETURNS (str): CONTINUE, DISCONTINUE, START or UNCERTAIN; the last also where
        there is no trigger.
    """
    for word in reversed(before[-REACH - 1 :]):
        label = _TRIGGERS.get(word.lower().strip(".,;:()"))
        if label is not None:
            return label
    return "UNCERTAIN"
