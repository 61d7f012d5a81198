"""Each rule that is broken on purpose must be noticed by the proof of the alert it belongs to.

A mutant edits the generated rules of one service as a careless hand would. Mutants that change nothing an alert can
show, such as the two windows of an `and` the other way round, do not belong here.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloproof.alerts import (
    REAL,
    AbsenceAlerts,
    BudgetAlerts,
    BurnPolicy,
    BurnTier,
    CauseAlert,
    Links,
    absence_groups,
    base_group,
    budget_group,
    burn_groups,
    cause_groups,
    rules_yaml,
)
from sloproof.alerts.absence_tests import absence_cases
from sloproof.alerts.budget_tests import budget_cases
from sloproof.alerts.cause_tests import case_files as files_of
from sloproof.alerts.cause_tests import cause_tests
from sloproof.alerts.proof import Promised, ProofPlan
from sloproof.alerts.proof_batch import prove_cases
from sloproof.alerts.proof_budget import budget_left_cases
from sloproof.alerts.proof_cases import burn_plan
from sloproof.alerts.proof_documents import document_plans
from sloproof.lab.parts import find
from sloproof.promtool import run_rule_tests
from sloproof.slo import (
    SLO,
    AllOf,
    ErrorRatio,
    GaugeBelow,
    LatencyBelow,
    NativeLatencyBelow,
    ProbeUp,
    Service,
    ThroughputAtLeast,
)

pytestmark = pytest.mark.integration

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(
    service=API,
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='failed{job="api"}', total='seen{job="api"}'),
)
LATENCY = SLO(service=API, name="latency", objective="99", sli=LatencyBelow("500ms", histogram='took{job="api"}'))
FAST = BurnTier(name="fast", budget_share=Decimal("0.02"), long="1h", short="5m", severity="page")
MEDIUM = BurnTier(name="medium", budget_share=Decimal("0.05"), long="6h", short="30m", severity="page")
SLOW = BurnTier(
    name="slow", budget_share=Decimal("0.10"), long="1d", short="2h", severity="ticket", hold=timedelta(minutes=2)
)
TRICKLE = BurnTier(
    name="trickle", budget_share=Decimal("0.10"), long="3d", short="6h", severity="ticket", hold=timedelta(minutes=2)
)
POLICY = BurnPolicy(tiers=(FAST, MEDIUM, SLOW, TRICKLE))
CPU = SLO(service=API, name="cpu", objective="99", sli=GaugeBelow("0.7", gauge='cpu{job="api"}'), by=("instance",))
UP = SLO(service=API, name="up", objective="99", sli=ProbeUp(probe='up{job="api"}'))
NATIVE = SLO(service=API, name="native", objective="99", sli=NativeLatencyBelow("250ms", histogram="native"))
BOTH = SLO(service=API, name="both", objective="99", sli=AllOf(parts=(AVAILABILITY.sli, LATENCY.sli)))
SLICED = AVAILABILITY.model_copy(
    update={"name": "sliced", "objective": Decimal(99), "budgeting": "slices", "slice_objective": Decimal(95)}
)
THROUGHPUT = SLO(service=API, name="throughput", objective="99", sli=ThroughputAtLeast("5", requests='seen{job="api"}'))
ROUTES = AVAILABILITY.model_copy(update={"name": "routes", "by": ("route",)})
ABSENT_AMONG = [AVAILABILITY, SLICED, BOTH, ROUTES]
PATIENT = MEDIUM.model_copy(update={"hold": timedelta(minutes=10), "keep_firing_for": timedelta(minutes=30)})
PATIENT_POLICY = BurnPolicy(tiers=(FAST, PATIENT, SLOW, TRICKLE))
GATED = FAST.model_copy(update={"minimum_budget_share": Decimal("0.01")})
GATED_MEDIUM = MEDIUM.model_copy(update={"minimum_budget_share": Decimal("0.04")})
GATED_POLICY = BurnPolicy(tiers=(GATED, GATED_MEDIUM, SLOW, TRICKLE))
PERIOD_LEFT = "slo:error_budget:period_remaining_ratio"
SHARE_LEFT = "slo:error_budget:remaining_ratio"
HIGH = CauseAlert(
    service=API,
    name="high-cpu",
    expression="sum by (instance) (rate(cpu_seconds_total[1m]))",
    above="0.85",
    hold="3m",
    severity="warning",
    summary="it is high",
    first_step="look",
)

Groups = list[dict[str, Any]]
Rule = dict[str, Any]


def generated(slo: SLO, policy: BurnPolicy = POLICY) -> Groups:
    groups = [base_group(slo, REAL), *burn_groups(slo, policy, REAL, Links())]
    parsed: Groups = yaml.safe_load(rules_yaml(groups))["groups"]
    return parsed


def rule(groups: Groups, name: str) -> Rule:
    return next(r for group in groups for r in group["rules"] if name in (r.get("record"), r.get("alert")))


def edit(name: str, old: str, new: str) -> Callable[[Groups], None]:
    """Replace text in one rule's expression."""

    def change(groups: Groups) -> None:
        found = rule(groups, name)
        assert old in found["expr"], found["expr"]
        found["expr"] = found["expr"].replace(old, new)

    return change


def put(name: str, **fields: Any) -> Callable[[Groups], None]:
    """Set fields of one rule."""
    return lambda groups: rule(groups, name).update(fields)


def label(name: str, **labels: str) -> Callable[[Groups], None]:
    """Set labels of one rule."""
    return lambda groups: rule(groups, name)["labels"].update(labels)


def drop(name: str) -> Callable[[Groups], None]:
    def change(groups: Groups) -> None:
        dropped = rule(groups, name)
        for group in groups:
            group["rules"] = [r for r in group["rules"] if r is not dropped]

    return change


def without(name: str, field: str) -> Callable[[Groups], None]:
    """Drop a field of one rule."""

    def change(groups: Groups) -> None:
        del rule(groups, name)[field]

    return change


def exchange(one: str, other: str) -> Callable[[Groups], None]:
    """Two recorded series under each other's name."""

    def change(groups: Groups) -> None:
        first, second = rule(groups, one), rule(groups, other)
        first["expr"], second["expr"] = second["expr"], first["expr"]

    return change


def interval_of(record: str, interval: str) -> Callable[[Groups], None]:
    def change(groups: Groups) -> None:
        for group in groups:
            if any(r.get("record") == record for r in group["rules"]):
                group["interval"] = interval

    return change


@dataclass(frozen=True)
class Mutant:
    what: str
    slo: SLO
    tier: BurnTier
    change: Callable[[Groups], None]
    policy: BurnPolicy = POLICY


BURN = "ApiAvailability{}Burn".format
OWN = '{service="api",slo="availability"}'
NO_ERRORS_YET = f" or (0 * sum(slo:total:rate%s{OWN}))"
BESIDE_PARTS = ' or (0 * sum(slo:total:rate%s{service="api",slo="both"}))'

SHORT = f"ratio_5m{OWN} > %s"

MUTANTS = [
    Mutant("raw: no `0 * total`", AVAILABILITY, FAST, edit("slo:error:ratio_1h", NO_ERRORS_YET % "1h", "")),
    Mutant("base: no `0 * total`", AVAILABILITY, MEDIUM, edit("slo:errors:rate5m", NO_ERRORS_YET % "5m", "")),
    Mutant("raw: no `> 0`", AVAILABILITY, FAST, edit("slo:error:ratio_5m", " > 0)", ")")),
    Mutant("derived: no `> 0`", AVAILABILITY, SLOW, edit("slo:error:ratio_1d", " > 0)", ")")),
    Mutant("long window is the short one", AVAILABILITY, FAST, edit(BURN("Fast"), "ratio_1h", "ratio_5m")),
    Mutant("short window is the long one", AVAILABILITY, MEDIUM, edit(BURN("Medium"), "ratio_30m", "ratio_6h")),
    Mutant("1h and 6h exchanged", AVAILABILITY, FAST, exchange("slo:error:ratio_1h", "slo:error:ratio_6h")),
    Mutant("1d and 3d exchanged", AVAILABILITY, TRICKLE, exchange("slo:error:ratio_1d", "slo:error:ratio_3d")),
    Mutant("3d counted over 2d", AVAILABILITY, TRICKLE, edit("slo:error:ratio_3d", "[3d]", "[2d]")),
    Mutant("a label on one side of `and`", AVAILABILITY, FAST, label("slo:error:ratio_5m", window="5m")),
    Mutant("a label on the counted side", AVAILABILITY, MEDIUM, label("slo:errors:count_6h", window="6h")),
    Mutant("`>` is `<` (long)", AVAILABILITY, FAST, edit(BURN("Fast"), f"ratio_1h{OWN} >", f"ratio_1h{OWN} <")),
    Mutant("`>` is `<` (short)", AVAILABILITY, SLOW, edit(BURN("Slow"), f"ratio_2h{OWN} >", f"ratio_2h{OWN} <")),
    Mutant("threshold times 10", AVAILABILITY, FAST, edit(BURN("Fast"), "0.0144", "0.144")),
    Mutant("threshold by 10", AVAILABILITY, MEDIUM, edit(BURN("Medium"), "0.006", "0.0006")),
    Mutant("threshold a fifth higher", AVAILABILITY, SLOW, edit(BURN("Slow"), "0.003", "0.0036")),
    Mutant("`and` is `or`", AVAILABILITY, FAST, edit(BURN("Fast"), ") and (slo:error", ") or (slo:error")),
    Mutant("no floor", AVAILABILITY, FAST, edit(BURN("Fast"), ">= 3", ">= 0")),
    Mutant("no floor, derived", AVAILABILITY, TRICKLE, edit(BURN("Trickle"), ">= 3", ">= 0")),
    Mutant("floor of 300", AVAILABILITY, MEDIUM, edit(BURN("Medium"), ">= 3", ">= 300")),
    Mutant("count of another step", AVAILABILITY, MEDIUM, edit("slo:errors:count_6h", "* 30", "* 300")),
    Mutant("count of half a step", AVAILABILITY, SLOW, edit("slo:errors:count_1d", "* 30", "* 15")),
    Mutant("count per minute", AVAILABILITY, FAST, edit("slo:errors:count_1h", "* 3600", "* 60")),
    Mutant("base recorded half as often", AVAILABILITY, MEDIUM, interval_of("slo:errors:rate5m", "1m")),
    Mutant(
        "average of ratios",
        AVAILABILITY,
        MEDIUM,
        put("slo:error:ratio_6h", expr=f"avg_over_time(slo:error:ratio_5m{OWN}[6h])"),
    ),
    Mutant("rate over another window", AVAILABILITY, FAST, edit("slo:error:ratio_5m", "[5m]", "[1h]")),
    Mutant("base errors over an hour", AVAILABILITY, MEDIUM, edit("slo:errors:rate5m", "[5m]", "[1h]")),
    Mutant("base over less than a scrape", AVAILABILITY, MEDIUM, edit("slo:total:rate5m", "[5m]", "[20s]")),
    Mutant("not aware of restarts", AVAILABILITY, FAST, edit("slo:error:ratio_5m", "rate(", "deriv(")),
    Mutant("`for` of two hours", AVAILABILITY, SLOW, put(BURN("Slow"), **{"for": "2h"})),
    Mutant("`keep_firing_for` of a day", AVAILABILITY, FAST, put(BURN("Fast"), keep_firing_for="1d")),
    Mutant("errors and total exchanged", AVAILABILITY, MEDIUM, exchange("slo:errors:rate5m", "slo:total:rate5m")),
    Mutant("the slo of another", AVAILABILITY, FAST, label(BURN("Fast"), slo="latency")),
    Mutant("the severity of another", AVAILABILITY, SLOW, label(BURN("Slow"), severity="page")),
    Mutant("reads another slo", AVAILABILITY, MEDIUM, edit(BURN("Medium"), 'slo="availability"', 'slo="latency"')),
    Mutant("no base errors", AVAILABILITY, TRICKLE, drop("slo:errors:rate5m")),
    Mutant("no alert", AVAILABILITY, SLOW, drop(BURN("Slow"))),
    Mutant(
        "good counted as bad",
        LATENCY,
        FAST,
        edit("slo:error:ratio_5m", '_count{job="api"}[5m])) - sum', '_count{job="api"}[5m])) * 0 + sum'),
    ),
    Mutant("another bucket", LATENCY, MEDIUM, edit("slo:errors:rate5m", 'le="0.5"', 'le="0.3"')),
    Mutant("another limit of a gauge", CPU, FAST, edit("slo:error:ratio_5m", "> bool 0.7", "> bool 0.8")),
    Mutant("a gauge the other way round", CPU, MEDIUM, edit("slo:errors:rate5m", "> bool 0.7", "< bool 0.7")),
    Mutant("the mean of the gauges", CPU, MEDIUM, edit("slo:errors:rate5m", "max by (instance)", "max by ()")),
    Mutant("a gauge without its group", CPU, FAST, edit("slo:error:ratio_1h", "max by (instance)", "max")),
    Mutant("no floor for a gauge", CPU, FAST, edit("ApiCpuFastBurn", ">= 3", ">= 0")),
    Mutant("good probes counted as bad", UP, FAST, edit("slo:error:ratio_5m", "sum_over_time", "0 * sum_over_time")),
    Mutant("threshold of native histograms by 10", NATIVE, FAST, edit("ApiNativeFastBurn", "0.144", "0.0144")),
    Mutant("no `> 0`, native histograms", NATIVE, MEDIUM, edit("slo:error:ratio_6h", " > 0)", ")")),
    Mutant("one part of two forgotten", BOTH, FAST, edit("slo:error:ratio_1h", "took_bucket", "took_bucket_")),
    Mutant("the other part forgotten", BOTH, MEDIUM, edit("slo:errors:rate5m", "failed{", "failed_{")),
    Mutant("nothing without the second part", BOTH, FAST, edit("slo:error:ratio_1h", BESIDE_PARTS % "1h", "")),
    Mutant("nothing without one part", BOTH, MEDIUM, edit("slo:errors:rate5m", BESIDE_PARTS % "5m", "")),
    Mutant(
        "no events without the first part",
        BOTH,
        MEDIUM,
        edit("slo:total:rate5m", ' or sum(rate(took_count{job="api"}[5m]))', ""),
    ),
    Mutant("slices that are bad too soon", SLICED, MEDIUM, edit("slo:errors:rate5m", "> bool 0.05", "> bool -1")),
    Mutant(
        "slices that may be a little worse", SLICED, MEDIUM, edit("slo:errors:rate5m", "> bool 0.05", "> bool 0.06")
    ),
    Mutant(
        "slices that must be a little better", SLICED, FAST, edit("slo:errors:rate5m", "> bool 0.05", "> bool 0.04")
    ),
    Mutant("slices that are never bad", SLICED, FAST, edit("slo:errors:rate5m", "> bool 0.05", "> bool 5")),
    Mutant("threshold a seventh higher", AVAILABILITY, FAST, edit(BURN("Fast"), "0.0144", "0.0166")),
    Mutant(
        "a short window that hardly asks", AVAILABILITY, FAST, edit(BURN("Fast"), SHORT % "0.0144", SHORT % "0.001")
    ),
    Mutant("a floor of one more", AVAILABILITY, FAST, edit(BURN("Fast"), ">= 3", ">= 4")),
    Mutant("short window over half of it", AVAILABILITY, SLOW, edit("slo:error:ratio_2h", "[2h]", "[1h]")),
    Mutant("short window a little shorter", AVAILABILITY, TRICKLE, edit("slo:error:ratio_6h", "[6h]", "[5h]")),
    Mutant("no `for`, derived", AVAILABILITY, SLOW, without(BURN("Slow"), "for")),
    Mutant("no `for`", AVAILABILITY, PATIENT, without(BURN("Medium"), "for"), PATIENT_POLICY),
    Mutant("no `keep_firing_for`", AVAILABILITY, PATIENT, without(BURN("Medium"), "keep_firing_for"), PATIENT_POLICY),
    Mutant(
        "half the `keep_firing_for`", AVAILABILITY, PATIENT, put(BURN("Medium"), keep_firing_for="15m"), PATIENT_POLICY
    ),
    Mutant("a burn that is told as a cause", AVAILABILITY, FAST, label(BURN("Fast"), kind="cause")),
    Mutant("a page that is evaluated too seldom", AVAILABILITY, FAST, interval_of("slo:error:ratio_1h", "5m")),
    Mutant("a ticket that is evaluated too seldom", AVAILABILITY, TRICKLE, interval_of("slo:error:ratio_3d", "10m")),
    Mutant("no gate", AVAILABILITY, GATED, edit(BURN("Fast"), " unless ", " or "), GATED_POLICY),
    Mutant("a gate of another share", AVAILABILITY, GATED, edit(BURN("Fast"), "* 0.01", "* 0.015"), GATED_POLICY),
    Mutant(
        "a gate of all events",
        AVAILABILITY,
        GATED_MEDIUM,
        put("slo:error_budget:allowed_errors", expr=f"slo:total:count_30d{OWN}"),
        GATED_POLICY,
    ),
]


@dataclass(frozen=True)
class OtherMutant:
    what: str
    alert: str
    change: Callable[[Groups], None]


SLICES_SEEN = '(absent(slo:total:rate5m{service="api",slo="sliced"}) * scalar(max(up{job="api"}))) > 0'
TOO_SLOW = 'sum(rate(took_count{job="api"}[5m])) - sum(rate(took_bucket{job="api",le="0.5"}[5m]))'
SECOND_PART = f'(absent(clamp_min({TOO_SLOW}, 0)) * scalar(max(up{{job="api"}}))) > 0'

LOW, FORECAST, REVIEW = (f"ApiAvailability{name}" for name in ("BudgetLow", "BudgetForecast", "BurnReview"))
TOLD = (HIGH.alert, LOW, FORECAST, REVIEW, "ApiTargetDown", "ApiAvailabilityAbsent", "ApiRoutesAbsent")

OTHERS = [
    OtherMutant("cause: another limit", HIGH.alert, edit(HIGH.alert, "> 0.85", "> 0.65")),
    OtherMutant("cause: a limit that is not reached", HIGH.alert, edit(HIGH.alert, "> 0.85", "> 1.1")),
    OtherMutant("cause: the other way round", HIGH.alert, edit(HIGH.alert, "> 0.85", "< 0.85")),
    OtherMutant("cause: `for` of ten minutes", HIGH.alert, put(HIGH.alert, **{"for": "10m"})),
    OtherMutant("cause: over an hour", HIGH.alert, edit(HIGH.alert, "[1m]", "[1h]")),
    OtherMutant(
        "budget: low at 20 %", "ApiAvailabilityBudgetLow", edit("ApiAvailabilityBudgetLow", "< 0.1)", "< 0.2)")
    ),
    OtherMutant("budget: no floor", "ApiAvailabilityBudgetLow", edit("ApiAvailabilityBudgetLow", ">= 3", ">= 0")),
    OtherMutant(
        "budget: gone within a day",
        "ApiAvailabilityBudgetForecast",
        edit("ApiAvailabilityBudgetForecast", "< 259200", "< 86400"),
    ),
    OtherMutant(
        "budget: review of half as much",
        "ApiAvailabilityBurnReview",
        edit("ApiAvailabilityBurnReview", "> 0.0", "> 0.00"),
    ),
    OtherMutant("budget: no rule", "ApiAvailabilityBudgetLow", drop("ApiAvailabilityBudgetLow")),
    OtherMutant("budget: low at 12 %", LOW, edit(LOW, "< 0.1)", "< 0.12)")),
    OtherMutant("budget: low by events", LOW, edit(LOW, "period_remaining", "remaining")),
    OtherMutant("budget: forecast without a floor", FORECAST, edit(FORECAST, ">= 3", ">= 0")),
    OtherMutant("budget: forecast of what is gone", FORECAST, edit(FORECAST, "> 0)", "> -1)")),
    OtherMutant("budget: review without a floor", REVIEW, edit(REVIEW, ">= 3", ">= 0")),
    OtherMutant("budget: review of what was not measured", REVIEW, edit(REVIEW, "clamp_max(", "clamp_min(")),
    *(
        OtherMutant(f"{alert} of another {name}", alert, label(alert, **{name: "another"}))
        for alert in TOLD
        for name in ("service", "severity", "owner", "kind")
    ),
    OtherMutant("budget: of another objective", REVIEW, label(REVIEW, slo="another")),
    OtherMutant("cause: told as a tier", HIGH.alert, label(HIGH.alert, tier="fast")),
    *(OtherMutant(f"{alert} without `for`", alert, without(alert, "for")) for alert in TOLD),
    OtherMutant("absence: one target is enough", "ApiTargetDown", put("ApiTargetDown", expr='up{job="api"} == 0')),
    OtherMutant("absence: waits for an hour", "ApiTargetDown", put("ApiTargetDown", **{"for": "1h"})),
    OtherMutant(
        "absence: of another objective",
        "ApiAvailabilityAbsent",
        edit("ApiAvailabilityAbsent", "availability", "latency"),
    ),
    OtherMutant(
        "absence: also without a target",
        "ApiAvailabilityAbsent",
        edit("ApiAvailabilityAbsent", "scalar(", "1 + 0 * scalar("),
    ),
    OtherMutant(
        "absence: of all events, not of errors",
        "ApiAvailabilityAbsent",
        edit("ApiAvailabilityAbsent", "slo:errors:", "slo:total:"),
    ),
    OtherMutant(
        "absence: without errors, not without the series",
        "ApiAvailabilityAbsent",
        edit("ApiAvailabilityAbsent", f"slo:errors:rate5m{OWN}", f"slo:errors:rate5m{OWN} > 0"),
    ),
    OtherMutant("absence: of slices with traffic", "ApiSlicedAbsent", put("ApiSlicedAbsent", expr=SLICES_SEEN)),
    OtherMutant("absence: groups are not looked at", "ApiRoutesAbsent", edit("ApiRoutesAbsent", " unless ", " and ")),
    OtherMutant(
        "absence: all groups, each on its own", "ApiRoutesAbsent", edit("ApiRoutesAbsent", " and on () ", " or ")
    ),
    OtherMutant(
        "absence: the first part alone", "ApiBothAbsent", edit("ApiBothAbsent", "absent(clamp_min", "(+Inf < clamp_min")
    ),
    OtherMutant("absence: the second part alone", "ApiBothAbsent", put("ApiBothAbsent", expr=SECOND_PART)),
]


def proven(plan: ProofPlan) -> list[str]:
    found = [gap.reason for gap in plan.gaps]
    promtool = find("promtool")
    for result in prove_cases(plan.cases, lambda tests: run_rule_tests(promtool, tests)):
        found.extend(result.failures)
    return found


def failures(slo: SLO, tier: BurnTier, groups: Groups) -> list[str]:
    return proven(burn_plan(slo, tier, REAL, groups))


def other_groups() -> Groups:
    budget = budget_group(AVAILABILITY, POLICY, BudgetAlerts(), REAL, Links())
    assert budget is not None
    groups = [
        budget,
        *absence_groups(API, ABSENT_AMONG, AbsenceAlerts(), REAL, Links()),
        *cause_groups("api", [HIGH], REAL, Links()),
    ]
    parsed: Groups = yaml.safe_load(rules_yaml(groups))["groups"]
    return parsed


def other_failures(alert: str, groups: Groups) -> list[str]:
    cases = budget_cases(AVAILABILITY, POLICY, BudgetAlerts(), REAL)
    cases += absence_cases(API, ABSENT_AMONG, AbsenceAlerts(), REAL)
    files = {**files_of("api", "budget", "x", cases, joined=False), **cause_tests("api", [HIGH])}
    tests = [yaml.safe_load(text) for text in files.values()]
    (plan,) = document_plans(groups, {alert: Promised(None, None, None)}, tests, {})
    return proven(plan)


MONTHLY = AVAILABILITY.model_copy(update={"name": "monthly", "calendar": "month"})
QUARTERLY = ROUTES.model_copy(update={"name": "quarterly", "calendar": "quarter", "window": timedelta(days=90)})
BUDGET_MUTANTS = [
    ("errors of 3 days", AVAILABILITY, edit("slo:errors:count_30d", "[30d]", "[3d]")),
    ("errors of 60 days", AVAILABILITY, edit("slo:errors:count_30d", "[30d]", "[60d]")),
    ("ten times the errors", AVAILABILITY, edit("slo:errors:count_30d", "* 30", "* 300")),
    ("half of the events", AVAILABILITY, edit("slo:total:count_30d", "* 30", "* 15")),
    ("errors for events", AVAILABILITY, edit("slo:total:count_30d", "total:rate", "errors:rate")),
    ("ten times the budget", AVAILABILITY, edit(PERIOD_LEFT, "/ 0.001", "/ 0.01")),
    ("what was not measured is bad", AVAILABILITY, edit(PERIOD_LEFT, "clamp_max", "clamp_min")),
    ("twice the coverage", AVAILABILITY, edit("slo:coverage:ratio_30d", "/ 86400", "/ 43200")),
    ("nothing is left", AVAILABILITY, edit(PERIOD_LEFT, "1 -", "0 -")),
    ("no rule", AVAILABILITY, drop(PERIOD_LEFT)),
    ("the month before", MONTHLY, edit("slo:errors:count_month", "1of3", "2of3")),
    ("a month is always over", MONTHLY, put("slo:period:elapsed_ratio", expr="vector(1)")),
    ("a month of ten days", MONTHLY, edit("slo:errors:count_month", "[31d]", "[10d]")),
    ("a quarter without groups", QUARTERLY, edit(PERIOD_LEFT, "1 -", "1 - sum")),
]


def budget_failures(slo: SLO, change: Callable[[Groups], None] = lambda groups: None) -> list[str]:
    """Of the alert on what is left of an objective's budget, by the rules that record what is left."""
    budget = budget_group(slo, POLICY, BudgetAlerts(), REAL, Links())
    assert budget is not None
    groups = [*generated(slo), *yaml.safe_load(rules_yaml([budget]))["groups"]]
    change(groups)
    cases = tuple(budget_left_cases(slo, BudgetAlerts(), REAL, groups))
    return proven(ProofPlan("low", {}, (), cases))


@pytest.mark.parametrize("slo", [AVAILABILITY, SLICED, ROUTES, MONTHLY, QUARTERLY], ids=lambda slo: slo.name)
def test_the_rules_of_a_whole_budget_are_proven(parts: Path, slo: SLO) -> None:
    assert budget_failures(slo) == []


@pytest.mark.parametrize(
    ("slo", "change"), [mutant[1:] for mutant in BUDGET_MUTANTS], ids=[mutant[0] for mutant in BUDGET_MUTANTS]
)
def test_a_broken_rule_of_a_whole_budget_is_not_proven(parts: Path, slo: SLO, change: Callable[[Groups], None]) -> None:
    found = budget_failures(slo, change)
    assert found, "the proof stays green"
    assert not any("err:" in reason for reason in found), found


def test_there_are_enough_mutants_and_no_two_are_alike() -> None:
    assert len(MUTANTS) >= 15
    broken = []
    for mutant in MUTANTS:
        groups = generated(mutant.slo, mutant.policy)
        mutant.change(groups)
        assert groups != generated(mutant.slo, mutant.policy), mutant.what
        broken.append((mutant.slo.name, yaml.safe_dump(groups)))
    for other in OTHERS:
        groups = other_groups()
        other.change(groups)
        assert groups != other_groups(), other.what
        broken.append((other.alert, yaml.safe_dump(groups)))
    assert len(set(broken)) == len(MUTANTS) + len(OTHERS)


@pytest.mark.parametrize("tier", POLICY.tiers, ids=lambda tier: tier.name)
@pytest.mark.parametrize("slo", [AVAILABILITY, LATENCY], ids=lambda slo: slo.name)
def test_the_rules_as_generated_are_proven(parts: Path, slo: SLO, tier: BurnTier) -> None:
    assert failures(slo, tier, generated(slo)) == []


@pytest.mark.parametrize("tier", [FAST, MEDIUM], ids=lambda tier: tier.name)
@pytest.mark.parametrize("slo", [CPU, UP, NATIVE, BOTH, SLICED], ids=lambda slo: slo.name)
def test_the_rules_of_other_kinds_are_proven(parts: Path, slo: SLO, tier: BurnTier) -> None:
    assert failures(slo, tier, generated(slo)) == []


@pytest.mark.parametrize("tier", [GATED, GATED_MEDIUM], ids=lambda tier: tier.name)
def test_the_rules_with_a_gate_are_proven(parts: Path, tier: BurnTier) -> None:
    assert failures(AVAILABILITY, tier, generated(AVAILABILITY, GATED_POLICY)) == []


def test_a_patient_tier_is_proven(parts: Path) -> None:
    assert failures(AVAILABILITY, PATIENT, generated(AVAILABILITY, PATIENT_POLICY)) == []


def rare(slo: SLO, **tier: Any) -> tuple[SLO, BurnTier, BurnPolicy]:
    changed = FAST.model_copy(update=tier)
    return slo, changed, BurnPolicy(tiers=(changed,))


@pytest.mark.parametrize(
    ("slo", "tier", "policy"),
    [
        rare(AVAILABILITY, hold=timedelta(minutes=5)),
        rare(AVAILABILITY, long=timedelta(days=5), short=timedelta(hours=11), budget_share=Decimal("0.2")),
        rare(THROUGHPUT, long=timedelta(minutes=45), keep_firing_for=timedelta(minutes=15)),
        rare(SLICED.model_copy(update={"minimum_bad_events": 600, "window": timedelta(days=90)})),
    ],
    ids=["for-as-long-as-the-short-window", "five-days", "throughput-that-keeps-firing", "floor-of-ten-minutes"],
)
def test_sound_rules_of_a_rare_tier_are_proven(parts: Path, slo: SLO, tier: BurnTier, policy: BurnPolicy) -> None:
    assert failures(slo, tier, generated(slo, policy)) == []


@pytest.mark.parametrize("alert", sorted({other.alert for other in OTHERS}))
def test_the_rules_of_other_alerts_are_proven(parts: Path, alert: str) -> None:
    assert other_failures(alert, other_groups()) == []


@pytest.mark.parametrize("mutant", OTHERS, ids=lambda mutant: mutant.what)
def test_a_broken_rule_of_another_alert_is_not_proven(parts: Path, mutant: OtherMutant) -> None:
    groups = other_groups()
    mutant.change(groups)
    found = other_failures(mutant.alert, groups)
    assert found, "the proof stays green"
    assert not any("err:" in reason for reason in found), found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_broken_rule_is_not_proven(parts: Path, mutant: Mutant) -> None:
    groups = copy.deepcopy(generated(mutant.slo, mutant.policy))
    mutant.change(groups)
    found = failures(mutant.slo, mutant.tier, groups)
    assert found, "the proof stays green"
    assert not any("err:" in reason for reason in found), found
