"""Each offline check of generated rules and runbook pages, and the arithmetic of labels behind them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sloproof.alerts import DEFAULT_POLICY
from sloproof.checks import (
    GeneratedGroup,
    GeneratedRule,
    Subject,
    group_label_dropped,
    label_overwritten,
    run_offline,
    runbook_stale,
)
from sloproof.checks.recorded import Recorded
from sloproof.promql import Selector
from sloproof.promql.label_sets import LabelSets, label_sets, unmatched
from sloproof.runbooks.starting_text import TO_DO
from sloproof.slo import SLO, GaugeBelow, RawRatio
from tests.unit.checks_subjects import availability, group, ids, subject

SOUND = subject(availability())
FIRST_PAGE = "runbooks/ShopAvailabilityFastBurn.md"


def mutated(change: Callable[[GeneratedRule], GeneratedRule]) -> Subject:
    groups = [
        GeneratedGroup(one.file, one.name, one.interval, tuple(change(rule) for rule in one.rules))
        for one in SOUND.groups
    ]
    return replace(SOUND, groups=groups)


def test_rules_group_too_large_for_mimir() -> None:
    crowd = [GeneratedRule(f"slo:x:ratio_{n}", False, "vector(1)", {"service": "shop"}) for n in range(21)]
    assert ids(run_offline(replace(SOUND, groups=[*SOUND.groups, group(*crowd)]))) == ["rules/group-too-large"]
    assert run_offline(replace(SOUND, groups=[*SOUND.groups, group(*crowd[:20])])) == []


def test_rules_recorded_twice_names_both_groups() -> None:
    rule = next(rule for one in SOUND.groups for rule in one.rules if not rule.is_alert)
    (found,) = run_offline(replace(SOUND, groups=[*SOUND.groups, group(rule)]))
    assert found.check == "rules/recorded-twice"
    assert "`sloproof-shop-extra`" in found.what


def test_rules_labels_differ_when_one_side_of_an_and_has_a_label_more() -> None:
    def with_window(rule: GeneratedRule) -> GeneratedRule:
        more = {"window": "5m"} if rule.name == "slo:error:ratio_5m" else {}
        return replace(rule, labels={**rule.labels, **more})

    (found,) = run_offline(mutated(with_window))
    assert (found.check, found.severity, found.line) == ("rules/labels-differ", "problem", 1)
    assert '`{service="shop", slo="availability", window="5m"}`' in found.what
    assert "`ShopAvailabilityFastBurn`" in found.what


def test_rules_labels_differ_when_the_sum_of_errors_keeps_a_label() -> None:
    def by_route(rule: GeneratedRule) -> GeneratedRule:
        return replace(rule, expression=rule.expression.replace("sum(rate(", "sum by (route) (rate(", 1))

    assert set(ids(run_offline(mutated(by_route)))) == {"rules/labels-differ"}


def test_slo_group_label_dropped_by_an_expression() -> None:
    def memory(by: str) -> SLO:
        gauge = f'max by ({by}) (memory_ratio{{job="shop"}})'
        return availability(name="memory", by=("route",), sli=GaugeBelow("0.7", gauge=gauge))

    (found,) = group_label_dropped.check(subject(memory("instance")))
    assert found.check == "slo/group-label-dropped"
    assert "is split by `route`" in found.what
    assert list(group_label_dropped.check(subject(memory("instance, route")))) == []
    assert list(group_label_dropped.check(subject(availability(by=("route",)), availability(name="whole")))) == []


def test_slo_group_label_dropped_by_raw_expressions() -> None:
    def raw(total: str) -> SLO:
        sli = RawRatio(errors="sum(rate(a[$window]))", total=total)
        return availability(by=("zone",), sli=sli)

    (found,) = group_label_dropped.check(subject(raw("sum by (zone) (rate(b[$window]))")))
    assert "is split by `zone`" in found.what
    (found,) = group_label_dropped.check(subject(raw("sum(rate(b[$window]))")))
    assert "is split by `zone`" in found.what
    kept = RawRatio(errors="sum by (zone) (rate(a[$window]))", total="rate(b[$window])")
    assert list(group_label_dropped.check(subject(availability(by=("zone",), sli=kept)))) == []


def test_rules_label_overwritten_when_a_cause_is_split_by_the_alerts_own_label() -> None:
    labels = {"service": "shop", "severity": "warning", "owner": "shop team", "kind": "cause"}

    def full(split: str) -> GeneratedRule:
        return GeneratedRule("ShopFull", True, f"sum by ({split}) (used) / sum by ({split}) (size) > 0.8", labels)

    (found,) = label_overwritten.check(replace(SOUND, groups=[*SOUND.groups, group(full("pod, service"))]))
    assert found.check == "rules/label-overwritten"
    assert "`ShopFull` is split by `service`" in found.what
    assert list(label_overwritten.check(replace(SOUND, groups=[*SOUND.groups, group(full("pod"))]))) == []
    assert list(label_overwritten.check(SOUND)) == []


def test_rules_unrecorded_series_of_another_window() -> None:
    def other_window(rule: GeneratedRule) -> GeneratedRule:
        text = rule.expression.replace("ratio_1h", "ratio_3h") if rule.is_alert else rule.expression
        return replace(rule, expression=text)

    (found,) = run_offline(mutated(other_window))
    assert found.check == "rules/unrecorded-series"
    assert "slo:error:ratio_3h" in found.what


def test_rules_unrecorded_series_that_a_recording_rule_reads() -> None:
    def other_total(rule: GeneratedRule) -> GeneratedRule:
        text = rule.expression.replace("total:rate1h", "total:rate30m") if "count_1h" in rule.name else rule.expression
        return replace(rule, expression=text)

    (found,) = run_offline(mutated(other_total))
    assert found.check == "rules/unrecorded-series"
    assert "`slo:errors:count_1h` reads `slo:total:rate30m" in found.what
    assert found.what.endswith("so it is never recorded")


def test_rules_unrecorded_series_of_another_objective() -> None:
    def misspelt(rule: GeneratedRule) -> GeneratedRule:
        text = (
            rule.expression.replace('slo="availability"', 'slo="availabilty"', 1) if rule.is_alert else rule.expression
        )
        return replace(rule, expression=text)

    assert set(ids(run_offline(mutated(misspelt)))) == {"rules/unrecorded-series"}


def test_runbook_no_page_counts_what_is_missing() -> None:
    (found,) = run_offline(replace(SOUND, pages={}))
    assert (found.check, found.severity) == ("runbook/no-page", "warning")
    assert f"and {len(DEFAULT_POLICY.tiers) - 1} more pages" in found.what


def test_runbook_unwritten_names_the_sections() -> None:
    page = SOUND.pages[FIRST_PAGE].replace("## Rollback\n", f"## Rollback\n\n{TO_DO}\n")
    (found,) = run_offline(replace(SOUND, pages={**SOUND.pages, FIRST_PAGE: page}))
    assert (found.check, found.severity, found.line) == ("runbook/unwritten", "warning", 1)
    assert f"`Rollback` in `{FIRST_PAGE}`" in found.what


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("See ShopLatencySlowBurn.", "`ShopLatencySlowBurn` is no alert of these definitions"),
        ("Then `sloproof chaos run lose-both`.", "`sloproof chaos run lose-both` runs no experiment that is defined"),
        ("It falls in query 9.", "there is no query 9 on this page"),
    ],
)
def test_runbook_stale_names_what_is_gone(words: str, said: str) -> None:
    one = subject(availability(), runs={"load": [], "chaos": ["lose-one"]})
    page = one.pages[FIRST_PAGE].replace("## Rollback\n", f"## Rollback\n\n{words}\n")
    (found,) = runbook_stale.check(replace(one, pages={**one.pages, FIRST_PAGE: page}))
    assert (found.check, found.severity, found.what) == ("runbook/stale", "warning", said)
    assert page.split("\n")[found.line - 1] == words


def test_runbook_stale_lets_what_is_there_be_named() -> None:
    one = subject(availability(), runs={"load": [], "chaos": ["lose-one"]})
    words = "See ShopAvailabilitySlowBurn, query 3, and `sloproof chaos run lose-one`; ShopWindow is another word."
    page = one.pages[FIRST_PAGE] + words
    assert not list(runbook_stale.check(replace(one, pages={**one.pages, FIRST_PAGE: page})))


def test_runbook_orphan_page_is_only_one_of_ours() -> None:
    orphan, own = "runbooks/ShopGoneFastBurn.md", "runbooks/README.md"
    pages = {**SOUND.pages, orphan: SOUND.pages[FIRST_PAGE], own: "# How we work\n"}
    (found,) = run_offline(replace(SOUND, pages=pages))
    assert (found.check, found.path) == ("runbook/orphan-page", orphan)


def known(selector: Selector) -> LabelSets:
    sets: dict[str, LabelSets] = {"a": ({"x": "1"},), "b": ({"x": "1", "y": None},), "c": ({"x": "2"},)}
    return sets.get(selector.metric)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("sum(rate(raw[5m]))", ({},)),
        ("sum by (y) (raw)", ({"y": None},)),
        ("sum by (y) (a)", ({},)),
        ("sum without (x) (b)", ({"y": None},)),
        ("raw", None),
        ("rate(raw[5m])", None),
        ("vector(1)", ({},)),
        ("a > 0.5 and b", ({"x": "1"},)),
        ("a or c", ({"x": "1"}, {"x": "2"})),
        ("0 * a", ({"x": "1"},)),
        ("clamp_min(b - 1, 0)", ({"x": "1", "y": None},)),
        ("max_over_time(a[5m:1m])", ({"x": "1"},)),
        ("b * on (x) group_left (z) a", ({"x": "1", "y": None, "z": None},)),
        ("b * on (x) a", ({"x": "1"},)),
        ("histogram_quantile(0.9, sum by (le, y) (raw))", ({"y": None},)),
        ('label_replace(a, "q", "$1", "x", ".*")', None),
        ('absent(up{job="shop",z=~".+"})', ({"job": "shop"},)),
        ("-a", ({"x": "1"},)),
        ("topk(3, b)", ({"x": "1", "y": None},)),
    ],
)
def test_labels_of_expressions(text: str, labels: LabelSets) -> None:
    assert label_sets(text, known) == labels


@pytest.mark.parametrize(
    ("text", "operators"),
    [
        ("a and a", []),
        ("a and b", ["and"]),
        ("a and c", ["and"]),
        ("a and on (x) b", []),
        ("a and ignoring (y) b", []),
        ("a and raw", []),
        ("a / c", ["/"]),
        ("a > 1 and (b > bool 2)", ["and"]),
        ("a or b", ["or"]),
        ("a unless b", ["unless"]),
        ("a * 2 + 1", []),
        ("a and vector(1)", ["and"]),
        ("a > scalar(b)", []),
        ("(a and b) or (a / c)", ["and", "/"]),
    ],
)
def test_operators_whose_sides_never_meet(text: str, operators: list[str]) -> None:
    assert [one.operator for one in unmatched(text, known)] == operators


def test_series_grouped_by_a_label_keep_it_through_the_windows() -> None:
    groups = [
        group(
            GeneratedRule(
                "slo:long", False, 'sum_over_time(slo:base{service="s",slo="o"}[1h])', {"service": "s", "slo": "o"}
            ),
            GeneratedRule("slo:base", False, "sum by (route) (rate(raw[5m]))", {"service": "s", "slo": "o"}),
        )
    ]
    assert Recorded(groups).known(Selector("slo:long")) == ({"route": None, "service": "s", "slo": "o"},)


def test_equal_expressions_with_other_values_are_judged_by_their_values() -> None:
    def known(selector: Selector) -> LabelSets:
        return ({m.label: m.value for m in selector.matchers},)

    assert unmatched('a{x="1",y="2"} and b{x="1",y="2"}', known) == ()
    (found,) = unmatched('a{x="1",y="2"} and b{x="2",y="1"}', known)
    assert (found.left, found.right) == ({"x": "1", "y": "2"}, {"x": "2", "y": "1"})
    assert label_sets('a{x="7",y="8"} and b{x="7",y="8"}', known) == ({"x": "7", "y": "8"},)


def test_a_series_that_a_later_group_records_is_known() -> None:
    reads = GeneratedRule("slo:reads", False, "slo:later * 2", {"service": "s", "slo": "o"})
    later = GeneratedRule("slo:later", False, "sum by (route) (rate(x[5m]))", {"service": "s", "slo": "o"})
    recorded = Recorded([group(reads), group(later)])
    assert recorded.known(Selector("slo:reads")) == ({"route": None, "service": "s", "slo": "o"},)


def test_a_rule_that_reads_itself_has_labels_that_nobody_knows() -> None:
    circle = GeneratedRule("slo:circle", False, "slo:circle + 1", {"service": "s", "slo": "o"})
    assert Recorded([group(circle)]).known(Selector("slo:circle")) is None
