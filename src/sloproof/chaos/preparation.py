"""How each kind of fault looks at its target before anything is changed; each module of them registers its own."""

from functools import singledispatch

from sloproof.chaos.faults import Fault
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.target import Target

HEALTH_PATH = "/healthz"


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
