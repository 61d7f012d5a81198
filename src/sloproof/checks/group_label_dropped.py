"""slo/group-label-dropped: an objective split by a label that its own expression has summed away."""

from collections.abc import Iterator

from sloproof import names
from sloproof.alerts.recording import recorded
from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "slo/group-label-dropped"


def check(subject: Subject) -> Iterator[Problem]:
    """Objectives whose recorded series lack a label of `by`: all groups are one, and its alerts know no group."""
    for slo, place in subject.slos:
        bases = (names.errors(subject.timing.base), names.total(subject.timing.base))
        series = [subject.recorded.known(recorded(base, slo, subject.timing)) or () for base in bases]
        for label in slo.by:
            if any(label not in labels for one in series for labels in one):
                yield place.problem(
                    f"`{slo.identity}` is split by `{label}`, and its indicator's own expression drops that label: "
                    "all groups are one, and its alerts cannot tell them apart",
                    ID,
                    f"keep the label in the expression, as `by ({label}, ...)`, or take it out of `by`",
                )
