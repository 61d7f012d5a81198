import re
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
import yaml

from sloproof.alerts import DEFAULT_POLICY, REAL, BurnTier, Links, base_group, burn_groups, rules_yaml
from sloproof.alerts.proof import AlertProof, CaseResult, ProofCase, ProofPlan, gap_results, judge
from sloproof.alerts.proof_cases import burn_plan
from sloproof.alerts.proof_report import as_document, as_junit, notes, rows, summary, table
from sloproof.alerts.proof_rules import rules_behind
from sloproof.alerts.proof_traffic import Stretch, counters, counters_born_later
from sloproof.definition import format_duration
from sloproof.promql import selectors_in
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, NativeLatencyBelow, Service

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(
    service=API, name="availability", objective="99.9", sli=ErrorRatio(errors='r{code="500"}', total="r")
)
LATENCY = SLO(service=API, name="latency", objective="90", sli=LatencyBelow("500ms", histogram="d"))
FAST, MEDIUM, SLOW, TRICKLE = DEFAULT_POLICY.tiers


def groups_of(*slos: SLO) -> list[dict[str, object]]:
    groups = [base_group(slo, REAL) for slo in slos]
    groups += [group for slo in slos for group in burn_groups(slo, DEFAULT_POLICY, REAL, Links())]
    found: list[dict[str, object]] = yaml.safe_load(rules_yaml(groups))["groups"]
    return found


def plan(tier: BurnTier, slo: SLO = AVAILABILITY) -> ProofPlan:
    return burn_plan(slo, tier, REAL, groups_of(AVAILABILITY, LATENCY))


def named(found: ProofPlan, title: str) -> ProofCase:
    return next(case for case in found.cases if case.title == title)


@pytest.mark.parametrize("tier", DEFAULT_POLICY.tiers, ids=lambda tier: tier.name)
def test_every_alert_has_every_case(tier: BurnTier) -> None:
    found = plan(tier)
    assert [case.title for case in found.cases] == [
        "fires and clears in time",
        "quiet at 0.8 of its threshold",
        "no traffic at all",
        "no errors yet",
        "counters restart",
        "a new error series is born",
        "a missing scrape",
        "3 missing scrapes",
        "a fault at the trough of traffic",
        "just beyond its limits",
        f"quiet when only the last {format_duration(tier.short)} are just under the threshold",
        f"quiet when only the last {format_duration(tier.long)} are just under the threshold",
        "quiet when only 2 bad events were seen",
        "one bad request on a quiet service",
        "2 bad events on a quiet service",
        "4 bad events on a quiet service",
    ]
    assert found.gaps == ()


def test_only_the_rules_that_an_alert_reads_are_loaded() -> None:
    found = rules_behind(groups_of(AVAILABILITY, LATENCY), "ApiAvailabilityMediumBurn")
    assert {rule.get("record") or rule["alert"] for group in found for rule in group["rules"]} == {
        "slo:errors:rate5m",
        "slo:total:rate5m",
        "slo:error:ratio_30m",
        "slo:error:ratio_6h",
        "slo:errors:count_6h",
        "ApiAvailabilityMediumBurn",
    }
    assert {rule["labels"]["slo"] for group in found for rule in group["rules"]} == {"availability"}
    assert not any("annotations" in rule for group in found for rule in group["rules"])


def test_the_selectors_of_an_expression_are_read_without_windows_and_offsets() -> None:
    read = selectors_in('sum(rate(a{x="a offset 1d"}[5m] offset 1h)) / (b @ 5 > 0) or {job="no name"}')
    assert [str(selector) for selector in read] == ['a{x="a offset 1d"}', "b"]


def test_groups_are_evaluated_in_the_order_of_the_files() -> None:
    document = yaml.safe_load(plan(MEDIUM).cases[0].test_text())
    assert document["group_eval_order"] == ["sloproof-api-availability-base", "sloproof-api-availability-quick"]


def test_a_fault_is_asked_about_on_both_sides_of_its_promise() -> None:
    case = named(plan(FAST), "fires and clears in time")
    quiet = case.checks[0].at
    # 10 x 1.44 % crosses the hour after 6 minutes; a scrape and an evaluation come on top.
    assert [(check.at - quiet, check.value) for check in case.checks[1:3]] == [
        (timedelta(minutes=5, seconds=30), None),
        (timedelta(minutes=7), 1),
    ]
    # Cleared 0.9 of the short window after the end, plus or less a scrape and an evaluation.
    assert [(check.at - case.checks[3].at, check.value) for check in case.checks[4:]] == [
        (timedelta(minutes=3, seconds=30), 1),
        (timedelta(minutes=5, seconds=30), None),
    ]


def test_keep_firing_for_moves_the_promised_reset() -> None:
    kept = FAST.model_copy(update={"keep_firing_for": timedelta(minutes=10)})
    one, other = plan(FAST).promised[0].reset, plan(kept).promised[0].reset
    assert one is not None and other is not None
    assert other - one == timedelta(minutes=10)


def test_no_query_loads_more_samples_than_promtool_allows() -> None:
    for tier in DEFAULT_POLICY.tiers:
        for case in plan(tier).cases:
            held = min(tier.long, max(check.at for check in case.checks)) / min(case.evaluation, timedelta(minutes=5))
            assert held < 10_000


def test_a_window_that_promtool_cannot_hold_is_a_gap_and_not_a_silence() -> None:
    tier = BurnTier(name="slow", budget_share=Decimal("0.5"), long="35d", short="1d", severity="ticket")
    slo = AVAILABILITY.model_copy(update={"window": timedelta(days=90)})
    groups = [
        base_group(slo, REAL),
        *burn_groups(slo, DEFAULT_POLICY.model_copy(update={"tiers": (tier,)}), REAL, Links()),
    ]
    found = burn_plan(slo, tier, REAL, yaml.safe_load(rules_yaml(groups))["groups"])
    assert found.cases == ()
    assert "promtool loads 10000 a query at most" in found.gaps[0].reason
    assert not AlertProof(found, tuple(gap_results(found))).proven


def test_an_alert_that_can_never_fire_is_not_proven() -> None:
    found = plan(FAST, LATENCY)
    assert [promised.detection for promised in found.promised] == [None, None, None]
    proof = AlertProof(found, tuple(gap_results(found)))
    assert not proof.proven
    assert "can never fire" in proof.why_not[0]


def test_an_alert_without_a_rule_is_not_proven() -> None:
    found = burn_plan(AVAILABILITY, FAST, REAL, [])
    assert "no rule is named `ApiAvailabilityFastBurn`" in found.gaps[0].reason


def test_an_indicator_whose_raw_series_are_unknown_is_told_by_recorded_ones_and_says_so() -> None:
    slo = AVAILABILITY.model_copy(update={"sli": NativeLatencyBelow("250ms", histogram="h")})
    groups = [base_group(slo, REAL), *burn_groups(slo, DEFAULT_POLICY, REAL, Links())]
    found = burn_plan(slo, FAST, REAL, yaml.safe_load(rules_yaml(groups))["groups"])
    assert found.recorded and found.gaps == ()
    assert "native histograms" in found.notes[0]
    case = named(found, "fires and clears in time")
    assert [name.partition("{")[0] for name in case.series] == [
        "slo:error:ratio_5m",
        "slo:error:ratio_1h",
        "slo:errors:count_1h",
    ]
    proof = AlertProof(found, tuple(CaseResult(case.title) for case in found.cases))
    assert rows([proof])[0].verdict == "proven from recorded series"
    assert notes([proof], 80)[0].startswith("note: raw series not fed: `histogram_count`")
    assert all(len(line) <= 80 for line in notes([proof], 80))


def test_counters_rise_restart_and_go_missing() -> None:
    events = Decimal(100)
    history = [
        Stretch(2, events),
        Stretch(1, events, missing=True),
        Stretch(2, events, Decimal("0.25")),
        Stretch(1, events, restarted=True),
    ]
    bad, good = counters(AVAILABILITY.sli.samples(), history).values()
    assert bad == "0 0+0x1 _x1 25+25x1 0+0x0"
    assert good == "0 100+100x1 _x1 375+75x1 100+100x0"


def test_errors_may_not_exist_yet() -> None:
    history = [Stretch(1, Decimal(100))]
    assert len(counters(AVAILABILITY.sli.samples(), history, without_errors=True)) == 1
    assert len(counters(LATENCY.sli.samples(), history, without_errors=True)) == 2


def test_a_series_born_later_begins_above_zero() -> None:
    fault = Stretch(2, Decimal(100), Decimal("0.5"))
    found = counters_born_later(AVAILABILITY.sli.samples(), [Stretch(3, Decimal(100))], [fault])
    assert found['r{code="500",born="later"}'] == "_x4 50+50x1"
    assert found['r{code="500"}'] == "0 0+0x2 0+0x1"


def test_a_failure_is_told_in_words() -> None:
    case = named(plan(FAST), "fires and clears in time")
    check = case.checks[2]
    quoted = str(check.expression).replace('"', '\\"')
    output = f'  FAILED:\n    expr: "{quoted}", time: 1h13m30s,\n        exp: {{}} 1E+00\n        got: nil\n'
    at = re.sub(r"1h13m30s", yaml.safe_load(case.test_text())["tests"][0]["promql_expr_test"][2]["eval_time"], output)
    assert judge(case, False, at, 1.0).failures == (check.meaning,)
    assert judge(case, True, "", 1.0).failures == ()


def test_a_failure_without_known_words_stays_a_failure() -> None:
    case = plan(FAST).cases[0]
    assert judge(case, False, "", 1.0).failures == ("promtool failed without a word",)
    assert "line 3: field x not found" in judge(case, False, "FAILED:\n line 3: field x not found", 1.0).failures[0]
    assert "err: many-to-many" in judge(case, False, "rule: x, time: 1h, err: many-to-many", 1.0).failures[0]


def proofs() -> list[AlertProof]:
    good, never = plan(FAST), plan(FAST, LATENCY)
    results = tuple(CaseResult(case.title, (), 0.5) for case in good.cases)
    failed = (CaseResult(good.cases[0].title, ('it is "silent" <for> \x01 ever',), 0.5), *results[1:])
    return [
        AlertProof(good, results),
        AlertProof(good, failed),
        AlertProof(never, tuple(gap_results(never))),
        AlertProof(ProofPlan("Odd", {}, (), ())),
    ]


def test_the_table_says_never_where_a_ratio_never_fires() -> None:
    shown = rows(proofs())
    assert shown[0].detection == ("1m52s", "9m38s", "44m12s")
    assert shown[2].detection == shown[2].reset == ("never", "never", "never")
    assert shown[3].detection == ("-",)
    assert [row.verdict for row in shown] == ["proven", "NOT PROVEN", "NOT PROVEN", "NOT PROVEN"]
    assert shown[3].why_not == ("nothing was run: no case is known for this kind of alert",)
    assert summary(proofs()) == "1 of 4 alerts proven by 32 cases"


def test_one_alert_and_one_case_are_counted_as_one() -> None:
    case = plan(FAST).cases[0]
    one = AlertProof(ProofPlan("Odd", {}, (), (case,)), (CaseResult(case.title, ("silent",), 0.5),))
    assert summary([one]) == "0 of 1 alert proven by 1 case"
    assert summary([one, one]) == "0 of 2 alerts proven by 2 cases"


def test_a_note_names_few_alerts_and_counts_many() -> None:
    case, note = plan(FAST).cases[0], "when it clears is arithmetic"

    def proven(name: str, kind: str) -> AlertProof:
        return AlertProof(ProofPlan(name, {"kind": kind}, (), (case,), notes=(note,)), (CaseResult(case.title),))

    few = [proven("ShopTargetDown", "absent"), proven("ShopAvailabilityBudgetLow", "budget")]
    assert notes(few, 200) == [f"note: {note} (ShopTargetDown, ShopAvailabilityBudgetLow)"]
    many = [proven(f"Shop{number}Absent", kind) for number in range(30) for kind in ("absent", "budget")]
    assert notes(many, 80) == [f"note: {note} (60 absence and budget alerts)"]
    assert notes([proven(f"Shop{number}", "cause") for number in range(4)], 80) == [f"note: {note} (4 cause alerts)"]
    assert [alert["alert"] for alert in as_document(many)["alerts"] if alert["notes"] == [note]] == [
        proof.plan.alert for proof in many
    ]


def test_the_columns_line_up() -> None:
    shown = table(proofs(), 200)
    assert "FIRES WITHIN, AT 100 / 10 / 2 % BAD" in shown[0][0]
    assert [verdict for _, verdict in shown] == ["", "proven", "NOT PROVEN", "NOT PROVEN", "NOT PROVEN"]
    assert len({len(text) for text, _ in shown}) == 1


def test_a_narrow_table_has_two_lines_an_alert_and_fits() -> None:
    shown = table(proofs(), 80)
    assert [verdict for _, verdict in shown[:4]] == ["", "", "proven", ""]
    assert shown[2][0].startswith("ApiAvailabilityFastBurn  ")
    assert shown[3][0] == "  1m52s / 9m38s / 44m12s               5m56s / 5m17s / 2m24s"
    assert max(len(text + verdict) for text, verdict in shown) <= 80


def test_json_says_the_same() -> None:
    document = as_document(proofs())
    assert document["proven"] is False
    assert [alert["proven"] for alert in document["alerts"]] == [True, False, False, False]
    assert document["alerts"][0]["promised"][1] == {
        "error_ratio": 0.1,
        "detection_seconds": 578.4,
        "reset_seconds": 316.8,
    }


def test_junit_holds_every_case_and_turns_red_for_gaps() -> None:
    suites = ElementTree.fromstring(as_junit(proofs()))
    assert [(suite.get("failures"), suite.get("errors")) for suite in suites] == [
        ("0", "0"),
        ("1", "0"),
        ("0", "1"),
        ("0", "1"),
    ]
    assert [len(suite.findall("testcase")) for suite in suites] == [16, 16, 1, 1]
    told = {one.get("name"): one.get("value") for one in suites[0].iter("property")}
    assert told["verdict"] == "proven"
    assert told["detection_seconds_at_10_percent"] == "578.4"
    failure = suites[1].findall("testcase")[0][0]
    assert failure.get("message") == 'it is "silent" <for> ? ever'


def test_a_pattern_without_a_known_example_is_told_by_recorded_series() -> None:
    greek = ErrorRatio(errors=r'r{code=~"\\p{Greek}"}', total="r")
    slo = AVAILABILITY.model_copy(update={"sli": greek, "by": ("code",)})
    groups = yaml.safe_load(rules_yaml([base_group(slo, REAL), *burn_groups(slo, DEFAULT_POLICY, REAL, Links())]))
    found = burn_plan(slo, FAST, REAL, groups["groups"])
    assert found.recorded and found.cases and found.gaps == ()
    assert r"`\p{Greek}` is a script of Unicode" in found.notes[0]
