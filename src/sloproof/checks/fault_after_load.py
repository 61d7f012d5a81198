"""experiment/fault-after-load: a load that is made longer, because nothing is broken while it lasts."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.definition import format_duration
from sloproof.errors import Problem

ID = "experiment/fault-after-load"


def check(subject: Subject) -> Iterator[Problem]:
    """Experiments whose first fault begins when their load, as its profile says, is over already."""
    for late in subject.late_faults:
        yield late.place.warning(
            f"the first fault begins at {format_duration(late.at)}, when `{late.load}` is over after "
            f"{format_duration(late.load_lasts)}, so each run makes that load last {format_duration(late.run_lasts)}",
            ID,
            f"begin earlier, or give the load a `duration` of `{format_duration(late.run_lasts)}`",
        )
