"""service/reserved-name: a service whose dashboard would overwrite the overview."""

from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "service/reserved-name"


def check(subject: Subject) -> Iterator[Problem]:
    """Services called as the dashboard of all services."""
    for service, place in subject.services():
        if service.name == names.OVERVIEW:
            yield place.problem(
                f"no service can be called `{service.name}`: the dashboard of all services bears that name",
                ID,
                f"choose another name, such as `{service.name}-page`",
            )
