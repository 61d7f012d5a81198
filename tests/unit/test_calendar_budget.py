"""What a budget of the calendar says, wherever it is spoken of; what it counts is shown on promtool's clock."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof.alerts import (
    DEFAULT_POLICY,
    REAL,
    AlertRule,
    BudgetAlerts,
    BurnPolicy,
    Links,
    RecordingRule,
    Timing,
    budget_alert_rules,
    budget_group,
    burn_groups,
)
from sloproof.alerts.burn_alerts import base_group
from sloproof.alerts.rule_model import LARGEST_GROUP, RuleGroup
from sloproof.dashboards import slo_dashboard
from sloproof.runbooks import budget_page, runbook_page
from sloproof.slo import SLO, ErrorRatio, Service

API = Service(name="api", owner="team", job="api")
ERRORS = ErrorRatio(errors='r{code="500"}', total="r")
SCALED = Timing(scale=120, scrape=timedelta(milliseconds=500))
GATED = BurnPolicy(
    tiers=tuple(
        type(tier).model_validate(tier.model_dump() | {"minimum_budget_share": Decimal("0.001")})
        for tier in DEFAULT_POLICY.tiers
    )
)


def objective(**changes: Any) -> SLO:
    return SLO(**{"service": API, "name": "answers", "objective": "99.9", "sli": ERRORS, "calendar": "month"} | changes)


def groups(slo: SLO, timing: Timing = REAL, policy: BurnPolicy = DEFAULT_POLICY) -> list[RuleGroup]:
    budget = budget_group(slo, policy, BudgetAlerts(), timing, Links())
    assert budget is not None
    return [base_group(slo, timing), *burn_groups(slo, policy, timing, Links()), budget]


def texts(slo: SLO) -> str:
    return json.dumps([rule.document() for group in groups(slo) for rule in group.rules])


def test_a_period_stands_for_its_nominal_length_in_burn_rates() -> None:
    fast = DEFAULT_POLICY.tier("fast")
    assert fast.factor(objective().window) == Decimal("14.4")
    assert fast.factor(objective(calendar="quarter").window) == Decimal("43.2")


def test_a_rolling_window_and_a_period_are_not_both_given() -> None:
    with pytest.raises(ValidationError, match="give only one of them"):
        objective(window="28d")
    with pytest.raises(ValidationError):
        objective(calendar="year")
    assert SLO.model_validate(objective().model_dump()) == objective()


@pytest.mark.parametrize(("period", "adjective"), [("month", "monthly"), ("quarter", "quarterly")])
def test_alerts_say_which_period_and_never_a_rolling_window(period: str, adjective: str) -> None:
    said = texts(objective(calendar=period))
    assert f"each calendar {period} (UTC)" in said
    assert f"this calendar {period} (UTC)" in said
    assert f"the {adjective} budget" in said
    assert f"until the next {period} begins" in said
    for rolling in ("30d", "90d"):
        assert rolling not in said


def test_recorded_names_of_a_period_are_not_those_of_a_rolling_window() -> None:
    own, rolling = (
        {rule.record for group in groups(slo) for rule in group.rules if isinstance(rule, RecordingRule)}
        for slo in (objective(), objective(calendar=None))
    )
    assert {"slo:errors:count_month", "slo:error:ratio_month", "slo:coverage:ratio_month"} <= own - rolling
    assert {"slo:errors:count_30d", "slo:error:ratio_30d", "slo:coverage:ratio_30d"} <= rolling - own


def test_every_series_that_a_rule_reads_is_recorded() -> None:
    for period in ("month", "quarter"):
        made = groups(objective(calendar=period), policy=GATED)
        known = {rule.record for group in made for rule in group.rules if isinstance(rule, RecordingRule)}
        for group in made:
            assert len(group.rules) <= LARGEST_GROUP
            for rule in group.rules:
                words = str(rule.expression).replace("(", " ").split()
                assert {word.split("{")[0] for word in words if word.startswith("slo:")} <= known


def test_a_divided_month_rolls_under_the_same_names() -> None:
    scaled = groups(objective(), SCALED)
    expressions = {r.record: str(r.expression) for g in scaled for r in g.rules if isinstance(r, RecordingRule)}
    assert "[6h]" in expressions["slo:errors:count_month"]
    assert not any("month()" in text for text in expressions.values())
    alerts = [rule for group in scaled for rule in group.rules if isinstance(rule, AlertRule)]
    assert not any("slo:period" in str(rule.expression) for rule in alerts)


def test_pages_say_when_a_missed_promise_is_forgotten() -> None:
    slo = objective()
    alerts = budget_alert_rules(slo, BudgetAlerts(), REAL, Links())
    pages = [budget_page(alert, slo, BudgetAlerts(), REAL) for alert in alerts]
    for tier in DEFAULT_POLICY.tiers:
        alert = next(
            rule
            for group in groups(slo)
            for rule in group.rules
            if isinstance(rule, AlertRule) and rule.labels.get("tier") == tier.name
        )
        pages.append(runbook_page(alert, slo, tier, DEFAULT_POLICY, REAL))
    for page in pages:
        assert "over each calendar month (UTC)" in page
        assert "until the next month begins" in page
        assert "leave the window" not in page and "30d" not in page and "30 d after" not in page


def test_panels_name_the_month_and_read_what_it_records() -> None:
    board = json.dumps(slo_dashboard(objective(), DEFAULT_POLICY, REAL, Links()))
    assert "slo:error:ratio_month" in board and "slo:coverage:ratio_month" in board
    assert "each calendar month (UTC)" in board and "this calendar month (UTC)" in board
    assert "30d" not in board
