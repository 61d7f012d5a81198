"""service/not-described: a runbook that cannot say what users lose."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "service/not-described"


def check(subject: Subject) -> Iterator[Problem]:
    """Services without a sentence on what users do with them."""
    for service, place in subject.services():
        if not service.description.strip():
            yield place.warning(
                f"`{service.name}` has no `description`, so its runbooks cannot say what users lose",
                ID,
                "say in one sentence what users do with it",
            )
