"""service/no-owner: an alert that nobody is woken by."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "service/no-owner"


def check(subject: Subject) -> Iterator[Problem]:
    """Services whose owner is empty."""
    for service, place in subject.services():
        if not service.owner.strip():
            yield place.problem(
                f"`{service.name}` has no owner, so no route can send its alerts to somebody",
                ID,
                f'name the team that is woken: `owner="{service.name} team"`',
            )
