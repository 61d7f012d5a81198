"""Python's search for cycles of garbage, put off while there can be none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Make many values that live until the end without looking through all of them again and again.

    Rules, dashboards and pages form no cycles. The search took 40 % of the time of a thousand objectives.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
