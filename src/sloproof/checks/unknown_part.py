"""experiment/unknown-part: a fault of something that its system does not have."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "experiment/unknown-part"


def check(subject: Subject) -> Iterator[Problem]:
    """Faults that name an instance, route or dependency which their system does not have; only of known systems."""
    for reference in subject.part_references:
        known = subject.parts.get(reference.system, {}).get(reference.kind)
        if known is not None and reference.name not in known:
            yield reference.place.problem(
                f"`{reference.system}` has no {reference.kind} `{reference.name}`, so the fault is refused in each run",
                ID,
                f"it has {', '.join(f'`{name}`' for name in sorted(known))}",
            )
