"""The live line under a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.chaos.run import Watch
    from sloproof.loadtests.progress import Progress

EVERY = 10.0
"""Without a terminal, a line is printed only so often (seconds)."""


@contextmanager
def live_line(prefix: str = "") -> "Iterator[Watch]":
    """Draw how the load stands: one line that is rewritten on a terminal, else a line now and then.

    Args:
        prefix: put before each line.
    """
    if console.talk().is_terminal:
        with console.talk().status(f"{prefix}starting the load") as status:

            def rewrite(progress: "Progress | None") -> None:
                status.update(prefix + _line(progress))

            yield rewrite
        return
    said = -EVERY

    def now_and_then(progress: "Progress | None") -> None:
        nonlocal said
        if progress is not None and progress.elapsed - said >= EVERY:
            said = progress.elapsed
            console.say(prefix + _line(progress))

    yield now_and_then


def _line(progress: "Progress | None") -> str:
    from sloproof.loadtests.progress_line import progress_line

    return progress_line(progress) if progress is not None else "starting the load"
