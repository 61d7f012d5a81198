"""The recorded figures and the alerts of every objective: a handful of questions, however many objectives there are."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sloproof import names
from sloproof.alerts.budget_ledger import Group
from sloproof.errors import PartFailed
from sloproof.http import TimedOut, Unreachable
from sloproof.prometheus import NotServed, Prometheus
from sloproof.prometheus_answers import ActiveAlert
from sloproof.promql import Expression, Selector, equals
from sloproof.slo import SLO
from sloproof.workspace.loading import Workspace

Samples = Sequence[tuple[Mapping[str, str], float]]
"""The labels and the value of each series of an answer."""


class AnsweredInPart(PartFailed):
    """The server answered, and said itself that something is missing."""


@dataclass(frozen=True)
class Asked:
    """A server at one instant.

    Args:
        prometheus: the server.
        at: seconds since the epoch.
        scale: the factor that the windows of its rules were divided by.
    """

    prometheus: Prometheus
    at: float
    scale: int = 1

    def whole(self, expression: Expression, at: float) -> Samples:
        """Every series of an answer that is a number.

        Raises:
            PartFailed: Prometheus does not answer, or only in part: half a sum is no count.
        """
        found, warnings = self._answer(expression, at)
        if warnings:
            raise in_part(self.prometheus, warnings)
        return found

    def recorded(self, metric: str) -> tuple[Samples, tuple[str, ...]]:
        """The newest values of a recorded series, of rules whose windows are divided by this scale, and warnings."""
        return self._answer(Selector(metric, (equals(names.SCALE, _scale_label(self.scale)),)), self.at)

    def _answer(self, expression: Expression, at: float) -> tuple[Samples, tuple[str, ...]]:
        answer = self.prometheus.instant(expression, at)
        return [(one.labels, one.last) for one in answer.series if math.isfinite(one.last)], answer.warnings


@dataclass
class Recorded:
    """What the rules recorded of all objectives, and which alerts are active.

    Args:
        values: by metric, then by service and objective.
        alerts: every active alert of these rules; None where the server does not tell.
        failures: what could not be asked; its figures are unknown.
        in_part: something is missing of what was answered.
        questions: how often the server was asked.
    """

    values: dict[str, dict[tuple[str, str], Samples]] = field(default_factory=dict)
    alerts: tuple[ActiveAlert, ...] | None = None
    failures: list[PartFailed] = field(default_factory=list)
    in_part: bool = False
    questions: int = 0
    _by_group: dict[tuple[str, str], Mapping[Group, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, asked: Asked) -> "Recorded":
        """One question for each recorded series, and one for the alerts.

        What fails is told and the rest is shown; who does not answer at all is not asked again.

        Raises:
            PartFailed: nothing could be asked.
        """
        found = cls()
        if not workspace.slos:
            return found
        questions: list[Callable[[], None]] = [partial(found._read, metric, asked) for metric in _metrics(workspace)]
        questions.append(partial(found._read_alerts, asked))
        for question in questions:
            found.questions += 1
            try:
                question()
            except PartFailed as failure:
                found.failures.append(failure)
                if isinstance(failure, Unreachable | TimedOut):
                    break
        if found.failures and not found.values:
            raise found.failures[0]
        return found

    def groups(self, metric: str, slo: SLO) -> Mapping[Group, float]:
        """The values of an objective's groups."""
        key = (metric, slo.identity)
        if key not in self._by_group:
            self._by_group[key] = {
                tuple(labels.get(label, "") for label in slo.by): value
                for labels, value in self.values.get(metric, {}).get((slo.service.name, slo.name), ())
            }
        return self._by_group[key]

    def value(self, metric: str, slo: SLO, group: Group) -> float | None:
        """The value of one group."""
        return self.groups(metric, slo).get(group)

    def promised(self, slo: SLO) -> float | None:
        """What the loaded rules promise, ratio of 1, of all groups alike; None where they are not loaded."""
        return next(iter(self.groups(names.OBJECTIVE, slo).values()), None)

    def _read(self, metric: str, asked: Asked) -> None:
        samples, warnings = asked.recorded(metric)
        by_objective: dict[tuple[str, str], list[tuple[Mapping[str, str], float]]] = {}
        for labels, value in samples:
            by_objective.setdefault((labels.get(names.SERVICE, ""), labels.get(names.SLO, "")), []).append(
                (labels, value)
            )
        self.values[metric] = dict(by_objective)
        if warnings:
            self.in_part = True
            self.failures.append(in_part(asked.prometheus, warnings))

    def _read_alerts(self, asked: Asked) -> None:
        try:
            found = asked.prometheus.alerts()
        except NotServed:  # Mimir and Thanos keep their alerts elsewhere: unknown is not none
            return
        wanted = _scale_label(asked.scale)
        self.alerts = tuple(one for one in found if one.labels.get(names.SCALE, "") == wanted)


def burn_series(slo: SLO, workspace: Workspace) -> str:
    """The ratio of bad events in the long window of the fastest tier."""
    return names.error_ratio(workspace.policy(slo).tiers[0].long)


def in_part(prometheus: Prometheus, warnings: Iterable[str]) -> AnsweredInPart:
    """The server's own warnings, as a failure."""
    return AnsweredInPart(
        f"`{prometheus.url}` answered only in part: {'; '.join(warnings)}",
        hint="what is missing may be the worst; look into its log, or ask another server",
    )


def _metrics(workspace: Workspace) -> list[str]:
    windows = {burn_series(slo, workspace) for slo in workspace.slos}
    windows |= {names.coverage(slo.budget_window) for slo in workspace.slos}
    return [names.BUDGET_LEFT, names.ERRORS_LEFT, names.OBJECTIVE, *sorted(windows)]


def _scale_label(scale: int) -> str:
    return "" if scale == 1 else str(scale)
