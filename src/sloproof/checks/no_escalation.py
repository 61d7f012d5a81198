"""service/no-escalation: nobody to call when the owner does not answer."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "service/no-escalation"


def check(subject: Subject) -> Iterator[Problem]:
    """Services that page and do not say whom to call next."""
    for service, place in subject.services():
        if not service.escalation.strip():
            yield place.warning(
                f"`{service.name}` has no `escalation`, so its runbooks end where the owner does not answer",
                ID,
                "name whom to call next",
            )
