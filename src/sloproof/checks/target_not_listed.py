"""experiment/target-not-listed: a fault that is aimed where nothing may be sent."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "experiment/target-not-listed"


def check(subject: Subject) -> Iterator[Problem]:
    """Faults that name an address which is neither loopback nor listed, or which no run may ever reach."""
    for aim in subject.unlisted_aims:
        yield aim.place.problem(f"{aim.why}, so each run refuses to {aim.fault}", ID, aim.hint)
