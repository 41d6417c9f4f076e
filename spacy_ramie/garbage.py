"""Putting off Python's garbage collection while much is made that stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in this process: modules, weights and exemplars are none.

    Looking through them again and again takes a fifth of the time until the first note
    is answered.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
