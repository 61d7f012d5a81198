from datetime import timedelta
from decimal import Decimal

import pytest
import yaml
from pydantic import ValidationError

from sloproof.alerts import (
    DEFAULT_POLICY,
    REAL,
    BurnPolicy,
    BurnTier,
    Links,
    Routing,
    Timing,
    Webhook,
    alertmanager_config,
    base_group,
    burn_groups,
    policy_for,
    rules_yaml,
)
from sloproof.alerts.promise import Events, clearing_promise, detection_time, firing_promise, reset_time
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(
    service=API, name="availability", objective="99.9", sli=ErrorRatio(errors='r{code="500"}', total="r")
)
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))
SCALED = Timing(scale=120, scrape=timedelta(milliseconds=500))
FAST, MEDIUM, SLOW, TRICKLE = DEFAULT_POLICY.tiers


def rules_of(slo: SLO, timing: Timing = REAL) -> list[dict[str, object]]:
    groups = [base_group(slo, timing), *burn_groups(slo, DEFAULT_POLICY, timing, Links())]
    return [rule for group in yaml.safe_load(rules_yaml(groups))["groups"] for rule in group["rules"]]


def test_factors_are_those_of_the_workbook() -> None:
    month = timedelta(days=30)
    assert [tier.factor(month) for tier in DEFAULT_POLICY.tiers] == [Decimal("14.4"), 6, 3, 1]
    assert FAST.factor(timedelta(days=28)) == Decimal("13.44")


@pytest.mark.parametrize(
    ("tier", "ratio", "seconds"),
    [(FAST, "1", 52), (FAST, "0.1", 518), (MEDIUM, "1", 130), (SLOW, "1", 259), (TRICKLE, "0.01", 25920)],
)
def test_detection_times_are_those_of_the_workbook(tier: BurnTier, ratio: str, seconds: int) -> None:
    found = detection_time(tier, AVAILABILITY, Decimal(ratio))
    assert found is not None
    assert round(found.total_seconds()) == seconds


def test_a_ratio_at_the_threshold_never_fires() -> None:
    assert detection_time(FAST, AVAILABILITY, Decimal("0.0144")) is None
    assert reset_time(FAST, AVAILABILITY, Decimal("0.0144")) is None


def test_every_series_that_an_alert_reads_is_recorded() -> None:
    for slo in (AVAILABILITY, LATENCY):
        rules = rules_of(slo)
        recorded = {rule["record"] for rule in rules if "record" in rule}
        for rule in rules:
            if "alert" in rule:
                read = {word.split("{")[0].lstrip("(") for word in str(rule["expr"]).split() if "slo:" in word}
                assert read <= recorded


def test_both_sides_of_an_and_carry_equal_labels() -> None:
    ratios = [rule for rule in rules_of(AVAILABILITY) if "ratio_" in str(rule.get("record"))]
    labels = {tuple(sorted(rule["labels"].items())) for rule in ratios}  # type: ignore[attr-defined]
    assert labels == {(("service", "api"), ("slo", "availability"))}


def test_groups_stay_small_enough_for_mimir() -> None:
    assert all(len(group.rules) <= 20 for group in burn_groups(AVAILABILITY, DEFAULT_POLICY, REAL, Links()))


def test_the_fast_page_reads_raw_series_and_longer_windows_the_recorded_pair() -> None:
    expressions = {rule["record"]: str(rule["expr"]) for rule in rules_of(AVAILABILITY) if "record" in rule}
    assert "rate(r" in expressions["slo:error:ratio_1h"]
    assert "rate(r" in expressions["slo:error:ratio_5m"]
    assert "rate(r" not in expressions["slo:error:ratio_30m"]
    assert "rate(r" not in expressions["slo:error:ratio_30d"]


def test_no_rule_averages_ratios() -> None:
    assert not any("avg" in str(rule["expr"]) for rule in rules_of(AVAILABILITY))


def test_scaled_rules_carry_the_factor_in_a_label_and_in_words() -> None:
    rules = rules_of(AVAILABILITY, SCALED)
    assert all(rule["labels"]["slo_scale"] == "120" for rule in rules)  # type: ignore[index]
    alert = next(rule for rule in rules if rule.get("alert") == "ApiAvailabilityFastBurn")
    assert "divided by 120" in alert["annotations"]["description"]  # type: ignore[index]
    assert "[2s500ms]" in next(str(rule["expr"]) for rule in rules if rule.get("record") == "slo:error:ratio_5m")


def test_values_stand_in_annotations_never_in_labels() -> None:
    for rule in rules_of(AVAILABILITY):
        assert "{{" not in str(rule["labels"])
        if "alert" in rule:
            assert "{{" not in rule["annotations"]["summary"]  # type: ignore[index]


def test_a_scale_without_enough_scrapes_is_refused() -> None:
    with pytest.raises(ValidationError, match="fewer than 4 scrapes"):
        Timing(scale=120, scrape=timedelta(seconds=1))


def test_tiers_of_one_name_and_windows_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValidationError, match="same name"):
        BurnPolicy(tiers=(FAST, FAST))
    with pytest.raises(ValidationError, match="shorter"):
        BurnTier(name="odd", budget_share="0.1", long="5m", short="1h", severity="page")


def test_an_objective_may_have_a_policy_of_its_own() -> None:
    own = BurnPolicy(tiers=(FAST,), applies_to=(LATENCY,))
    general = BurnPolicy(tiers=(SLOW,))
    assert policy_for(LATENCY, (general, own)) is own
    assert policy_for(AVAILABILITY, (own, general)) is general
    assert policy_for(AVAILABILITY, (own,)) is DEFAULT_POLICY


def test_faster_tiers_inhibit_slower_ones_of_the_same_objective() -> None:
    routing = Routing(receivers=(Webhook(name="a", url="http://127.0.0.1:1/x"),), routes={"page": "a"})
    config = yaml.safe_load(alertmanager_config(routing, [DEFAULT_POLICY]))
    first = config["inhibit_rules"][0]
    assert first["source_matchers"] == ['tier="fast"', 'slo!=""']
    assert first["target_matchers"] == ['tier=~"medium|slow|trickle"', 'slo!=""']
    assert first["equal"] == ["service", "slo"]


def test_a_route_to_nobody_is_refused() -> None:
    with pytest.raises(ValidationError, match="no receiver"):
        Routing(receivers=(Webhook(name="a", url="http://127.0.0.1:1/x"),), routes={"page": "b"})


def steps(*stages: tuple[int, float]) -> list[Events]:
    """Seconds of 100 events each, with a share of bad ones."""
    found: list[Events] = []
    for seconds, ratio in stages:
        found += [Events(at=len(found) + 1 + i, bad=100 * ratio, total=100) for i in range(seconds)]
    return found


def test_a_promise_from_events_meets_the_formula_when_the_window_is_full() -> None:
    # At scale 120 the slow tier's long window is 720 s and its short one 60 s; the threshold is 15 %.
    promise = firing_promise(SLOW, LATENCY, SCALED, steps((720, 0), (500, 0.3)))
    assert promise is not None
    assert promise.earliest == pytest.approx(720 + 360 + 1 + 1, abs=2)  # L * threshold / ratio, and `for`
    assert promise.latest - promise.earliest == pytest.approx(0.5 + 1 + 2.5 + 0.25)


def test_a_young_history_fires_sooner() -> None:
    promise = firing_promise(SLOW, LATENCY, SCALED, steps((60, 0), (200, 0.3)))
    assert promise is not None
    assert promise.earliest == pytest.approx(60 + 60 + 1, abs=2)  # age * threshold / (ratio - threshold)


def test_events_that_never_cross_promise_nothing() -> None:
    assert firing_promise(SLOW, LATENCY, SCALED, steps((60, 0), (500, 0.14))) is None


def test_what_crossed_before_the_fault_is_not_its_doing() -> None:
    stall_then_fault = steps((20, 0.5), (80, 0), (200, 0.3))
    promise = firing_promise(SLOW, LATENCY, SCALED, stall_then_fault, since=100)
    assert promise is not None
    assert promise.earliest > 100


def test_it_must_clear_once_the_short_window_has_recovered() -> None:
    events = steps((60, 0), (100, 0.3), (60, 0))
    promise = clearing_promise(SLOW, LATENCY, SCALED, events, fired=160)
    assert promise is not None
    assert promise.earliest == pytest.approx(160 + 30, abs=1.5)  # S * (1 - threshold / ratio)


def test_events_that_cross_again_clear_when_the_last_of_them_are_over() -> None:
    once = clearing_promise(SLOW, LATENCY, SCALED, steps((60, 0), (100, 0.3), (300, 0)), fired=160)
    again = clearing_promise(SLOW, LATENCY, SCALED, steps((60, 0), (100, 0.3), (80, 0), (60, 0.9), (160, 0)), fired=160)
    assert once is not None
    assert again is not None
    assert again.earliest > 300 + 20, "no evaluation can miss a minute above the threshold"
    assert once.latest - once.earliest == again.latest - again.earliest


def test_a_crossing_that_no_evaluation_need_see_may_or_may_not_put_the_end_off() -> None:
    beside_the_threshold = steps((60, 0), (100, 0.3), (31, 0), (1, 1.0), (100, 0))
    promise = clearing_promise(SLOW, LATENCY, SCALED, beside_the_threshold, fired=160)
    assert promise is not None
    assert promise.earliest == pytest.approx(160 + 30, abs=1.5)
    assert promise.latest > 160 + 31 + 4.25


def test_events_that_end_above_the_threshold_promise_no_end() -> None:
    assert clearing_promise(SLOW, LATENCY, SCALED, steps((60, 0), (100, 0.3), (80, 0), (30, 0.9)), fired=160) is None
