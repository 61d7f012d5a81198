"""What is left of every error budget now: by the recorded rules, and by the ledger."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sloproof import names
from sloproof.alerts.budget_ledger import Counts, Group
from sloproof.errors import PartFailed
from sloproof.prometheus import Prometheus
from sloproof.promql import Expression, Selector, equals
from sloproof.slo import SLO
from sloproof.verdict import Verdict, combine
from sloproof.workspace.ledger_store import LedgerStore
from sloproof.workspace.loading import Workspace

TOLERANCE = 0.05
"""Of the whole budget, ratio of 1: figures that differ by more are both shown. Recorded rates are right to within
3 % of what was spent; what is more is a gap."""
WHOLE = 0.95
"""The share of the window that must have been measured before a recorded figure alone says that a budget holds."""
LEDGER_FOLDER = "budget"

Key = tuple[str, str, Group]
"""Service, objective, and the values of the objective's labels."""


@dataclass(frozen=True)
class BudgetStatus:
    """One objective; of one that is split by labels, the group with the least budget.

    Args:
        slo: the objective.
        group: the values of its labels; empty when it is not split.
        recorded: the share of the budget that is left by the recorded rules, ratio of 1; None without that series.
        ledger: the same by the ledger; None where it has none, or does not reach back to the start of the window yet.
        errors_left: bad events that the budget still allows, by the more exact of both.
        burn: how many times too fast the fastest tier's long window spent the budget; None without traffic.
        burn_window: that window, as it is written.
        coverage: the share of the budget window that was recorded, ratio of 1.
        outdated: the recorded figures are those of another objective than the definition's.
        notes: what a reader must know, in words.
    """

    slo: SLO
    group: Group = ()
    recorded: float | None = None
    ledger: float | None = None
    errors_left: float | None = None
    burn: float | None = None
    burn_window: str = ""
    coverage: float | None = None
    outdated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def left(self) -> float | None:
        """What is left by the ledger, which loses nothing in a gap, else by the recorded rules."""
        return self.recorded if self.ledger is None else self.ledger

    @property
    def differ(self) -> bool:
        """Whether both figures are known and differ by more than the tolerance."""
        return self.recorded is not None and self.ledger is not None and abs(self.recorded - self.ledger) > TOLERANCE

    @property
    def verdict(self) -> Verdict:
        """FAIL below zero; UNDECIDED without figures of this objective, or where too little was measured to hold."""
        if self.left is None or (self.outdated and self.ledger is None):
            return Verdict.UNDECIDED
        if self.left < 0:
            return Verdict.FAIL
        measured = self.ledger is not None or (self.coverage is not None and self.coverage >= WHOLE)
        return Verdict.PASS if measured else Verdict.UNDECIDED

    def document(self) -> dict[str, Any]:
        """The same for programs; shares are ratios of 1, and what is unknown is null."""
        return {
            "service": self.slo.service.name,
            "slo": self.slo.name,
            "group": dict(zip(self.slo.by, self.group, strict=False)),
            "objective": str(self.slo.objective),
            "window": names.spelt(self.slo.budget_window),
            "budget_left": {"recorded": self.recorded, "ledger": self.ledger, "differ": self.differ},
            "bad_events_left": self.errors_left,
            "burn": {"window": self.burn_window, "rate": self.burn},
            "coverage": self.coverage,
            "verdict": str(self.verdict),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Status:
    """Every objective, worst budget first.

    Args:
        at: seconds since the epoch.
        budgets: those without a figure come last.
        failures: parts that failed on the way; the figures without them are shown nevertheless.
    """

    at: float
    budgets: tuple[BudgetStatus, ...]
    failures: tuple[PartFailed, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return combine(one.verdict for one in self.budgets)

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "at": self.at,
            "tolerance": TOLERANCE,
            "verdict": str(self.verdict),
            "objectives": [one.document() for one in self.budgets],
            "failures": [failure.message for failure in self.failures],
        }


def status_of(workspace: Workspace, prometheus: Prometheus, now: float | None = None, scale: int = 1) -> Status:
    """Ask for every recorded series once, for all objectives together, and bring the ledger up to date.

    Args:
        workspace: the definitions; the ledger lies in its own folder.
        prometheus: the server that holds the raw and the recorded series.
        now: seconds since the epoch; None is now.
        scale: the factor that the windows of its rules were divided by. The ledger counts whole windows, so it is
            neither asked nor written where they were.

    Raises:
        PartFailed: Prometheus does not answer, or only in part.
    """
    asked = _Asked(prometheus, time.time() if now is None else now, scale)
    store = LedgerStore(workspace.state / LEDGER_FOLDER)
    recorded, failures, found = _Recorded.of(workspace, asked), [], []
    for slo in workspace.slos:
        counts: Counts | None = None
        try:
            if scale == 1:
                counts = store.count(slo, workspace.settings.timing(), asked.ledger, asked.at)
        except PartFailed as failure:
            failures.append(failure)
        found.append(_worst(slo, recorded, counts, workspace))
    found.sort(key=lambda one: (one.left is None, one.left, one.slo.identity))
    return Status(asked.at, tuple(found), tuple({failure.message: failure for failure in failures}.values()))


@dataclass(frozen=True)
class _Asked:
    """A server at one instant."""

    prometheus: Prometheus
    at: float
    scale: int = 1

    def ledger(self, expression: Expression, at: float) -> list[tuple[Mapping[str, str], float]]:
        """Every series of an answer that is a number."""
        answer = self.prometheus.instant(expression, at)
        if answer.warnings:
            raise PartFailed(f"`{self.prometheus.url}` answered only in part: {'; '.join(answer.warnings)}")
        return [(one.labels, one.last) for one in answer.series if math.isfinite(one.last)]

    def recorded(self, metric: str) -> list[tuple[Mapping[str, str], float]]:
        """The newest values of a recorded series, of rules whose windows are divided by this scale."""
        return self.ledger(
            Selector(metric, (equals(names.SCALE, "" if self.scale == 1 else str(self.scale)),)), self.at
        )


@dataclass(frozen=True)
class _Recorded:
    """The recorded figures of all objectives, by metric and by objective."""

    values: Mapping[str, Sequence[tuple[Mapping[str, str], float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, asked: _Asked) -> "_Recorded":
        """One query for each recorded series."""
        windows = {_burn_series(slo, workspace) for slo in workspace.slos}
        windows |= {names.coverage(slo.budget_window) for slo in workspace.slos}
        metrics = [names.BUDGET_LEFT, names.ERRORS_LEFT, names.OBJECTIVE, *sorted(windows)]
        return cls({metric: asked.recorded(metric) for metric in metrics} if workspace.slos else {})

    def groups(self, metric: str, slo: SLO) -> dict[Group, float]:
        """The values of an objective's groups."""
        return {
            tuple(labels.get(label, "") for label in slo.by): value
            for labels, value in self.values.get(metric, ())
            if (labels.get(names.SERVICE), labels.get(names.SLO)) == (slo.service.name, slo.name)
        }

    def value(self, metric: str, slo: SLO, group: Group) -> float | None:
        """The value of one group."""
        return self.groups(metric, slo).get(group)


def _worst(slo: SLO, recorded: _Recorded, counts: Counts | None, workspace: Workspace) -> BudgetStatus:
    left = {group: _ledger_left(slo, count.ratio) for group, count in (counts or {}).items()}
    groups = {*recorded.groups(names.BUDGET_LEFT, slo), *left}
    statuses = [_of_group(slo, group, recorded, left, counts, workspace) for group in sorted(groups) or [()]]
    return min(statuses, key=lambda one: (one.left is None, one.left))


def _of_group(
    slo: SLO,
    group: Group,
    recorded: _Recorded,
    left: Mapping[Group, float | None],
    counts: Counts | None,
    workspace: Workspace,
) -> BudgetStatus:
    burn, series = None, _burn_series(slo, workspace)
    if (ratio := recorded.value(series, slo, group)) is not None:
        burn = ratio / float(slo.budget)
    errors_left = recorded.value(names.ERRORS_LEFT, slo, group)
    if counts is not None and group in counts:
        errors_left = counts[group].total * float(slo.budget) - counts[group].bad
    one = BudgetStatus(
        slo=slo,
        group=group,
        recorded=recorded.value(names.BUDGET_LEFT, slo, group),
        ledger=left.get(group),
        errors_left=errors_left,
        burn=burn,
        burn_window=names.spelt(workspace.policy(slo).tiers[0].long),
        coverage=recorded.value(names.coverage(slo.budget_window), slo, group),
        outdated=_outdated(slo, recorded.value(names.OBJECTIVE, slo, ())),
    )
    return BudgetStatus(**{**one.__dict__, "notes": tuple(_notes(one, recorded))})


def _notes(one: BudgetStatus, recorded: _Recorded) -> Iterable[str]:
    promised = recorded.value(names.OBJECTIVE, one.slo, ())
    if one.left is None:
        yield "no data: neither the rules nor the raw counters of this objective are on this server"
    elif one.recorded is None:
        yield "nothing is recorded: its rules are not loaded"
    elif one.differ:
        yield f"recorded and ledger differ by more than {TOLERANCE:.0%}; the ledger also counts what came in gaps"
    elif one.verdict is Verdict.UNDECIDED and not one.outdated:
        yield f"less than {WHOLE:.0%} of its window was measured"
    if one.outdated and promised is not None:
        yield f"the loaded rules promise {promised * 100:.6g} %: run `sloproof generate` and load them"


def _outdated(slo: SLO, promised: float | None) -> bool:
    """Whether the loaded rules promise something else."""
    return promised is not None and not math.isclose(promised, float(slo.objective) / 100, rel_tol=1e-9)


def _ledger_left(slo: SLO, ratio: float | None) -> float | None:
    if ratio is None:  # a period of the calendar without traffic yet is whole; a rolling window without is unknown
        return 1.0 if slo.calendar is not None else None
    return 1 - ratio / float(slo.budget)


def _burn_series(slo: SLO, workspace: Workspace) -> str:
    return names.error_ratio(workspace.policy(slo).tiers[0].long)
