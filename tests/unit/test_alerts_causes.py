from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from sloproof.alerts import REAL, CauseAlert, Links, Timing, cause_groups, cause_rule, rules_yaml
from sloproof.alerts.cause_tests import cause_cases, cause_tests, not_proven
from sloproof.alerts.input_series import input_series
from sloproof.runbooks import cause_page, unwritten_sections
from sloproof.slo import SLO, ErrorRatio, Service

API = Service(name="api", owner="team", job="api", description="people use it")
AVAILABILITY = SLO(service=API, name="availability", objective="99.9", sli=ErrorRatio(errors="bad", total="all"))
SCALED = Timing(scale=120, scrape=timedelta(milliseconds=500))
CPU = 'avg by (instance) (rate(process_cpu_seconds_total{job="api"}[1m]))'


def cause(**fields: Any) -> CauseAlert:
    given: dict[str, Any] = {
        "service": API,
        "name": "high-cpu",
        "expression": CPU,
        "hold": "3m",
        "severity": "warning",
        "summary": "the processor is nearly full",
        "first_step": "open the dashboard and look for the busiest instance",
    }
    if "above" not in fields and "below" not in fields:
        given["above"] = "0.85"
    return CauseAlert(**given | fields)


def rule(one: CauseAlert) -> dict[str, Any]:
    return cause_rule(one, REAL, Links()).document()


def test_a_cause_becomes_a_rule_with_its_threshold_and_its_identity() -> None:
    found = rule(cause())
    assert found["alert"] == "ApiHighCpu"
    assert found["expr"] == f"{CPU} > 0.85"
    assert found["for"] == "3m"
    assert found["labels"] == {"service": "api", "severity": "warning", "owner": "team", "kind": "cause"}
    assert found["annotations"]["runbook_url"] == "runbooks/ApiHighCpu.md"


def test_an_expression_with_an_operator_on_top_is_bracketed() -> None:
    assert rule(cause(expression="a and b"))["expr"] == "(a and b) > 0.85"
    assert rule(cause(expression="hits / lookups", below="0.8"))["expr"] == "(hits / lookups) < 0.8"


def test_a_comment_and_a_line_break_swallow_nothing() -> None:
    found = rule(cause(expression="sum(a) # all of it\n"))["expr"]
    assert found == "sum(a) > 0.85"


def test_the_threshold_is_kept_exact() -> None:
    assert cause(above="0.1000000000000000055511151231257827").limit == Decimal("0.1000000000000000055511151231257827")
    with pytest.raises(ValidationError, match="not exact"):
        cause(above=0.85)


@pytest.mark.parametrize("limit", ["NaN", "Infinity", "much"])
def test_a_threshold_that_is_no_number_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError):
        cause(above=limit)


@pytest.mark.parametrize("limits", [{"above": "1", "below": "2"}, {"above": None, "below": None}])
def test_exactly_one_limit_is_needed(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        cause(**limits)


@pytest.mark.parametrize("expression", ["a > 1", "(a != 2)", "((a <= b))"])
def test_an_expression_that_compares_already_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="compares already"):
        cause(expression=expression)


def test_a_comparison_that_yields_zero_or_one_is_a_measurement() -> None:
    assert rule(cause(expression="a > bool 1", above="0"))["expr"] == "(a > bool 1) > 0"


@pytest.mark.parametrize("expression", ["1 + 1", "time()", "a[5m]", '"text"'])
def test_what_is_no_vector_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="yields no series"):
        cause(expression=expression)


@pytest.mark.parametrize("expression", ["", "sum(", "a) or (b", "rate(a)"])
def test_what_prometheus_cannot_read_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="not PromQL"):
        cause(expression=expression)


@pytest.mark.parametrize("text", ["it is {{ $value }}", "two\nlines", " "])
def test_a_summary_is_one_static_line(text: str) -> None:
    with pytest.raises(ValidationError, match="static line"):
        cause(summary=text)


def test_an_owner_with_braces_is_not_taken_for_a_template() -> None:
    owned = cause(service=Service(name="api", owner="{{ .Labels }}", job="api"))
    assert rule(owned)["labels"]["owner"] == '{{ "{{" }} .Labels }}'


def test_causes_are_grouped_by_how_often_they_run_and_never_more_than_twenty() -> None:
    many = [cause(name=f"c{number}") for number in range(25)] + [cause(name="slow", runs_every="5m")]
    groups = cause_groups("api", many, REAL, Links())
    assert [len(group.rules) for group in groups] == [20, 5, 1]
    assert len({group.name for group in groups}) == 3
    assert yaml.safe_load(rules_yaml(groups))["groups"][2]["interval"] == "5m"


def test_a_lab_divides_how_long_a_cause_must_last() -> None:
    found = cause_rule(cause(hold="4m", keep_firing_for="10m"), SCALED, Links()).document()
    assert (found["for"], found["keep_firing_for"]) == ("2s", "5s")


def series_of(one: CauseAlert, index: int = 0) -> dict[str, str]:
    return {fed["series"]: fed["values"] for fed in cause_cases(one)[index].document["input_series"]}


def test_a_case_feeds_a_counter_that_grows_as_fast_as_its_rate_shall_be() -> None:
    assert series_of(cause()) == {'process_cpu_seconds_total{job="api"}': "0+31.875x14"}  # 0.85 * 1.25 * 30 s
    assert series_of(cause(), 1) == {'process_cpu_seconds_total{job="api"}': "0+20.4x14"}


def test_a_case_feeds_a_share_of_its_total_and_the_rest_of_it() -> None:
    errors = cause(expression='sum(rate(r{code=~"5.."}[1m])) / sum(rate(r[1m]))', above="0.005", hold="1m")
    assert series_of(errors) == {'r{code="500"}': "0+18.75x10", "r": "0+2981.25x10"}


def test_a_case_feeds_hits_and_misses() -> None:
    share = cause(expression="sum(rate(hit[5m])) / (sum(rate(hit[5m])) + sum(rate(miss[5m])))", below="0.8")
    fed = {name: values.split("x")[0] for name, values in series_of(share).items()}
    assert fed == {"hit": "0+1800", "miss": "0+1200"}


def test_a_case_feeds_buckets_around_the_wanted_quantile() -> None:
    slow = cause(expression="histogram_quantile(0.95, sum by (le) (rate(d_bucket[5m])))", above="0.7")
    assert [name.partition("le=")[2] for name in series_of(slow)] == ['"0.870625"}', '"0.879375"}', '"+Inf"}']


def test_a_case_knows_the_time() -> None:
    old = cause(expression="time() - last_success_timestamp_seconds", above="3600", hold="0s")
    assert series_of(old) == {"last_success_timestamp_seconds": "-4500+30x6"}


def test_a_share_above_one_is_not_fed() -> None:
    full = cause(expression='1 - avg(rate(cpu{mode="idle"}[5m]))', above="0.9")
    assert [case.document["name"].rsplit(" ", 1)[1] for case in cause_cases(full)][:2] == ["0.99", "0.72"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("count(up)", "`count`"),
        ("a unless b", "`unless`"),
        ("absent(a)", "`absent`"),
        ("a[5m:1m] offset 1h", ""),
        ("a / a", "cannot be more"),
        ("avg_over_time(a[40d])", "more than promtool can load"),
    ],
)
def test_what_cannot_be_proven_is_said_with_its_reason(expression: str, reason: str) -> None:
    try:
        odd = cause(expression=expression)
    except ValidationError:
        return
    assert reason in not_proven([odd])[0][1]
    assert cause_tests("api", [odd]) == {}


def test_a_page_has_the_generated_sections_and_those_to_be_written() -> None:
    one = cause()
    page = cause_page(cause_rule(one, REAL, Links()), one, (), REAL)
    for heading in ("# ApiHighCpu", "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"):
        assert f"\n{heading}\n" in f"\n{page}"
    assert f"   {CPU} > 0.85\n" in page
    assert "the value of this alert is above 0.85, for 3 min and longer" in page
    assert "Mitigation" in unwritten_sections(page)


def test_a_written_part_of_a_page_is_kept() -> None:
    one = cause()
    rule_of = cause_rule(one, REAL, Links())
    page = cause_page(rule_of, one, (), REAL).replace("First stop the harm", "Call Ann")
    assert cause_page(rule_of, one, (), REAL, page) == page
    changed = cause(above="0.9")
    assert "Call Ann" in cause_page(cause_rule(changed, REAL, Links()), changed, (), REAL, page)
    assert "> 0.9" in cause_page(cause_rule(changed, REAL, Links()), changed, (), REAL, page)


def test_a_condition_beside_the_value_is_met_by_the_cases() -> None:
    errors, total = 'r_total{code=~"5.."}', "r_total"
    enough = f"sum(increase({errors}[1m])) >= 3"
    guarded = cause(expression=f"sum(rate({errors}[1m])) / sum(rate({total}[1m])) and ({enough})", above="0.005")
    fires, *_ = cause_cases(guarded)
    assert {one["series"] for one in fires.document["input_series"]} == {'r_total{code="500"}', "r_total"}


def test_a_condition_on_a_whole_feeds_what_its_part_leaves_open() -> None:
    fed = input_series('sum(rate(r_total{code!~"5.."}[5m])) and (sum(rate(r_total[5m])) >= 30)', Decimal(24))
    courses = {str(one.series): one.course.slope for one in fed.series}
    assert courses["r_total"] == 24
    assert courses["r_total"] + courses['r_total{code="500"}'] > 30


def test_a_condition_of_its_own_series_is_fed_above_its_limit() -> None:
    fed = input_series("a and b > 3", Decimal(2))
    assert [(str(one.series), one.course.start > 3) for one in fed.series] == [("a", False), ("b", True)]


def test_on_a_scaled_clock_the_windows_in_the_expression_are_scaled_too() -> None:
    found = cause_rule(cause(expression="sum(rate(x[5m])) / sum(rate(y[5m] offset 1h))"), SCALED, Links()).document()
    assert found["expr"] == "(sum(rate(x[2s500ms])) / sum(rate(y[2s500ms] offset 30s))) > 0.85"
    assert found["for"] == "1s500ms"


def test_a_scaled_window_keeps_four_scrapes() -> None:
    assert cause_rule(cause(), SCALED, Links()).document()["expr"] == f"{CPU} > 0.85".replace("[1m]", "[2s]")


def test_a_page_tells_how_long_each_budget_lasts_and_when_it_is_over() -> None:
    one = cause()
    page = cause_page(cause_rule(one, REAL, Links()), one, [AVAILABILITY], REAL)
    assert "| objective | 1 % bad | 10 % bad | 100 % bad |" in page
    assert "| availability | 3 d | 7 h 12 min | 43 min 12 s |" in page
    assert "Foretold: at most 2 min after what it measures is well again: a scrape, the 1 min" in page


def written(**fields: Any) -> str:
    one = cause(**fields)
    return cause_page(cause_rule(one, REAL, Links()), one, (), REAL)


@pytest.mark.parametrize(
    ("fields", "told", "asked"),
    [
        (
            {"unit": "ratio"},
            "the value of this alert is above 85 %",
            "where 1 is 100 %? Above 0.85 is wrong",
        ),
        ({"unit": "seconds"}, "is above 0.85 s,", "What is the value, in seconds? Above 0.85 is wrong"),
        ({"unit": "seconds", "above": 7776000}, "is above 90 d,", "Above 7776000 is wrong"),
        ({"unit": "locks a minute", "below": 5}, "is below 5 locks a minute,", "in locks a minute? Below 5 is wrong"),
        ({}, "is above 0.85,", "What is the value? Above 0.85 is wrong"),
        ({"measures": "the load", "above": 1}, "**What is wrong:** the load is above 1,", "Above 1 is wrong"),
    ],
)
def test_a_page_says_what_is_measured_and_in_what(fields: dict[str, Any], told: str, asked: str) -> None:
    page = written(**fields)
    assert told in page and asked in page


def test_a_page_says_what_comes_next_and_does_not_say_twice_what_is_wrong() -> None:
    page = written(consequence="requests wait for a processor")
    assert "- **If it goes on:** requests wait for a processor." in page
    assert written().count("the processor is nearly full") == 1


def test_a_cause_that_wakes_somebody_does_not_say_that_nobody_may_notice() -> None:
    for severity in ("page", "critical"):
        page = written(severity=severity)
        assert "may not notice" not in page and "It wakes somebody by itself" in page
        assert "Tickets of causes are kept quiet" not in page
    assert "Users may not notice anything yet" in written(severity="ticket")


def test_a_page_shows_the_value_that_a_filter_of_the_alert_hides() -> None:
    page = written(expression='sum(rate(a{job="x"}[1m])) / sum(rate(b{job="y"}[1m])) and (sum(c) >= 3)')
    assert '\n   sum(rate(a{job="x"}[1m])) / sum(rate(b{job="y"}[1m]))\n' in page
    assert '   topk(10, rate(a{job="x"}[1m]))\n' in page
    assert "Where query 2 shows nothing, look at query 4: its targets must be at 1" in page
    assert '   up{job=~"x|y"}\n' in page


def test_a_figure_on_its_own_is_not_sorted() -> None:
    page = written(expression='histogram_quantile(0.95, sum by (le) (rate(a_bucket{job="api"}[5m])))')
    assert "topk" not in page and "3. Is it measured at all?" in page
    assert "alert of its own" not in page
    assert "Each `instance` is an alert of its own" in written()


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ('sum(rate(a{job="api"}[5m]))', 'topk(10, rate(a{job="api"}[5m]))'),
        ('sum by (pod) (rate(a{job="api"}[5m]))', 'topk(10, sum by (pod) (rate(a{job="api"}[5m])))'),
    ],
)
def test_a_page_asks_for_the_parts_of_a_sum_and_for_the_worst_of_many(expression: str, asked: str) -> None:
    one = cause(expression=expression)
    assert f"   {asked}\n" in cause_page(cause_rule(one, REAL, Links()), one, (), REAL)


def test_a_subquery_is_counted_in_when_it_will_be_over() -> None:
    one = cause(expression="max_over_time(sum(rate(a[5m]))[1h:1m])")
    page = cause_page(cause_rule(one, REAL, Links()), one, (), REAL)
    assert "the 1 h 5 min over which it is measured" in page
