"""What a run may not reach, told from its definition and from this machine's processes; nothing is sent."""

from collections.abc import Iterator, Sequence

from sloproof.chaos.faults import Fault
from sloproof.chaos.foreign_process import find
from sloproof.chaos.outside_faults import ProcessFault
from sloproof.errors import PartFailed, Refused, SloproofError, UsageError
from sloproof.targets import Objection, objection_to


def objections(fault: Fault, allowed: Sequence[str] = ()) -> tuple[Objection, ...]:
    """Why the addresses that a fault names are no targets; each reason once.

    Args:
        fault: what is to be broken.
        allowed: targets beyond loopback that the workspace lists.
    """
    found = (_objection(address, allowed) for address in fault.addresses)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _objection(address: str, allowed: Sequence[str]) -> Objection | None:
    try:
        return objection_to(address, allowed)
    except UsageError as error:
        return Objection(error.message, error.hint)


def out_of_reach(faults: Sequence[Fault], allowed: Sequence[str] = ()) -> Iterator[SloproofError]:
    """The errors that a run of these faults would end with.

    Args:
        faults: what is to be broken.
        allowed: targets beyond loopback that the workspace lists.

    Returns:
        Refused: an address is not listed; a process is of another user, of this tool, or one of several.
        PartFailed: there is no such process.
    """
    for fault in faults:
        cannot = f"cannot {fault.describe()}"
        for one in objections(fault, allowed):
            yield Refused(f"{cannot}: {one.what}; nothing was sent", hint=one.hint)
        if isinstance(fault, ProcessFault):
            try:
                find(fault.wanted)
            except (Refused, PartFailed) as error:
                yield type(error)(f"{cannot}: {error.message}", hint=error.hint)
