"""slo/alert-name-collision: two objectives whose alerts would bear one name."""

from collections.abc import Iterator

from sloproof import names
from sloproof.checks.subject import Place, Subject
from sloproof.errors import Problem

ID = "slo/alert-name-collision"


def check(subject: Subject) -> Iterator[Problem]:
    """Names that differ as written and read alike as alerts: `a-b/c` and `a/b-c`."""
    first: dict[str, tuple[str, Place]] = {}
    for slo, place in subject.slos:
        alert = names.burn_alert(slo.service.name, slo.name, "fast")
        identity, other = first.setdefault(alert, (slo.identity, place))
        if identity != slo.identity:
            yield place.problem(
                f"the alerts of `{slo.identity}` and of `{identity}` ({other.path}:{other.line}) "
                f"would both be called `{alert}`",
                ID,
                "rename one of the two; runbooks and routes are bound to the alert's name",
            )
