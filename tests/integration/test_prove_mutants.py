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

from sloproof.alerts import REAL, BurnPolicy, BurnTier, Links, base_group, burn_groups, rules_yaml
from sloproof.alerts.proof import judge
from sloproof.alerts.proof_cases import burn_plan
from sloproof.lab.parts import find
from sloproof.promtool import run_rule_tests
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service

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

Groups = list[dict[str, Any]]
Rule = dict[str, Any]


def generated(slo: SLO) -> Groups:
    groups = [base_group(slo, REAL), *burn_groups(slo, POLICY, REAL, Links())]
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


BURN = "ApiAvailability{}Burn".format
OWN = '{service="api",slo="availability"}'
NO_ERRORS_YET = f" or (0 * sum(slo:total:rate%s{OWN}))"

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
]


def failures(slo: SLO, tier: BurnTier, groups: Groups) -> list[str]:
    plan = burn_plan(slo, tier, REAL, groups)
    found = [gap.reason for gap in plan.gaps]
    promtool = find("promtool")
    for case, run in zip(plan.cases, run_rule_tests(promtool, plan.cases), strict=True):
        found.extend(judge(case, run.passed, run.output, run.seconds).failures)
    return found


def test_there_are_enough_mutants_and_no_two_are_alike() -> None:
    assert len(MUTANTS) >= 15
    broken = []
    for mutant in MUTANTS:
        groups = generated(mutant.slo)
        mutant.change(groups)
        assert groups != generated(mutant.slo), mutant.what
        broken.append((mutant.slo.name, yaml.safe_dump(groups)))
    assert len(set(broken)) == len(MUTANTS)


@pytest.mark.parametrize("tier", POLICY.tiers, ids=lambda tier: tier.name)
@pytest.mark.parametrize("slo", [AVAILABILITY, LATENCY], ids=lambda slo: slo.name)
def test_the_rules_as_generated_are_proven(parts: Path, slo: SLO, tier: BurnTier) -> None:
    assert failures(slo, tier, generated(slo)) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_broken_rule_is_not_proven(parts: Path, mutant: Mutant) -> None:
    groups = copy.deepcopy(generated(mutant.slo))
    mutant.change(groups)
    found = failures(mutant.slo, mutant.tier, groups)
    assert found, "the proof stays green"
    assert not any("err:" in reason for reason in found), found
