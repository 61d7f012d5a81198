"""What a fault looks like once it has looked at its target, and before anything is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

from sloproof.chaos.faults import Fault
from sloproof.chaos.target import Target
from sloproof.chaos.undo_step import Effect, UndoStep

HEALTH_PATH = "/healthz"


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


@singledispatch
def prepare(fault: Fault, target: Target, allowed: tuple[str, ...]) -> Prepared:
    """Look at the target and say how a fault is injected, seen and put back.

    Args:
        fault: what to break.
        target: the running system.
        allowed: targets beyond loopback that the workspace lists.

    Returns:
        The three, with nothing changed yet.

    Raises:
        Refused: the target is not allowed; nothing was sent.
        PartFailed: a part does not answer or is not well before the fault.
    """
    raise TypeError(f"no way to inject {fault!r}")
