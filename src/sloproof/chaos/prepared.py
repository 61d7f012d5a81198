"""A fault that has looked at its target and changed nothing yet."""

from collections.abc import Callable
from dataclasses import dataclass

from sloproof.chaos.undo_step import Effect, UndoStep


@dataclass(frozen=True)
class Prepared:
    """A fault that has looked at its target and changed nothing yet.

    Args:
        undo: how it is put back.
        effect: how its effect is seen.
        apply: injects it, and says what it did.
    """

    undo: UndoStep
    effect: Effect
    apply: Callable[[], str]
