"""Each offline check of definitions: what it tells, and that it keeps quiet where nothing is wrong."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sloproof.alerts import DEFAULT_POLICY, BurnPolicy, BurnTier, Timing
from sloproof.checks import Place, Subject, TierReference, run_offline, unknown_part
from sloproof.checks.subject import GeneratedRule, PartReference
from sloproof.errors import Problem
from sloproof.slo import ErrorRatio, GoodRatio, LatencyBelow
from sloproof.workspace.checking import subject_of
from sloproof.workspace.loading import load_workspace
from tests.unit.checks_subjects import ERRORS, SHOP, TOTAL, availability, group, groups_of, ids, place, subject


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def tier(name: str = "fast", *, long: timedelta | str = "1h", short: timedelta | str = "5m") -> BurnTier:
    return BurnTier(name=name, budget_share=Decimal("0.02"), long=long, short=short, severity="page")


def test_a_sound_workspace_has_no_problems() -> None:
    latency = availability(name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))
    assert run_offline(subject(availability(), latency)) == []


def test_slo_unreachable_tier_names_the_lowest_objective_that_fires() -> None:
    found = only(run_offline(subject(availability(objective="90"))))
    assert found.check == "slo/unreachable-tier"
    assert found.severity == "problem"
    assert "93.06 %" in found.hint


def test_experiment_unknown_tier_lists_those_that_exist() -> None:
    slo = availability()
    reference = TierReference(slo, "hasty", Place("chaos/shop.py", 3, "lose"))
    found = only(run_offline(subject(slo, tier_references=[reference])))
    assert (found.check, found.path, found.line) == ("experiment/unknown-tier", "chaos/shop.py", 3)
    assert "`trickle`" in found.hint


def test_slo_alert_name_collision_between_objectives() -> None:
    one = availability(service=SHOP.model_copy(update={"name": "a-b"}), name="c")
    other = availability(
        service=SHOP.model_copy(update={"name": "a"}), name="b-c", sli=ErrorRatio(errors="e", total="t")
    )
    found = only([p for p in run_offline(subject(one, other)) if p.check == "slo/alert-name-collision"])
    assert "`ABCFastBurn`" in found.what
    assert "slo/shop.py:1" in found.what


def test_slo_alert_name_collision_between_a_cause_and_a_burn_alert() -> None:
    labels = {"service": "shop", "kind": "cause", "severity": "page"}
    cause = GeneratedRule("ShopAvailabilityFastBurn", True, "vector(1) > 0", labels)
    sound = subject(availability())
    causes = {"ShopAvailabilityFastBurn": Place("alerts/shop.py", 7, "busy")}
    found = run_offline(subject(availability(), groups=[*sound.groups, group(cause)], causes=causes))
    assert "slo/alert-name-collision" in ids(found)


def test_slo_alert_name_collision_between_tiers_of_two_objectives() -> None:
    tier = DEFAULT_POLICY.tier("fast").model_copy(update={"name": "checkout-fast"})
    one, other = availability(name="cart"), availability(name="cart-checkout", sli=ErrorRatio(errors="e", total="t"))
    own = BurnPolicy(tiers=(tier,))
    groups = [*groups_of(one, own), *groups_of(other)]
    found = run_offline(subject(one, other, groups=groups))
    (problem,) = [p for p in found if p.check == "slo/alert-name-collision"]
    assert "`shop/cart-checkout` and of `shop/cart`" in problem.what
    assert "`ShopCartCheckoutFastBurn`" in problem.what


@pytest.mark.parametrize(
    ("alert", "labels"),
    [
        ("ShopTargetDown", {"service": "shop", "kind": "absent"}),
        ("ShopAvailabilityAbsent", {"service": "shop", "slo": "availability", "kind": "absent"}),
        ("ShopAvailabilityBudgetLow", {"service": "shop", "slo": "availability", "kind": "budget"}),
        ("ShopAvailabilityFastBurn", {"service": "shop", "slo": "availability", "tier": "fast"}),
    ],
)
def test_slo_alert_name_collision_of_a_cause_with_every_kind_over_services(alert: str, labels: dict[str, str]) -> None:
    cause = GeneratedRule(alert, True, "vector(1) > 0", {"service": "sh", "kind": "cause"})
    own = GeneratedRule(alert, True, "vector(1) > 0", labels)
    causes = {alert: Place("alerts/sh.py", 7, "busy")}
    found = run_offline(subject(availability(), groups=[group(own), group(cause)], causes=causes))
    (problem,) = [p for p in found if p.check == "slo/alert-name-collision"]
    assert (problem.path, problem.line) == ("alerts/sh.py", 7)
    assert "slo/shop.py:1" in problem.what and alert in problem.what


def test_slo_alert_name_collision_between_causes_is_told_at_the_second(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.sloproof]\n")
    (tmp_path / "alerts/shop.py").write_text(
        "from sloproof import CauseAlert, Service\n"
        'given = {"service": Service(name="shop", owner="o", job="j"), "expression": "cpu", "hold": "1m",'
        ' "severity": "ticket", "summary": "a", "first_step": "b"}\n'
        'a = CauseAlert(name="busy-cpu-1", above=1, **given)\n'
        'b = CauseAlert(name="busy-cpu1", above=2, **given)\n'
    )
    found = run_offline(subject_of(load_workspace(tmp_path)))
    (problem,) = [p for p in found if p.check == "slo/alert-name-collision"]
    assert (problem.line, problem.name) == (4, "b")
    assert "alerts/shop.py:3" in problem.what


def test_service_no_owner_is_a_problem() -> None:
    found = only(run_offline(subject(availability(service=SHOP.model_copy(update={"owner": " "})))))
    assert (found.check, found.severity, found.line) == ("service/no-owner", "problem", 1)


def test_service_not_described_is_a_warning() -> None:
    found = only(run_offline(subject(availability(service=SHOP.model_copy(update={"description": ""})))))
    assert (found.check, found.severity) == ("service/not-described", "warning")


def test_service_no_escalation_is_told_once_a_service() -> None:
    silent = SHOP.model_copy(update={"escalation": ""})
    latency = availability(service=silent, name="latency", sli=LatencyBelow("500ms", histogram="d"))
    found = only(run_offline(subject(availability(service=silent), latency)))
    assert (found.check, found.line) == ("service/no-escalation", 1)


def test_service_defined_differently_names_the_field_and_the_other_place() -> None:
    other = availability(
        service=SHOP.model_copy(update={"owner": "another team"}), name="b", sli=ErrorRatio(errors="e", total="t")
    )
    found = only(run_offline(subject(availability(), other)))
    assert found.check == "service/defined-differently"
    assert "`owner`" in found.what and "slo/shop.py:1" in found.what


def test_slo_window_shorter_than_tier_is_a_problem_and_equal_ones_too() -> None:
    for window in ("2d", "3d"):
        found = run_offline(subject(availability(window=window)))
        assert ("slo/window-shorter-than-tier", "problem") in [(p.check, p.severity) for p in found]


def test_slo_tier_within_budget_fires_while_the_objective_holds() -> None:
    found = run_offline(subject(availability(window="7d")))
    told = [problem for problem in found if problem.check == "slo/tier-within-budget"]
    assert ["`trickle`" in problem.what for problem in told] == [False, True]  # slow burns at 0.7, trickle at 0.233
    assert {problem.severity for problem in told} == {"warning"}


def test_slo_window_under_four_scrapes_is_unwise_and_under_two_impossible() -> None:
    minute = Timing(scrape=timedelta(minutes=1))
    for short, severity in (("4m", None), ("3m", "warning"), ("1m", "problem")):
        found = run_offline(subject(availability(), policy=BurnPolicy(tiers=(tier(short=short),)), timing=minute))
        told = [p.severity for p in found if p.check == "slo/window-under-four-scrapes"]
        assert told == ([severity] if severity else [])


def test_slo_windows_print_alike_though_they_differ() -> None:
    odd = BurnPolicy(tiers=(tier(), tier("odd", long=timedelta(hours=1, microseconds=100), short="10m")))
    found = [p for p in run_offline(subject(availability(), policy=odd)) if p.check == "slo/windows-print-alike"]
    assert "`1h`" in only(found).what


def test_slo_windows_print_alike_24h_is_1d() -> None:
    twice = BurnPolicy(tiers=(tier("one", long="24h", short="2h"), tier("two", long="1d", short="120m")))
    found = [p for p in run_offline(subject(availability(), policy=twice)) if p.check == "slo/windows-print-alike"]
    assert only(found).severity == "warning"
    assert "`one` and `two`" in found[0].what


def test_slo_same_events_whatever_the_order_of_labels() -> None:
    again = ErrorRatio(errors='http_requests_total{job="shop",code="500"}', total=TOTAL)
    found = only(run_offline(subject(availability(), availability(name="success", sli=again))))
    assert (found.check, found.severity, found.line) == ("slo/same-events", "warning", 2)
    apart = availability(name="success", sli=ErrorRatio(errors=ERRORS.replace("500", "503"), total=TOTAL))
    assert run_offline(subject(availability(), apart)) == []


@pytest.mark.parametrize(
    ("sli", "told"),
    [
        (ErrorRatio(errors='x{b="2",a="1"}', total='x{a="1",b="2"}'), "calls every event bad"),
        (ErrorRatio(errors='x{a="1"}', total='x{a="1",code="500"}'), "calls every event bad"),
        (GoodRatio(good="x", total="x"), "calls no event bad"),
        (ErrorRatio(errors='x{code="500"}', total='x{code="200"}'), 'with `code="500"` among events with `code="200"`'),
        (
            ErrorRatio(errors='x{code="500"}', total='x{code!="500"}'),
            'with `code="500"` among events with `code!="500"`',
        ),
    ],
)
def test_slo_no_part_of_total_of_one_metric(sli: ErrorRatio | GoodRatio, told: str) -> None:
    found = only(run_offline(subject(availability(sli=sli))))
    assert (found.check, found.severity) == ("slo/no-part-of-total", "warning")
    assert told in found.what


@pytest.mark.parametrize(
    "sli",
    [
        ErrorRatio(errors='e{code="500"}', total='x{code="200"}'),
        ErrorRatio(errors='x{code="500"}', total='x{code!="404"}'),
        ErrorRatio(errors='x{code=~"5.."}', total='x{method="GET"}'),
        ErrorRatio(errors="e", total="x"),
    ],
)
def test_slo_no_part_of_total_keeps_quiet_where_labels_alone_do_not_show_it(sli: ErrorRatio) -> None:
    assert run_offline(subject(availability(sli=sli))) == []


def test_the_general_policy_is_judged_for_each_objective() -> None:
    slos = [availability(objective="90"), availability(name="b", objective="90", sli=ErrorRatio(errors="e", total="t"))]
    assert ids(run_offline(subject(*slos, policy=DEFAULT_POLICY))) == ["slo/unreachable-tier"] * 2


@pytest.mark.parametrize("line", [1, 0])
def test_a_warning_says_so_after_its_place(line: int) -> None:
    told = str(Place("slo/a.py", line, "a").warning("it is unwise", "slo/x", ""))
    assert told == ("slo/a.py:1 " if line else "slo/a.py ") + "warning: a: it is unwise [slo/x]"
    assert "warning" not in str(place(1).problem("it is wrong", "slo/x", ""))


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("instance", "a9", 1),
        ("instance", "a1", 0),
        ("route", "orders", 1),
        ("route", "login", 0),
        ("dependency", "kafka", 1),
        ("dependency", "redis", 0),
    ],
)
def test_experiment_unknown_part_tells_what_a_known_system_does_not_have(kind: str, name: str, found: int) -> None:
    reference = PartReference("tasks", kind, name, Place("chaos/tasks.py", 3, "one"))
    parts = {"tasks": {"instance": ("a1", "a2"), "route": ("login",), "dependency": ("redis",)}}
    problems = list(unknown_part.check(Subject(slos=(), policies={}, part_references=(reference,), parts=parts)))
    assert len(problems) == found
    assert all(f"`tasks` has no {kind} `{name}`" in problem.what for problem in problems)
    assert not list(unknown_part.check(Subject(slos=(), policies={}, part_references=(reference,))))


EXPERIMENTS = """
from sloproof import SLO, DelayRequests, ErrorRatio, Experiment, Holds, LoadProfile, Service

shop = Service(name="{promised}", owner="o", job="j", description="d", escalation="e")
good = SLO(service=shop, name="good", objective="99", sli=ErrorRatio(errors="e", total="t"))
load = LoadProfile(name="load", system="shop", locustfile="u.py", users=1, duration="30s", warm_up="7s")
slow = Experiment(
    name="slow", system="shop", load=load, expect=[Holds(good)],
    faults=[
        DelayRequests("1s", percent=5, at="20s", lasts="5s"),
        DelayRequests("1s", percent=5, at="{at}", lasts="5s", envoy="http://192.0.2.1:9901"),
    ],
)
"""


def experimented(
    folder: Path, *, at: str = "12s", promised: str = "shop", targets: str = "192.0.2.1", text: str = EXPERIMENTS
) -> list[Problem]:
    """What is told of an experiment in a workspace."""
    (folder / "chaos").mkdir()
    (folder / "pyproject.toml").write_text(f'[tool.sloproof]\ntargets = ["{targets}"]\n')
    (folder / "chaos/shop.py").write_text(text.format(at=at, promised=promised))
    return [one for one in run_offline(subject_of(load_workspace(folder))) if one.check.startswith("experiment/")]


def test_experiment_fault_too_early_tells_when_it_may_begin(tmp_path: Path) -> None:
    found = only(experimented(tmp_path, at="11s"))
    assert (found.check, found.severity, found.line) == ("experiment/fault-too-early", "warning", 7)
    assert "begins at 11s" in found.what and "`12s`" in found.hint


def test_experiment_fault_too_early_keeps_quiet_where_the_stretch_can_be_judged(tmp_path: Path) -> None:
    assert experimented(tmp_path) == []


def test_experiment_fault_too_early_keeps_quiet_where_nothing_is_promised(tmp_path: Path) -> None:
    assert experimented(tmp_path, at="0s", promised="other") == []


def test_experiment_fault_after_load_tells_how_long_the_load_is_made(tmp_path: Path) -> None:
    text = EXPERIMENTS.replace('at="20s"', 'at="40s"')
    found = only(experimented(tmp_path, at="30s", text=text))
    assert (found.check, found.severity, found.line) == ("experiment/fault-after-load", "warning", 7)
    assert "begins at 30s, when `load` is over after 30s" in found.what and "last 55s" in found.what


def test_experiment_fault_after_load_keeps_quiet_where_one_fault_lies_within_the_load(tmp_path: Path) -> None:
    assert experimented(tmp_path, at="29s", text=EXPERIMENTS.replace('at="20s"', 'at="40s"')) == []


def test_experiment_target_not_listed_names_the_address_and_the_fault(tmp_path: Path) -> None:
    found = only(experimented(tmp_path, targets="192.0.2.2"))
    assert (found.check, found.severity, found.line) == ("experiment/target-not-listed", "problem", 7)
    assert "`192.0.2.1:9901` is not a listed target" in found.what and "refuses to delay 5 %" in found.what


def panelled(expression: str) -> list[Problem]:
    return run_offline(subject(availability(), panels=(("Orders", expression, place(5)),)))


def test_dashboard_fixed_rate_window_names_the_rate() -> None:
    found = only(panelled("sum(rate(orders_total[1m]))"))
    assert (found.check, found.severity, found.line) == ("dashboard/fixed-rate-window", "warning", 5)
    assert "`rate(orders_total[1m])`" in found.what
    assert panelled("sum(rate(orders_total[$__rate_interval])) + avg_over_time(depth[1h])") == []


def test_dashboard_bare_counter_names_the_counter() -> None:
    found = only(panelled("sum(orders_total)"))
    assert (found.check, found.severity) == ("dashboard/bare-counter", "warning")
    assert "`orders_total`" in found.what and "rate(orders_total[$__rate_interval])" in found.hint
