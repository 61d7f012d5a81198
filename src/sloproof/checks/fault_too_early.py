"""experiment/fault-too-early: a run that cannot tell whether its system was well before it broke it."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.definition import format_duration
from sloproof.errors import Problem

ID = "experiment/fault-too-early"


def check(subject: Subject) -> Iterator[Problem]:
    """Experiments whose first fault leaves no steady state to be judged; only of systems that promise something."""
    promised = {slo.service.name for slo, _ in subject.slos}
    for early in subject.early_faults:
        if early.system in promised:
            yield early.place.warning(
                f"the first fault begins at {format_duration(early.at)}, too early to tell whether the objectives of "
                f"`{early.system}` held before, so each run is UNDECIDED",
                ID,
                f"let it begin at `{format_duration(early.earliest)}` or later, or shorten the warm-up of the load",
            )
