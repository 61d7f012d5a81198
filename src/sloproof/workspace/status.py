"""What is left of every error budget now: by the recorded rules, and by the ledger."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sloproof import names
from sloproof.alerts.budget_ledger import Counts, Group
from sloproof.alerts.severity import URGENT
from sloproof.errors import PartFailed
from sloproof.http import TimedOut, Unreachable
from sloproof.prometheus import Prometheus
from sloproof.prometheus_answers import ActiveAlert
from sloproof.slo import SLO
from sloproof.verdict import Verdict, combine
from sloproof.workspace.last_proofs import LastProof
from sloproof.workspace.ledger_store import LedgerStore
from sloproof.workspace.loading import Workspace
from sloproof.workspace.status_recorded import Asked, Recorded, burn_series

TOLERANCE = 0.05
"""Of the whole budget, ratio of 1: figures that differ by more are both shown. Recorded rates are right to within
3 % of what was spent; what is more is a gap."""
WHOLE = 0.95
"""The share of the window that must have been measured before a recorded figure alone says that a budget holds."""
LEDGER_FOLDER = "budget"
MOST_WITH_LEDGER = 100
"""Objectives whose ledger is brought up to date without being asked for: each costs the server several questions."""


class Missing(StrEnum):
    """Why it is not known what is left of a budget."""

    NOTHING = "no data: nothing is recorded for it"
    NO_EVENTS = "no data: its rules are loaded, and found no events"
    NOT_ANSWERED = "not known: the server did not answer in full"


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
        scale: what the windows of the rules were divided by.
        in_part: the server said itself that something is missing of its answer.
        groups: how many groups the objective has; 1 where it is not split.
        spent_groups: how many of them have nothing left.
        alerts: the active alerts of this objective, of all its groups; None where nobody could tell.
        proof: when its alerts were last shown to work; None for never.
        missing: why it is not known what is left; None where it is.
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
    scale: int = 1
    in_part: bool = False
    groups: int = 1
    spent_groups: int = 0
    alerts: tuple[ActiveAlert, ...] | None = None
    proof: LastProof | None = None
    missing: Missing | None = None
    notes: tuple[str, ...] = ()

    @property
    def left(self) -> float | None:
        """What is left by the ledger, which loses nothing in a gap, else by the recorded rules."""
        return self.recorded if self.ledger is None else self.ledger

    @property
    def empty(self) -> bool:
        """Whether it is known neither what is left nor what burns."""
        return self.left is None and self.burn is None

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
        measured = measured and not self.in_part  # what is missing may be a worse group
        return Verdict.PASS if measured else Verdict.UNDECIDED

    @property
    def indicator(self) -> float | None:
        """The share of good events in the whole window, ratio of 1; None without a figure."""
        return None if self.left is None else 1 - (1 - self.left) * float(self.slo.budget)

    @property
    def gone_in(self) -> timedelta | None:
        """How long what is left lasts at the burn of now; zero when nothing is left.

        Returns:
            None where either figure is unknown, and where nothing burns: `burn` tells which.
        """
        if self.left is None or self.burn is None:
            return None
        if self.left <= 0:
            return timedelta(0)
        return self.slo.window / self.scale * (self.left / self.burn) if self.burn > 0 else None

    def document(self) -> dict[str, Any]:
        """The same for programs; shares are ratios of 1, and what is unknown is null."""
        return {
            "service": self.slo.service.name,
            "slo": self.slo.name,
            "group": dict(zip(self.slo.by, self.group, strict=False)),
            "groups": {"known": self.groups, "spent": self.spent_groups},
            "objective": str(self.slo.objective),
            "window": names.spelt(self.slo.budget_window),
            "indicator": self.indicator,
            "budget_left": {"recorded": self.recorded, "ledger": self.ledger, "differ": self.differ},
            "bad_events_left": self.errors_left,
            "burn": {"window": self.burn_window, "rate": self.burn},
            "gone_in_seconds": None if self.gone_in is None else self.gone_in.total_seconds(),
            "coverage": self.coverage,
            "alerts": None if self.alerts is None else [alert_document(alert) for alert in self.alerts],
            "last_proof": None if self.proof is None else self.proof.document(),
            "verdict": str(self.verdict),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Status:
    """Every objective, worst budget first.

    Args:
        at: seconds since the epoch.
        budgets: those without a figure come last.
        failures: parts that failed on the way, or answered only in part; what is known without them is shown.
        alerts: active alerts of services, which belong to no objective; None where nobody could tell.
        questions: how often the server was asked for recorded figures and alerts.
        without_ledger: the ledger was left alone, because there are too many objectives.
    """

    at: float
    budgets: tuple[BudgetStatus, ...]
    failures: tuple[PartFailed, ...] = ()
    alerts: tuple[ActiveAlert, ...] | None = ()
    questions: int = 0
    without_ledger: bool = False

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return combine(one.verdict for one in self.budgets)

    def whole(self) -> "Status":
        """The same, for those who must not act on a part of it.

        Raises:
            PartFailed: something could not be asked, or was answered only in part.
        """
        if self.failures:
            raise self.failures[0]
        return self

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "at": self.at,
            "tolerance": TOLERANCE,
            "verdict": str(self.verdict),
            "objectives": [one.document() for one in self.budgets],
            "alerts": None if self.alerts is None else [alert_document(alert) for alert in self.alerts],
            "questions": self.questions,
            "ledger": not self.without_ledger,
            "failures": [failure.message for failure in self.failures],
        }


def alert_document(alert: ActiveAlert) -> dict[str, Any]:
    """An active alert for programs."""
    return {
        "alert": alert.name,
        "state": alert.state,
        "severity": alert.labels.get(names.SEVERITY, ""),
        "since": alert.active_at,
        "labels": dict(alert.labels),
    }


def status_of(
    workspace: Workspace,
    prometheus: Prometheus,
    now: float | None = None,
    scale: int = 1,
    *,
    ledger: bool | None = None,
    proofs: Mapping[str, LastProof] | None = None,
) -> Status:
    """Ask for every recorded series once, for all objectives together, and bring the ledger up to date.

    Args:
        workspace: the definitions; the ledger lies in its own folder.
        prometheus: the server that holds the raw and the recorded series.
        now: seconds since the epoch; None is now.
        scale: the factor that the windows of its rules were divided by. The ledger counts whole windows, so it is
            neither asked nor written where they were.
        ledger: whether the ledger is brought up to date, which asks for raw series objective by objective; None does
            it for up to `MOST_WITH_LEDGER` objectives.
        proofs: when each objective's alerts were last shown to work, by identity.

    Raises:
        PartFailed: Prometheus does not answer at all.
    """
    asked = Asked(prometheus, time.time() if now is None else now, scale)
    wanted = ledger if ledger is not None else len(workspace.slos) <= MOST_WITH_LEDGER
    recorded = Recorded.of(workspace, asked)
    counts, failures = _counted(workspace, asked) if wanted and scale == 1 else ({}, [])
    alerts = _alerts_by_objective(recorded.alerts)
    found = [
        replace(
            _worst(slo, recorded, counts.get(slo.identity), workspace),
            scale=scale,
            alerts=None if alerts is None else alerts.get(slo.identity, ()),
            proof=(proofs or {}).get(slo.identity),
        )
        for slo in workspace.slos
    ]
    found.sort(key=lambda one: (one.left is None, one.left, one.slo.identity))
    return Status(
        at=asked.at,
        budgets=tuple(found),
        failures=tuple({failure.message: failure for failure in [*recorded.failures, *failures]}.values()),
        alerts=None if alerts is None else _of_services(workspace, recorded.alerts or ()),
        questions=recorded.questions,
        without_ledger=not wanted,
    )


def _counted(workspace: Workspace, asked: Asked) -> tuple[dict[str, Counts], list[PartFailed]]:
    """The ledger's counts by identity, and what failed on the way."""
    store, timing = LedgerStore(workspace.state / LEDGER_FOLDER), workspace.settings.timing()
    counts: dict[str, Counts] = {}
    failures: list[PartFailed] = []
    for slo in workspace.slos:
        try:
            found = store.count(slo, timing, asked.whole, asked.at)
        except PartFailed as failure:
            failures.append(failure)
            if isinstance(failure, Unreachable | TimedOut):
                break  # each of the others would wait as long
        else:
            counts |= {} if found is None else {slo.identity: found}
    return counts, failures


def _alerts_by_objective(active: Sequence[ActiveAlert] | None) -> dict[str, tuple[ActiveAlert, ...]] | None:
    if active is None:
        return None
    found: dict[str, tuple[ActiveAlert, ...]] = {}
    for alert in sorted(active, key=_urgency):
        identity = names.identity(alert.labels.get(names.SERVICE, ""), alert.labels.get(names.SLO, ""))
        found[identity] = (*found.get(identity, ()), alert)
    return found


def _of_services(workspace: Workspace, active: Sequence[ActiveAlert]) -> tuple[ActiveAlert, ...]:
    """Alerts of causes, and of services that cannot be scraped."""
    services = {service.name for service in workspace.services}
    own = (one for one in active if one.labels.get(names.SERVICE) in services and not one.labels.get(names.SLO))
    return tuple(sorted(own, key=_urgency))


def _urgency(alert: ActiveAlert) -> tuple[object, ...]:
    """Firing before pending, what wakes somebody first, the oldest first."""
    return alert.state != "firing", alert.labels.get(names.SEVERITY) not in URGENT, alert.active_at, alert.name


def _worst(slo: SLO, recorded: Recorded, counts: Counts | None, workspace: Workspace) -> BudgetStatus:
    left = {group: _ledger_left(slo, count.ratio) for group, count in (counts or {}).items()}
    groups = {*recorded.groups(names.BUDGET_LEFT, slo), *left}
    statuses = [_of_group(slo, group, recorded, left, counts, workspace) for group in sorted(groups) or [()]]
    worst = min(statuses, key=lambda one: (one.left is None, one.left))
    spent = sum(one.left is not None and one.left <= 0 for one in statuses)
    return replace(worst, groups=len(statuses), spent_groups=spent)


def _of_group(
    slo: SLO,
    group: Group,
    recorded: Recorded,
    left: Mapping[Group, float | None],
    counts: Counts | None,
    workspace: Workspace,
) -> BudgetStatus:
    burn, series = None, burn_series(slo, workspace)
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
        outdated=_outdated(slo, recorded.promised(slo)),
        in_part=recorded.in_part,
    )
    one = replace(one, missing=_missing(one, recorded))
    return replace(one, notes=tuple(_notes(one, recorded)))


def _missing(one: BudgetStatus, recorded: Recorded) -> Missing | None:
    if one.left is not None:
        return None
    if recorded.failures:
        return Missing.NOT_ANSWERED
    return Missing.NOTHING if recorded.promised(one.slo) is None else Missing.NO_EVENTS


def _notes(one: BudgetStatus, recorded: Recorded) -> Iterator[str]:
    promised = recorded.promised(one.slo)
    if one.missing is not None:
        yield one.missing.value
    elif one.recorded is None:
        yield "nothing is recorded: its rules are not loaded"
    elif one.differ:
        most = f"{TOLERANCE * 100:.0f} %"
        yield f"recorded and ledger differ by more than {most}; the ledger also counts what came in gaps"
    elif one.in_part:
        yield "the server answered only in part: a worse group may be missing"
    elif one.verdict is Verdict.UNDECIDED and not one.outdated:
        unknown = "it is not known how much of its window was measured"
        yield unknown if one.coverage is None else f"less than {WHOLE * 100:.0f} % of its window was measured"
    if one.outdated and promised is not None:
        yield f"the loaded rules promise {promised * 100:.6g} %: run `sloproof generate` and load them"


def _outdated(slo: SLO, promised: float | None) -> bool:
    """Whether the loaded rules promise something else."""
    return promised is not None and not math.isclose(promised, float(slo.objective) / 100, rel_tol=1e-9)


def _ledger_left(slo: SLO, ratio: float | None) -> float | None:
    if ratio is None:  # a period of the calendar without traffic yet is whole; a rolling window without is unknown
        return 1.0 if slo.calendar is not None else None
    return 1 - ratio / float(slo.budget)
