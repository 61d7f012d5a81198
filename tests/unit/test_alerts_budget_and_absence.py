from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof.alerts import (
    DEFAULT_POLICY,
    REAL,
    AbsenceAlerts,
    BudgetAlerts,
    BurnPolicy,
    BurnTier,
    Links,
    RecordingRule,
    Timing,
    absence_for,
    absence_groups,
    absence_rules,
    base_group,
    budget_alert_rules,
    budget_alerts_for,
    budget_group,
    burn_alert,
    burn_groups,
)
from sloproof.alerts.absence_tests import absence_cases
from sloproof.alerts.absent import errors_read
from sloproof.alerts.budget_tests import budget_cases
from sloproof.alerts.promise import Events, clearing_promise
from sloproof.alerts.template import queried
from sloproof.promql import Selector, call, selectors_in
from sloproof.runbooks import absence_page, budget_page
from sloproof.runbooks.asking import jobs_read
from sloproof.slo import SLO, AllOf, ErrorRatio, LatencyBelow, Service

API = Service(name="api", owner="team", job="api")
ERRORS = ErrorRatio(errors='r{code="500"}', total="r")
AVAILABILITY = SLO(service=API, name="availability", objective="99.9", sli=ERRORS)
TRICKLE_ALONE = BurnPolicy(tiers=(DEFAULT_POLICY.tier("trickle"),))
SCALED = Timing(scale=120, scrape=timedelta(milliseconds=500))


def expressions(slo: SLO = AVAILABILITY, alerts: BudgetAlerts | None = None, timing: Timing = REAL) -> dict[str, str]:
    group = budget_group(slo, DEFAULT_POLICY, alerts or BudgetAlerts(), timing, Links())
    found = [rule.document() for rule in group.rules] if group else []
    return {rule.get("alert") or rule["record"]: rule["expr"] for rule in found}


def test_three_alerts_speak_of_the_budget_by_default() -> None:
    assert [name for name in expressions() if name.startswith("Api")] == [
        "ApiAvailabilityBudgetLow",
        "ApiAvailabilityBudgetForecast",
        "ApiAvailabilityBurnReview",
    ]


def test_the_review_is_a_share_of_the_whole_budget_at_even_traffic() -> None:
    # 20 % of a 30 d budget in 7 d: 0.2 * 30 / 7 * 0.001
    assert BudgetAlerts().review_limit(AVAILABILITY).quantize(Decimal("1e-9")) == Decimal("0.000857143")
    assert "slo:error:ratio_7d" in expressions()["ApiAvailabilityBurnReview"]


def test_a_window_is_recorded_only_where_it_is_read_and_not_recorded_already() -> None:
    assert {name for name in expressions() if name.startswith("slo:")} == {"slo:error:ratio_7d", "slo:errors:count_7d"}
    assert not [name for name in expressions(alerts=BudgetAlerts(review_share=None)) if name.startswith("slo:")]
    other = expressions(alerts=BudgetAlerts(rate_over="12h", review_share=None))
    assert "slo:error:ratio_12h" in other


@pytest.mark.parametrize("rate_over", ["5m", "20m", "30m", "1h", "1d"])
@pytest.mark.parametrize("policy", [DEFAULT_POLICY, TRICKLE_ALONE], ids=["default", "trickle"])
def test_every_series_that_a_budget_alert_reads_is_recorded(policy: BurnPolicy, rate_over: str) -> None:
    alerts = BudgetAlerts(rate_over=rate_over, review_window="45m")
    budget = budget_group(AVAILABILITY, policy, alerts, REAL, Links())
    assert budget is not None
    groups = [base_group(AVAILABILITY, REAL), *burn_groups(AVAILABILITY, policy, REAL, Links()), budget]
    known = {rule.record for group in groups for rule in group.rules if isinstance(rule, RecordingRule)}
    for rule in budget.rules:
        read = {selector.metric for selector in selectors_in(rule.text)}
        assert read
        assert read <= known


def test_one_bad_event_is_no_reason_for_a_ticket() -> None:
    for name, text in expressions().items():
        if name.startswith("Api"):
            assert ">= 3" in text


def test_an_alert_that_is_dropped_is_gone() -> None:
    none = BudgetAlerts(below=None, exhausted_within=None, review_share=None)
    assert budget_group(AVAILABILITY, DEFAULT_POLICY, none, REAL, Links()) is None


def test_a_short_budget_has_no_longer_review() -> None:
    week = SLO(service=API, name="weekly", objective="99.9", sli=ERRORS, window="7d")
    assert "ApiWeeklyBurnReview" not in expressions(week)


def test_a_review_that_could_never_fire_is_left_out() -> None:
    loose = SLO(service=API, name="loose", objective="5", sli=ERRORS, window="60d")
    assert BudgetAlerts(review_share="60").review_limit(loose) > 1
    assert "ApiLooseBurnReview" not in expressions(loose, BudgetAlerts(review_share="60"))


def test_an_objective_may_have_budget_alerts_of_its_own() -> None:
    own, general = BudgetAlerts(below="50", applies_to=(AVAILABILITY,)), BudgetAlerts(below="5")
    other = SLO(service=API, name="other", objective="99", sli=ERRORS)
    assert budget_alerts_for(AVAILABILITY, (general, own)) is own
    assert budget_alerts_for(other, (own, general)) is general
    assert budget_alerts_for(other, (own,)) == BudgetAlerts()


def test_scaled_budget_alerts_read_scaled_series_and_say_so() -> None:
    group = budget_group(AVAILABILITY, DEFAULT_POLICY, BudgetAlerts(), SCALED, Links())
    assert group is not None
    for rule in group.rules:
        document = rule.document()
        assert 'slo_scale="120"' in document["expr"]
        assert "annotations" not in document or "divided by 120" in document["annotations"]["description"]
    assert "< 2160" in expressions(timing=SCALED)["ApiAvailabilityBudgetForecast"]  # 3 d / 120


def absence(**fields: Any) -> list[dict[str, Any]]:
    rules = absence_rules(API, [AVAILABILITY], AbsenceAlerts(**fields), REAL, Links())
    return [rule.document() for rule in rules]


def test_absence_is_keyed_on_scrape_health() -> None:
    down, missing = absence()
    assert (down["alert"], down["labels"]["severity"]) == ("ApiTargetDown", "page")
    assert down["expr"] == 'absent(up{job="api"} == 1)'
    assert (missing["alert"], missing["labels"]["severity"]) == ("ApiAvailabilityAbsent", "ticket")
    assert "slo:errors:rate5m" in missing["expr"]
    assert 'up{job="api"}' in missing["expr"]


LATENCY = LatencyBelow("500ms", histogram="took")
OF_TWO_PARTS = SLO(service=API, name="both", objective="99", sli=AllOf(parts=(ERRORS, LATENCY)))
SLICED = SLO(service=API, name="sliced", objective="99", sli=ERRORS, budgeting="slices")


def absent_rule(slo: SLO, timing: Timing = REAL) -> dict[str, Any]:
    rules = absence_rules(API, [slo], AbsenceAlerts(target_down=None), timing, Links())
    return rules[0].document()


def test_slices_are_asked_for_their_raw_errors_for_none_is_recorded_without_traffic() -> None:
    assert "slo:" not in absent_rule(SLICED)["expr"]
    assert str(ERRORS.errors(timedelta(minutes=5))) in absent_rule(SLICED)["expr"]
    assert "rules are not loaded" not in absent_rule(SLICED)["annotations"]["description"]


def test_each_part_is_asked_for_its_own_errors() -> None:
    found = absent_rule(OF_TWO_PARTS)
    for part in (ERRORS, LATENCY):
        assert str(call("absent", part.errors(timedelta(minutes=5)))) in found["expr"]
    assert "a part has no series" in found["annotations"]["description"]


def test_raw_errors_are_read_over_the_scaled_window() -> None:
    found = absent_rule(OF_TWO_PARTS, SCALED)
    assert "[2s500ms]" in found["expr"] and "[5m]" not in found["expr"]
    assert found["labels"]["slo_scale"] == "120"


def test_a_group_without_errors_is_absent_where_other_groups_have_them() -> None:
    split = AVAILABILITY.model_copy(update={"by": ("route",)})
    own = '{service="api",slo="availability"}'
    errors, total = f"slo:errors:rate5m{own}", f"slo:total:rate5m{own}"
    assert f"((({total} unless {errors}) * 0) + 1) and on () {errors}" in absent_rule(split)["expr"]


@pytest.mark.parametrize("slo", [SLICED, OF_TWO_PARTS], ids=lambda slo: slo.name)
def test_raw_series_tell_the_absence_of_what_is_not_recorded(slo: SLO) -> None:
    told = {
        (case.document["name"], one["series"])
        for case in absence_cases(API, [slo], AbsenceAlerts(target_down=None), REAL)
        for one in case.document["input_series"]
    }
    assert not [series for _, series in told if series.startswith("slo:")]
    assert [name for name, _ in told if "without traffic" in name]
    if slo is OF_TWO_PARTS:
        lacking = {series for name, series in told if "part 1 has no series" in name}
        assert {"took_count"} < {series.split("{")[0] for series in lacking}
        assert "r" not in {series.split("{")[0] for series in lacking}


def test_the_page_of_parts_asks_for_each() -> None:
    rule = absence_rules(API, [OF_TWO_PARTS], AbsenceAlerts(target_down=None), REAL, Links())[0]
    page = absence_page(rule, API, errors_read(OF_TWO_PARTS, REAL), REAL)
    assert "1. Is part 1 still missing?" in page and "2. Is part 2 still missing?" in page
    assert "6. Did a release rename" in page


def test_the_page_of_missing_data_asks_for_the_targets_that_the_objective_reads() -> None:
    rule = absence_rules(API, [AVAILABILITY], AbsenceAlerts(target_down=None), REAL, Links())[0]
    page = absence_page(rule, API, errors_read(AVAILABILITY, REAL), REAL, jobs=("api-edge", "api.db"))
    assert 'up{job=~"api-edge|api\\\\.db"}' in page
    assert "sum by (job) (up{" in page
    assert "the error beside the jobs `api-edge` and `api.db`" in page
    own = absence_page(rule, API, errors_read(AVAILABILITY, REAL), REAL)
    assert 'up{job="api"}' in own and "the error beside the job `api`" in own


def test_a_target_that_is_down_is_asked_for_as_the_alert_asks() -> None:
    down = absence_rules(API, [], AbsenceAlerts(), REAL, Links())[0]
    page = absence_page(down, API, [Selector("up")], REAL)
    assert "at most 1 min after a target answers scrapes again: a scrape and an evaluation" in page
    assert "histogram" not in page and "Did somebody change Prometheus's configuration" in page


def test_jobs_are_read_from_the_raw_series_of_an_objective() -> None:
    read = ['a_total{job="edge"} / b_total{job="db"}', "c_total", 'sum(rate(d_total{job="edge"}[5m]))']
    assert jobs_read(read) == ("edge", "db")


def page_on_the_budget(alert: str, **fields: Any) -> str:
    alerts = BudgetAlerts(**fields)
    (rule,) = [r for r in budget_alert_rules(AVAILABILITY, alerts, REAL, Links()) if r.alert.endswith(alert)]
    return budget_page(rule, AVAILABILITY, alerts, REAL, prometheus="https://prometheus.example")


def test_a_budgets_page_is_over_when_the_window_that_its_alert_reads_is_over() -> None:
    over = page_on_the_budget("BudgetForecast", rate_over="6h").split("## When it is over")[1]
    assert "what the last 6 h spent would no longer use up the rest within 3 d" in over
    assert "Foretold: at most 6 h 9 min after the last bad event, for it looks back 6 h" in over
    assert "30 d after" not in over
    review = page_on_the_budget("BurnReview").split("## When it is over")[1]
    assert "once the last 7 d hold less than 20 % of the budget" in review and "it looks back 7 d" in review
    assert "This alert says of api availability that less than 10 % of the error budget is left." in page_on_the_budget(
        "BudgetLow"
    )
    low = page_on_the_budget("BudgetLow").split("## When it is over")[1]
    assert "all of it is back 30 d after the last bad event" in low


def test_a_budgets_page_shows_when_it_was_spent() -> None:
    hours = 'avg_over_time(slo:errors:rate5m{service="api",slo="availability"}[1h]) * 3600'
    for alert, back in (("BudgetForecast", "2d"), ("BurnReview", "7d")):
        page = page_on_the_budget(alert)
        assert f"   {hours}\n" in page and f"&g0.range_input={back}" in page
    days = page_on_the_budget("BudgetLow")
    assert "[1d]) * 86400" in days and "The bad events of each day: draw them over the last 30 d" in days
    assert "&g0.range_input=30d" in days


def test_absence_lasts_two_scrapes_at_least() -> None:
    slow = Timing(scrape="1m", evaluation="1m")
    rules = absence_rules(API, [], AbsenceAlerts(target_down_for="10s"), slow, Links())
    assert rules[0].hold == timedelta(minutes=2)


def test_absence_alerts_may_be_dropped_and_overridden_for_a_service() -> None:
    assert absence(target_down=None, no_series=None) == []
    own, general = AbsenceAlerts(target_down="ticket", applies_to=(API,)), AbsenceAlerts(target_down=None)
    assert absence_for(API, (general, own)) is own
    assert absence_for(Service(name="b", owner="t", job="b"), (own, general)) is general


def test_groups_of_absence_stay_small() -> None:
    many = [SLO(service=API, name=f"s{number}", objective="99", sli=ERRORS) for number in range(45)]
    groups = absence_groups(API, many, AbsenceAlerts(), REAL, Links())
    assert [len(group.rules) for group in groups] == [20, 20, 6]


def test_each_of_these_alerts_has_a_case_that_fires_and_one_that_keeps_quiet() -> None:
    cases = [
        *budget_cases(AVAILABILITY, DEFAULT_POLICY, BudgetAlerts(), REAL),
        *absence_cases(API, [AVAILABILITY], AbsenceAlerts(), REAL),
    ]
    found: dict[str, set[int]] = {}
    for case in cases:
        fires = len(case.document["promql_expr_test"][-1]["exp_samples"])
        found.setdefault(case.alert, set()).add(fires)
    assert len(found) == 5
    assert all(kinds == {0, 1} for kinds in found.values())


def test_pages_say_what_to_paste() -> None:
    group = budget_group(AVAILABILITY, DEFAULT_POLICY, BudgetAlerts(), REAL, Links())
    assert group is not None
    low = next(rule for rule in group.rules if not isinstance(rule, RecordingRule))
    assert "slo:error_budget:remaining_ratio" in budget_page(low, AVAILABILITY, BudgetAlerts(), REAL)
    down = absence_rules(API, [], AbsenceAlerts(), REAL, Links())[0]
    page = absence_page(down, API, [Selector("up")], REAL)
    assert page.startswith("# ApiTargetDown\n")
    assert "page, start now." in page


GATED = BurnTier(
    name="fast",
    budget_share="0.02",
    long="1h",
    short="5m",
    severity="page",
    keep_firing_for="10m",
    minimum_budget_share="0.01",
)


def test_a_tier_can_ask_for_a_share_of_the_budget() -> None:
    rule = burn_alert(AVAILABILITY, GATED, REAL, Links()).document()
    assert rule["expr"].endswith(
        'unless (slo:errors:count_1h{service="api",slo="availability"} < '
        '(slo:error_budget:allowed_errors{service="api",slo="availability"} * 0.01))'
    )
    assert rule["keep_firing_for"] == "10m"


def test_the_allowed_errors_are_recorded_only_where_a_tier_reads_them() -> None:
    def recorded(policy: BurnPolicy) -> set[str]:
        groups = burn_groups(AVAILABILITY, policy, REAL, Links())
        return {rule.record for group in groups for rule in group.rules if isinstance(rule, RecordingRule)}

    assert "slo:error_budget:allowed_errors" in recorded(BurnPolicy(tiers=(GATED,)))
    assert "slo:error_budget:allowed_errors" not in recorded(DEFAULT_POLICY)


def test_a_gate_above_the_share_of_its_tier_is_refused() -> None:
    with pytest.raises(ValidationError, match="later than its windows promise"):
        BurnTier(name="a", budget_share="0.02", long="1h", short="5m", severity="page", minimum_budget_share="0.03")


def test_a_tier_that_keeps_firing_clears_that_much_later() -> None:
    plain = GATED.model_copy(update={"keep_firing_for": timedelta()})
    events = [Events(at=float(second), bad=50.0 if second <= 60 else 0.0, total=100.0) for second in range(1, 200)]
    soon = clearing_promise(plain, AVAILABILITY, SCALED, events, fired=60)
    later = clearing_promise(GATED, AVAILABILITY, SCALED, events, fired=60)
    assert soon is not None
    assert later is not None
    assert later.earliest - soon.earliest == pytest.approx(5)  # 10 min / 120


def test_a_burn_alert_tells_the_nominal_and_the_event_weighted_budget() -> None:
    text = burn_alert(AVAILABILITY, DEFAULT_POLICY.tiers[0], REAL, Links()).annotations["description"]
    assert "At even traffic that is 2 % of the budget in 1h" in text
    assert "slo:error_budget:remaining_ratio" in text.partition("by events, ")[2].partition("left")[0]


def test_a_query_in_an_annotation_survives_a_backquote() -> None:
    assert "query `up`" in queried(Selector("up"), "humanize")
    assert 'query "a' in queried(Selector("a`b"), "humanize") or 'query "{' in queried(Selector("a`b"), "humanize")


def test_a_query_of_a_split_objective_shows_its_own_part() -> None:
    text = queried(Selector("up"), "humanize", ("route", "tenant"))
    assert "if and (eq .Labels.route $labels.route) (eq .Labels.tenant $labels.tenant)" in text
