"""Every objective and every alert that the five systems' documents ask for is defined, with its numbers.

The tables are written by hand from those documents. What a document leaves open (a share of time, a duration, a
severity) is in the tables as the definitions decide it, and the modules of the definitions say so.
"""

from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from sloproof.alerts import BudgetAlerts, CauseAlert, Routing, Webhook, budget_alerts_for
from sloproof.definition import format_duration
from sloproof.slo import SLO
from sloproof.workspace import load_workspace
from sloproof.workspace.loading import Workspace


class Objective(NamedTuple):
    """One row: which SLO, what it counts, at which limit, and for which share of events or of time."""

    slo: str
    claim: str
    indicator: str
    limit: str  # as the indicator keeps it; empty for one without a limit
    objective: str
    by: tuple[str, ...] = ()
    window: str = "30d"


class Alert(NamedTuple):
    """One row: which cause alert, beyond which limit, for how long, how urgent, measured over which window."""

    cause: str
    claim: str
    side: str
    limit: str
    hold: str
    severity: str
    reads: str  # a part of the expression


OBJECTIVES = (
    Objective("monolith/latency", "50-200 ms", "latency-below", "200ms", "95"),
    Objective("monolith/memory", "50-100 MB an instance", "gauge-below", "100000000", "99"),
    Objective("tasks/availability", "available while one instance is lost; 5xx rate", "error-ratio", "", "99.9"),
    Objective("tasks/latency", "p95 latency", "latency-below", "500ms", "95"),
    Objective("commission/latency", "p95 <= 500 ms", "latency-below", "500ms", "95", ("route",)),
    Objective("commission/availability", "5xx < 0.1 %", "error-ratio", "", "99.9", ("tenant",)),
    Objective("commission/cpu", "CPU < 70 %", "gauge-below", "0.7", "95"),
    Objective("commission/memory", "memory < 70 %", "gauge-below", "0.7", "95"),
    Objective("commission/throughput", "sustain 30-40 RPS", "gauge-above", "30", "95"),
    Objective("commission/cost", "cost of vCPU and RAM within budget", "gauge-below", "1", "99"),
    Objective("commission/lcp", "LCP <= 2.5 s", "histogram-below", "2.5", "75"),
    Objective("commission/fid", "FID <= 100 ms", "histogram-below", "0.1", "75"),
    Objective("commission/cls", "CLS <= 0.1", "histogram-below", "0.1", "75"),
    Objective("commission/ttfb", "TTFB <= 300 ms", "histogram-below", "0.3", "75"),
    Objective("commission/weekly-burn", "burn < 5 % a week", "gauge-below", "0.05", "95"),
    Objective("commission/bounce-rate", "bounce rate < 30 %", "gauge-below", "0.3", "95"),
    Objective("commission/csat", "CSAT >= 90 %", "gauge-above", "0.9", "95"),
    Objective("commission/backups", "daily snapshots; restore of a backup", "fresh-within", "1d2h", "99"),
    Objective("keywords/throughput", "10,000 RPS a region", "gauge-above", "10000", "95", ("region",)),
    Objective("keywords/latency", "< 200 ms for 95 %", "latency-below", "200ms", "95", ("endpoint",)),
    Objective("keywords/availability", "99.9 %", "error-ratio", "", "99.9"),
    Objective("keywords/cost", "< USD 0.01 a request", "gauge-below", "0.01", "95"),
    Objective("platform/availability", "99.999 %", "error-ratio", "", "99.999", ("region",)),
    Objective("platform/latency", "< 100 ms globally", "latency-below", "100ms", "95", ("region",)),
    Objective("platform/throughput", "100,000+ req/s", "gauge-above", "100000", "95"),
    Objective("platform/recovery", "RTO 5-15 min", "probe-up", "", "99.965", ("region",)),
    Objective("platform/replication", "RPO 1-5 min", "fresh-within", "5m", "99.9", ("shard",)),
    Objective("platform/cost", "USD 7,700-22,400 a month", "gauge-below", "22400", "95"),
)
OBJECTIVES_OF_OURS = {
    "monolith/availability": "no document promises it; without it an outage of the one process would go unnoticed",
}

ALERTS = (
    Alert("monolith/at-capacity", "about 100 req/s", "above", "100", "5m", "warning", "[5m]"),
    Alert("commission/slow-answers", "p95 > 700 ms for 5 min", "above", "0.7", "5m", "warning", "quantile(0.95"),
    Alert("commission/server-errors", "5xx > 0.5 % in 1 min", "above", "0.005", "0s", "critical", "[1m]"),
    Alert("commission/high-cpu", "CPU > 85 % for 3 min", "above", "0.85", "3m", "warning", "cpu_usage"),
    Alert("commission/high-memory", "memory > 85 % for 3 min", "above", "0.85", "3m", "warning", "working_set"),
    Alert("commission/more-traffic-than-planned", "> 50 RPS for > 5 min", "above", "50", "5m", "warning", "rate("),
    Alert("commission/expensive-month", "> 80 % of budget", "above", "0.8", "15m", "ticket", "cost_budget"),
    Alert(
        "commission/slow-pages", "LCP > 3 s, 10 % of users, 1 day", "above", "0.1", "5m", "ticket", 'le=~"3|3.0"}[1d]'
    ),
    Alert("commission/late-reactions", "FID > 200 ms for 5 %", "above", "0.05", "5m", "ticket", 'le="0.2"}[1d]'),
    Alert("commission/moving-pages", "CLS > 0.25 for 5 %", "above", "0.05", "5m", "ticket", 'le="0.25"}[1d]'),
    Alert("commission/late-first-byte", "TTFB p95 > 500 ms", "above", "0.5", "5m", "warning", "quantile(0.95"),
    Alert("commission/visitors-leave", "bounce > 40 % in 1 day", "above", "0.4", "0s", "ticket", "[1d]"),
    Alert("commission/unhappy-users", "CSAT < 80 %", "below", "0.8", "1h", "ticket", "csat"),
    Alert("commission/sqlite-locks", "p95 a minute > 5", "above", "5", "0s", "ticket", "quantile_over_time(0.95"),
    Alert("commission/many-connections", "> 80 connections", "above", "80", "5m", "warning", 'state="active"'),
    Alert("commission/database-errors", "> 0.5 % of DB requests", "above", "0.005", "5m", "warning", "lock_timeout"),
    Alert("commission/slow-queries", "query p95 > 200 ms", "above", "0.2", "5m", "warning", "quantile(0.95"),
    Alert("commission/audit-logs-kept-too-short", ">= 90 days", "below", "7776000", "1h", "ticket", "retention"),
    Alert("keywords/high-cpu", "CPU > 80 % 5 m", "above", "0.8", "5m", "warning", "[5m]"),
    Alert("keywords/high-memory", "memory > 85 % 5 m", "above", "0.85", "5m", "warning", "memory_usage"),
    Alert("keywords/slow-answers", "p95 > 1 s 5 m", "above", "1", "5m", "warning", "quantile(0.95"),
    Alert("keywords/server-errors", "5xx > 5 % 5 m", "above", "0.05", "5m", "critical", "5.."),
    Alert("keywords/cold-cache", "cache hit rate < 80 % 10 m", "below", "0.8", "10m", "warning", "cache_hit_rate"),
    Alert("platform/slow-on-average", "mean 50-100 ms", "above", "0.1", "5m", "warning", "_sum"),
    Alert("platform/stale-replica", "RPO 1-5 min", "above", "60", "2m", "warning", "heartbeat"),
    Alert("platform/shard-down", "a shard is lost", "below", "1", "1m", "critical", "by (shard)"),
    Alert("platform/queue-down", "queue down", "below", "1", "1m", "critical", "platform-queue"),
    Alert("platform/dead-letters", "dead-letter queue grows and alerts", "above", "0", "1m", "warning", "dead_letter"),
)
ALERTS_OF_OURS = {
    "monolith/locked-writes": "the document names the lock on the SQLite file and gives no limit",
    "tasks/no-spare-instance": "the document asks for two instances that both serve, and for no alert on it",
}
REVIEWED = ("commission/availability", "commission/latency")  # "> 20 % in 1 week: review"

NUMBERS: dict[
    str, dict[str, object]
] = {  # what later gates, loads and experiments read; no rule of Prometheus can hold it
    "monolith": {"USERS_IT_HOLDS": 100, "USERS_ASKED_FOR": 1000, "REQUESTS_PER_SECOND_IT_HOLDS": 100},
    "commission": {"RECOVERY_TIME": "1h"},
    "keywords": {
        "PHASES": {1: (1_000, "500ms", "99.5"), 2: (10_000, "200ms", "99.9"), 3: (50_000, "100ms", "99.99")},
        "NOW": (10_000, "200ms", "99.9"),
    },
    "platform": {
        "PEAK_REQUESTS_PER_SECOND": 1_000_000,
        "SIMULTANEOUS_USERS": 1_000_000,
        "RECOVERY_TIME": "15m",
        "RECOVERY_POINT": "5m",
        "DOLLARS_A_MONTH": (7_700, 22_400),
    },
}


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return load_workspace(Path(__file__).parents[2])


def limit_of(slo: SLO) -> str:
    for name in ("threshold", "limit"):
        found = getattr(slo.sli, name, None)
        if found is not None:
            return f"{found:f}" if isinstance(found, Decimal) else format_duration(found)
    return ""


@pytest.mark.parametrize("row", OBJECTIVES, ids=lambda row: row.slo)
def test_an_objective_that_a_document_asks_for_is_promised(row: Objective, workspace: Workspace) -> None:
    slo = {slo.identity: slo for slo in workspace.slos}[row.slo]
    found = (slo.sli.kind, limit_of(slo), str(slo.objective), slo.by, format_duration(slo.window))
    assert found == (row.indicator, row.limit, row.objective, row.by, row.window)


@pytest.mark.parametrize("row", ALERTS, ids=lambda row: row.cause)
def test_an_alert_that_a_document_asks_for_is_defined(row: Alert, workspace: Workspace) -> None:
    cause = {cause.identity: cause for cause in workspace.all_of(CauseAlert)}[row.cause]
    side = "above" if cause.above is not None else "below"
    found = (side, f"{cause.limit:f}", format_duration(cause.hold), cause.severity)
    assert found == (row.side, row.limit, row.hold, row.severity)
    assert row.reads in cause.expression


def test_nothing_is_defined_that_no_table_knows(workspace: Workspace) -> None:
    assert {slo.identity for slo in workspace.slos} == {*(row.slo for row in OBJECTIVES), *OBJECTIVES_OF_OURS}
    causes = {cause.identity for cause in workspace.all_of(CauseAlert)}
    assert causes == {*(row.cause for row in ALERTS), *ALERTS_OF_OURS}


@pytest.mark.parametrize("identity", REVIEWED)
def test_a_fifth_of_the_budget_in_a_week_asks_for_a_review(identity: str, workspace: Workspace) -> None:
    slo = next(slo for slo in workspace.slos if slo.identity == identity)
    alerts = budget_alerts_for(slo, workspace.all_of(BudgetAlerts))
    assert alerts.reviews(slo)
    assert (alerts.review_share, format_duration(alerts.review_window)) == (Decimal(20), "7d")


@pytest.mark.parametrize("system", NUMBERS)
def test_numbers_that_no_rule_can_hold_are_named_in_the_systems_module(system: str) -> None:
    module = import_module(f"slo.{system}")
    assert {name: getattr(module, name) for name in NUMBERS[system]} == NUMBERS[system]


def test_the_weekly_burn_is_counted_in_units_of_the_availability_budget(workspace: Workspace) -> None:
    slos = {slo.identity: slo for slo in workspace.slos}
    promised, weekly = slos["commission/availability"], slos["commission/weekly-burn"]
    assert f"/ {promised.budget} * 7 / {promised.window.days}" in str(weekly.sli.errors(promised.window))


def test_services_say_who_owns_them_what_they_need_and_whom_to_call(workspace: Workspace) -> None:
    assert {service.name for service in workspace.services} == {*NUMBERS, "tasks"}
    for service in workspace.services:
        assert service.owner and service.escalation and service.depends_on and service.description
    assert all(slo.description for slo in workspace.slos)


def test_the_commission_team_hears_in_slack_and_by_mail_and_the_others_at_their_on_call(workspace: Workspace) -> None:
    (routing,) = workspace.all_of(Routing)
    told = {one.name: one.kind for one in routing.receivers}
    for cause in workspace.all_of(CauseAlert):
        urgent = cause.severity in ("page", "critical")
        kind = "webhook" if cause.service.name != "commission" else "slack" if urgent else "email"
        assert told[routing.receiver_of(cause.severity, cause.service.owner)] == kind
    secrets = [one.document() for one in routing.receivers if not isinstance(one, Webhook)]
    assert "/etc/alertmanager/secrets/commission-slack-url" in str(secrets)
    assert "hooks.slack.com" not in str(secrets)
