"""Cutting requests into batches: pure arithmetic on lengths."""

from collections.abc import Hashable, Sequence


def cut_batches(
    lengths: Sequence[int], keys: Sequence[Hashable], budget: int
) -> list[list[int]]:
    """Cut items into batches of equal key and similar length.

    lengths (Sequence[int]): Tokens of each item.
    keys (Sequence): Items of different keys never share a batch; keys that
        compare share a neighbourhood, in the order in which they first occur.
    budget (int): Tokens of a batch at most, padding included; an item that is
        longer is a batch of its own.
    RETURNS (list): Batches of indices into lengths, each sorted by length.
    """
    ranks = {key: rank for rank, key in enumerate(dict.fromkeys(keys))}
    order = sorted(range(len(lengths)), key=lambda i: (ranks[keys[i]], lengths[i]))
    batches: list[list[int]] = []
    for i in order:
        batch = batches[-1] if batches else []
        # Sorted by length, the newcomer is the longest of its batch.
        fits = (len(batch) + 1) * lengths[i] <= budget
        if batch and keys[batch[0]] == keys[i] and fits:
            batch.append(i)
        else:
            batches.append([i])
    return batches
