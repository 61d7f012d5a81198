from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof.promql import check_expression
from sloproof.slo import (
    SLO,
    AllOf,
    AnyIndicator,
    Composite,
    ErrorRatio,
    FreshWithin,
    GaugeAbove,
    GaugeBelow,
    GoodRatio,
    HistogramBelow,
    LatencyBelow,
    NativeLatencyBelow,
    ProbeUp,
    RawRatio,
    Service,
    ThroughputAtLeast,
    indicator_kinds,
)

API = Service(name="api", owner="team", job="api")
MINUTES = timedelta(minutes=5)
ERRORS = ErrorRatio(errors='r{code=~"5.."}', total="r")
LATENCY = LatencyBelow("500ms", histogram="d")
CPU = GaugeBelow("0.7", gauge="cpu")

EVERY: dict[str, AnyIndicator] = {
    "error-ratio": ERRORS,
    "good-ratio": GoodRatio(good='r{code="200"}', total="r"),
    "latency-below": LATENCY,
    "histogram-below": HistogramBelow("0.1", histogram="shift"),
    "native-latency-below": NativeLatencyBelow("500ms", histogram="d"),
    "probe-up": ProbeUp(probe='up{job="api"}'),
    "gauge-below": CPU,
    "gauge-above": GaugeAbove("90", gauge='sum(rate(hits{of="a b"}[5m])) / sum(rate(reads[5m]))'),
    "throughput-at-least": ThroughputAtLeast("30", requests="r"),
    "fresh-within": FreshWithin("1h", last_success="backup_seconds"),
    "raw-ratio": RawRatio(errors='rate(r{code="500"}[$window])', total="rate(r[$window])"),
    "composite": Composite(parts=((ERRORS, "2"), (CPU, 1))),
    "all-of": AllOf(parts=(ERRORS, LATENCY)),
}
WINDOWS = [timedelta(seconds=2.5), MINUTES, timedelta(hours=1), timedelta(days=30), timedelta(milliseconds=17)]


def slo(sli: Any, **others: Any) -> SLO:
    return SLO(service=API, name="good", objective="99", sli=sli, **others)


def test_every_kind_is_tried_here() -> None:
    assert set(EVERY) == indicator_kinds()
    assert all(indicator.kind == kind for kind, indicator in EVERY.items())


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_says_promql_that_parses_for_any_window_and_group(kind: str) -> None:
    for window in WINDOWS:
        for by in ((), ("route", "tenant")):
            for budgeting in ("events", "slices"):
                promise = slo(EVERY[kind], by=by, budgeting=budgeting)
                check_expression(str(promise.errors(window) / promise.total(window).above(0)))


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_can_be_read_back_from_what_it_was_written_down_as(kind: str) -> None:
    promise = slo(EVERY[kind], by=("route",), budgeting="slices", slice_objective="95")
    assert SLO.model_validate(promise.model_dump()) == promise
    assert SLO.model_validate_json(promise.model_dump_json()) == promise


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_says_what_a_good_event_is_on_one_line(kind: str) -> None:
    sentence = EVERY[kind].sentence()
    assert sentence and "{{" not in sentence and "\n" not in sentence


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_names_the_series_that_it_needs(kind: str) -> None:
    assert EVERY[kind].selectors()
    for selector in EVERY[kind].selectors():
        check_expression(selector)


def test_words_are_one_line() -> None:
    with pytest.raises(ValidationError, match="must be one line"):
        GaugeBelow("1", gauge="g", meaning="two\nlines")


def test_no_good_events_ever_are_all_bad() -> None:
    assert str(GoodRatio(good="g", total="t").errors(MINUTES)) == (
        "clamp_min(sum(rate(t[5m])) - (sum(rate(g[5m])) or (0 * sum(rate(t[5m])))), 0)"
    )


def test_a_gauge_is_cut_into_slices_and_the_worst_series_counts() -> None:
    assert str(CPU.errors(timedelta(hours=1))) == ("(sum_over_time((max(cpu >= -Inf) > bool 0.7)[1h:30s]) * 30) / 3600")
    above = GaugeAbove("0.8", gauge="hits / reads")
    assert str(above.total(MINUTES)) == (
        "(count_over_time((min((hits / reads) >= -Inf) < bool 0.8)[5m:2s500ms]) * 2.5) / 300"
    )


@pytest.mark.parametrize(
    "gauge", ["cpu[5m]", "5", "time()", '"text"', "cpu > 1", "cpu +", "cpu[$window]", "cpu) or (b"]
)
def test_what_is_no_gauge_is_refused(gauge: str) -> None:
    with pytest.raises(ValidationError):
        GaugeBelow("1", gauge=gauge)


@pytest.mark.parametrize("limit", [0.7, "NaN", "Infinity", "much"])
def test_a_limit_is_an_exact_number(limit: Any) -> None:
    with pytest.raises(ValidationError):
        GaugeBelow(limit, gauge="cpu")


@pytest.mark.parametrize(
    ("text", "over_five_minutes"),
    [
        ("rate(r[$window])", "(rate(r[5m]))"),
        ("rate(r[ $window ]) # of [$window]\n  or\tvector(0)", "(rate(r[ 5m ]) or vector(0))"),
        ('rate(r{a="[$window]",b="\\"[$window]"}[$window])', '(rate(r{a="[$window]",b="\\"[$window]"}[5m]))'),
        ("rate(r{a='[$window] # no'}[$window])", "(rate(r{a='[$window] # no'}[5m]))"),
        ("rate(r{a=`[$window]`}[$window])", "(rate(r{a=`[$window]`}[5m]))"),
        ("max_over_time(g[$window:5s])", "(max_over_time(g[5m:5s]))"),
    ],
)
def test_the_window_is_put_where_it_belongs_and_nowhere_else(text: str, over_five_minutes: str) -> None:
    raw = RawRatio(errors=text, total=text)
    assert str(raw.total(MINUTES)) == f"sum({over_five_minutes})"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate(r[5m])", "no `\\[\\$window\\]`"),
        ('r{a="$window"}', "no `\\[\\$window\\]`"),
        ("rate(r[$windows])", "no `\\[\\$window\\]`"),
        ("r offset $window", "where no range is"),
        ("rate(r[$window] offset $window)", "where no range is"),
        ("max_over_time(r[5m:$window])", "where no range is"),
        ("r[$window]", "not PromQL that yields series"),
        ("rate(r[$window])) or (up", "not PromQL"),
        ("scalar(rate(r[$window]))", "not PromQL that yields series"),
        ('rate(r{a="b\n"}[$window])', "quote that is not closed"),
        ("rate(r{a='b}[$window])", "quote that is not closed"),
        ("$window", "where no range is"),
    ],
)
def test_a_window_that_is_missing_or_misplaced_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RawRatio(errors=text, total="rate(r[$window])")


def test_a_composite_adds_events_not_ratios() -> None:
    both = Composite(parts=((ERRORS, 2), (ErrorRatio(errors="e", total="t"), 1)))
    assert str(both.total(MINUTES)) == (
        "((sum(rate(r[5m])) * 2) or (0 * sum(rate(t[5m])))) + (sum(rate(t[5m])) or (0 * sum(rate(r[5m]))))"
    )


def test_the_events_of_all_parts_are_those_of_the_first_one_that_has_series() -> None:
    both = AllOf(parts=(ERRORS, LATENCY))
    first, second = (part.total(MINUTES, by=("route",)) for part in both.parts)
    assert str(both.total(MINUTES, by=("route",))) == f"{first} or {second}"
    assert str(both.errors(MINUTES, by=("route",))).count(f"or (0 * ({first} or {second}))") == 2


def test_parts_of_the_same_events_count_them_once() -> None:
    slower = LATENCY.model_copy(update={"threshold": LATENCY.threshold * 2})
    assert str(AllOf(parts=(LATENCY, slower)).total(MINUTES)) == str(LATENCY.total(MINUTES))
    assert " or " not in str(Composite(parts=((LATENCY, 1), (slower, 1))).total(MINUTES))


@pytest.mark.parametrize("weight", ["0", "-1", 0.5])
def test_a_weight_is_exact_and_above_zero(weight: Any) -> None:
    with pytest.raises(ValidationError):
        Composite(parts=((ERRORS, weight),))


def test_parts_that_would_feed_one_another_are_not_made_up_for_rule_tests() -> None:
    assert Composite(parts=((ERRORS, 1), (ErrorRatio(errors='r{code="404"}', total="r"), 1))).samples() == ()
    assert Composite(parts=((ERRORS, 1), (CPU, 1))).samples() == ()
    assert len(Composite(parts=((ERRORS, 1), (LATENCY, 1))).samples()) == 4


def test_a_gauge_says_its_good_and_its_bad_value() -> None:
    (cpu,) = CPU.levels()
    assert cpu.good <= Decimal("0.7") < cpu.bad
    (backup,) = EVERY["fresh-within"].levels()
    assert backup.form == "age" and backup.good == 0 and backup.bad > 3600
    assert GaugeBelow("1", gauge="sum(cpu)").levels() == ()


@pytest.mark.parametrize(
    "label", ["service", "slo", "slo_scale", "le", "__name__", "severity", "tier", "owner", "a-b", ""]
)
def test_a_group_cannot_take_a_label_that_rules_need(label: str) -> None:
    with pytest.raises(ValidationError):
        slo(ERRORS, by=(label,))


def test_a_label_is_named_once() -> None:
    with pytest.raises(ValidationError, match="named twice"):
        slo(ERRORS, by=("route", "route"))


def test_no_errors_yet_are_zero_errors_in_each_group() -> None:
    assert str(slo(ERRORS, by=("route",)).errors(MINUTES)) == (
        'sum by (route) (rate(r{code=~"5.."}[5m])) or (0 * sum by (route) (rate(r[5m])))'
    )


def test_a_slice_has_the_objective_unless_it_says_its_own() -> None:
    assert slo(ERRORS, budgeting="slices").slice_budget == Decimal("0.01")
    assert slo(ERRORS, budgeting="slices", slice_objective="95").slice_budget == Decimal("0.05")
    with pytest.raises(ValidationError, match="slice_objective"):
        slo(ERRORS, slice_objective="95")
    with pytest.raises(ValidationError):
        slo(ERRORS, budgeting="slices", slice_objective="100")


def test_longer_windows_of_slices_are_sums_of_recorded_ones() -> None:
    assert slo(ERRORS, budgeting="slices").by_slices
    assert slo(EVERY["throughput-at-least"]).by_slices
    assert slo(Composite(parts=((EVERY["throughput-at-least"], 1),))).by_slices
    assert not slo(ERRORS).by_slices and not slo(CPU).by_slices


def test_a_missing_field_is_named_as_its_author_writes_it() -> None:
    with pytest.raises(ValidationError, match="total_selector"):
        ErrorRatio(errors="e")
    with pytest.raises(ValidationError, match="limit"):
        GaugeBelow(gauge="cpu")


@pytest.mark.parametrize("kind", [LatencyBelow, HistogramBelow, NativeLatencyBelow])
@pytest.mark.parametrize(
    ("histogram", "told"),
    [
        ('h_seconds_bucket{job="a"}', "name the histogram without `_bucket`, as `h_seconds`"),
        ("h_seconds_count", "name the histogram without `_count`, as `h_seconds`"),
        ("h_seconds_sum", "name the histogram without `_sum`, as `h_seconds`"),
        ('h_seconds{le="0.5"}', '`le="0.5"` picks a bucket of the histogram; leave it out'),
        ('h_seconds{le=~"0.5|1"}', '`le=~"0.5|1"` picks a bucket'),
    ],
)
def test_a_histogram_is_named_without_the_parts_of_its_series(kind: Any, histogram: str, told: str) -> None:
    threshold = "1" if kind is HistogramBelow else "1s"
    with pytest.raises(ValidationError) as refused:
        kind(threshold, histogram=histogram)
    assert told in str(refused.value)
    assert kind(threshold, histogram="h_seconds_bucketed").histogram == "h_seconds_bucketed"
