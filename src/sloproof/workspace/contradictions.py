"""Definitions that cannot stand beside each other: both places are named, whichever of them is the mistake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sloproof import names
from sloproof.alerts import BurnPolicy, CauseAlert, Routing
from sloproof.definition import Definition
from sloproof.errors import Problem
from sloproof.slo import SLO


@dataclass(frozen=True)
class Located:
    """A definition and where it stands.

    Args:
        definition: the definition.
        path: its file, relative to the workspace.
        line: the line of the statement that binds it.
        variable: the name it is bound to, such as `latency` or `objectives[1]`.
    """

    definition: Definition
    path: str
    line: int
    variable: str

    def problem(self, what: str, check: str, hint: str) -> Problem:
        """A problem at this place."""
        return Problem(path=self.path, line=self.line, name=self.variable, what=what, check=check, hint=hint)


def contradictions(located: Sequence[Located]) -> Iterator[Problem]:
    """Definitions that claim the same name, or the same job.

    Args:
        located: every definition, in the order of files and lines.
    """
    yield from _claimed_twice(located)
    for one in located:
        if isinstance(one.definition, SLO) and one.definition.service.name == names.OVERVIEW:
            yield one.problem(
                f"no service may be called `{names.OVERVIEW}`: the dashboard of all services bears that name",
                "definition/reserved-name",
                "rename the service",
            )


def _claimed_twice(located: Sequence[Located]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Located] = {}
    for one in located:
        for claim, hint in _claims(one.definition):
            other = first.setdefault((type(one.definition).__name__, claim), one)
            if other is not one:
                what = f"{claim} is defined twice: here and at {other.path}:{other.line}"
                yield one.problem(what, "definition/duplicate-name", hint)


def _claims(definition: Definition) -> Iterator[tuple[str, str]]:
    only = "keep one of them: only one can take effect"
    if isinstance(definition, Routing):
        yield "the routing of the workspace", only
    elif isinstance(definition, BurnPolicy):
        if not definition.applies_to:
            yield "the burn policy of every objective that has none of its own", only
        for slo in definition.applies_to:
            yield f"the burn policy of `{slo.identity}`", only
    else:
        name = definition.identity if isinstance(definition, SLO | CauseAlert) else getattr(definition, "name", None)
        if name is not None:
            yield f"`{name}`", "rename one of them; series, files and alerts are told apart by this name"
