"""Putting off Python's garbage collection while much is made that stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in this process: modules and weights are none.

    Looking through them again and again takes a seventh of the time until the first
    note is answered.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # Frozen and thawed, all that was made counts as old, and no look through it is
        # due at once. What the application itself has frozen would be thawed as well.
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if collecting:
            gc.enable()
