"""What a processor can do is found out, not assumed."""

import time

import torch

from spacy_ramie.device import multiplies_bfloat16


def seconds(dtype: torch.dtype) -> float:
    """The least of some products of matrices."""
    one, other = torch.ones(512, 384, dtype=dtype), torch.ones(384, 512, dtype=dtype)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        one @ other
        taken.append(time.perf_counter() - start)
    return min(taken)


def test_a_processor_that_takes_many_times_as_long_only_imitates_bfloat16():
    times_as_long = seconds(torch.bfloat16) / seconds(torch.float32)

    # From 1/2 to 2 where there are kernels, and some 100 where there are none.
    if not 4 < times_as_long < 10:
        assert multiplies_bfloat16(torch.device("cpu")) == (times_as_long < 4)


def test_a_gpu_is_taken_at_its_word():
    assert multiplies_bfloat16(torch.device("cuda"))
