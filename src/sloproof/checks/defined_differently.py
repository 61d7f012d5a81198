"""service/defined-differently: one service with two owners, descriptions or jobs."""

from collections.abc import Iterator

from sloproof.checks.subject import Place, Subject
from sloproof.errors import Problem
from sloproof.slo import Service

ID = "service/defined-differently"


def check(subject: Subject) -> Iterator[Problem]:
    """Services of one name whose definitions disagree; which one the files follow would be chance."""
    first: dict[str, tuple[Service, Place]] = {}
    told: set[str] = set()
    for slo, place in subject.slos:
        service, other = first.setdefault(slo.service.name, (slo.service, place))
        fields = [name for name in type(service).model_fields if getattr(service, name) != getattr(slo.service, name)]
        if fields and service.name not in told:
            told.add(service.name)
            yield place.problem(
                f"`{service.name}` has another `{fields[0]}` here than at {other.path}:{other.line}",
                ID,
                "define the service once, and import it where it is needed",
            )
