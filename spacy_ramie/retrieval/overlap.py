"""How much two answers have in common."""


def items_of(answer: str) -> frozenset[str]:
    """Cut an answer into its items, one a line.

    answer (str): A gold completion.
    RETURNS (frozenset[str]): The lines, without the blanks around them.
    """
    return frozenset(line.strip() for line in answer.strip().split("\n"))


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Give the Jaccard index of two answers: 1 where they are the same.

    one (frozenset[str]): Items of the one.
    other (frozenset[str]): Items of the other.
    RETURNS (float): Between 0 and 1.
    """
    return len(one & other) / len(one | other)
