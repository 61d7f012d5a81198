"""promtool cases for each burn alert: a fault that must fire it in time, and one just under its threshold.

The fast pairs are fed raw counters, so that the whole chain from the target's metrics to the alert
is tested. Longer pairs are fed the two recorded series: promtool cannot load a long window at a
short step (10,000 samples a query), and the base rules have been tested by the fast pair.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts.burn_alerts import Links, base_group, burn_groups
from sloproof.alerts.level_values import level_values
from sloproof.alerts.policy import BurnPolicy, BurnTier
from sloproof.alerts.promise import delay, detection_time
from sloproof.alerts.recording import RAW_UP_TO, recorded
from sloproof.alerts.sample_labels import concrete
from sloproof.alerts.timing import REAL
from sloproof.alerts.yaml_text import to_yaml
from sloproof.definition import format_duration
from sloproof.promql import Selector, call, equals, parse_selector
from sloproof.slo import SLO

RATE = 1000
"""Events per second in the cases: enough that an objective of 99.999 % sees bad events."""
FAULT_FACTOR = 10
"""The bad ratio that must fire a tier, as a multiple of its threshold (or everything, where that is less)."""
QUIET_FACTOR = Decimal("0.8")
"""The bad ratio that must not fire a tier, as a share of its threshold."""
LAYERS = (
    ("minutes", RAW_UP_TO, timedelta(seconds=30)),
    ("hours", timedelta(hours=12), timedelta(minutes=1)),
    ("days", timedelta.max, timedelta(minutes=4)),
)
"""Test files by the longest window they hold, and their step: promtool evaluates every rule of a file at one
interval, and 3 days at 30 s take minutes. Below the 5 minutes after which a sample is too old to be read."""


def rule_tests(service: str, slos: Sequence[tuple[SLO, BurnPolicy]]) -> dict[str, str]:
    """The promtool test files of a service.

    Args:
        service: the service's name; its rules files are looked for in `../generated/`.
        slos: its objectives with their policies.

    Returns:
        YAML for `promtool test rules` by file name, two cases an alert.
    """
    pairs = [(slo, tier) for slo, policy in slos for tier in policy.tiers]
    files = {}
    for layer, _, step in LAYERS:
        cases = [
            case
            for slo, tier in pairs
            if _layer(tier)[0] == layer and (_from_recorded(slo, tier) or _can_be_fed(slo))
            for case in _cases(slo, tier)
        ]
        if cases:
            files[names.rule_tests_file(service, layer)] = _file(service, step, _groups_in_order(slos), cases)
    return files


def _groups_in_order(slos: Sequence[tuple[SLO, BurnPolicy]]) -> list[str]:
    """Every group, those that record before those that read: promtool shuffles them where no order is given."""
    groups = [group.name for slo, _ in slos for group in [base_group(slo, REAL)]]
    return groups + [group.name for slo, policy in slos for group in burn_groups(slo, policy, REAL, Links())]


def _file(service: str, step: timedelta, groups: list[str], cases: list[dict[str, Any]]) -> str:
    document = {
        "rule_files": [f"../{names.GENERATED}/{name(service)}" for name in (names.base_rules_file, names.rules_file)],
        "evaluation_interval": format_duration(step),
        "group_eval_order": groups,
        "tests": cases,
    }
    return f"{names.RULES_HEADER}\n{to_yaml(document)}"


def _cases(slo: SLO, tier: BurnTier) -> list[dict[str, Any]]:
    threshold = tier.threshold(slo)
    return [
        _firing_case(slo, tier, _fault(slo, tier, threshold)),
        _quiet_case(slo, tier, threshold * QUIET_FACTOR),
    ]


def _fault(slo: SLO, tier: BurnTier, threshold: Decimal) -> Decimal:
    """Probes are few: only when every one fails are there enough bad ones in time for the floor."""
    fed_by_gauges = not _from_recorded(slo, tier) and slo.sli.levels()
    return Decimal(1) if fed_by_gauges else min(Decimal(1), threshold * FAULT_FACTOR)


def _firing_case(slo: SLO, tier: BurnTier, error_ratio: Decimal) -> dict[str, Any]:
    step, quiet = _step(tier), tier.long + _step(tier) * 10
    crossing = detection_time(tier, slo, error_ratio) or timedelta()
    too_early, in_time = quiet + crossing - step * 4, quiet + crossing + tier.hold + delay(tier, REAL, slo) + step * 3
    checks = [(_on_step(in_time, step), 1)]
    if too_early > quiet:
        checks.insert(0, (_on_step(too_early, step), 0))
    alert = names.burn_alert(slo.service.name, slo.name, tier.name)
    name = (
        f"{alert} fires within {format_duration(_on_step(in_time, step) - quiet)} of {_percent(error_ratio)} bad events"
    )
    return _case(name, slo, tier, [(quiet, Decimal(0)), (in_time - quiet + step * 5, error_ratio)], checks)


def _quiet_case(slo: SLO, tier: BurnTier, error_ratio: Decimal) -> dict[str, Any]:
    step, end = _step(tier), tier.long + _step(tier) * 20
    alert = names.burn_alert(slo.service.name, slo.name, tier.name)
    name = f"{alert} keeps quiet at {_percent(error_ratio)} bad events"
    return _case(name, slo, tier, [(end + step * 5, error_ratio)], [(_on_step(end, step), 0)])


def _case(
    name: str, slo: SLO, tier: BurnTier, stages: list[tuple[timedelta, Decimal]], checks: list[tuple[timedelta, int]]
) -> dict[str, Any]:
    alert = names.burn_alert(slo.service.name, slo.name, tier.name)
    firing = Selector("ALERTS", (equals(names.ALERT_NAME, alert), equals("alertstate", "firing")))
    shown = call("count", firing)
    return {
        "name": name,
        "interval": format_duration(_step(tier)),
        "input_series": _recorded_series(slo, tier, stages)
        if _from_recorded(slo, tier)
        else _raw_series(slo, tier, stages),
        "promql_expr_test": [
            {
                "expr": str(shown),
                "eval_time": format_duration(at),
                "exp_samples": [{"labels": "{}", "value": count}] if count else [],
            }
            for at, count in checks
        ],
    }


def _from_recorded(slo: SLO, tier: BurnTier) -> bool:
    return tier.long > RAW_UP_TO or slo.by_slices


def _can_be_fed(slo: SLO) -> bool:
    """Whether raw series can be made up for it; `sloproof prove` says which objectives have none."""
    return bool(slo.sli.samples() or slo.sli.levels())


def _raw_series(slo: SLO, tier: BurnTier, stages: list[tuple[timedelta, Decimal]]) -> list[dict[str, str]]:
    step = _step(tier)
    series = [
        {"series": str(concrete(parse_selector(level.selector))), "values": level_values(level, stages, step)}
        for level in slo.sli.levels()
    ]
    for sample in slo.sli.samples():
        increments = [
            (stage // step, RATE * (sample.share_of_total + sample.share_of_errors * ratio) * _seconds(step))
            for stage, ratio in stages
        ]
        series.append({"series": str(concrete(parse_selector(sample.selector))), "values": _counter(increments)})
    return series


def _recorded_series(slo: SLO, tier: BurnTier, stages: list[tuple[timedelta, Decimal]]) -> list[dict[str, str]]:
    step = _step(tier)
    bad = " ".join(f"{_plain(RATE * ratio)}+0x{stage // step - 1}" for stage, ratio in stages)
    total = " ".join(f"{RATE}+0x{stage // step - 1}" for stage, _ in stages)
    return [
        {"series": str(recorded(names.errors(REAL.base), slo, REAL)), "values": bad},
        {"series": str(recorded(names.total(REAL.base), slo, REAL)), "values": total},
    ]


def _counter(increments: list[tuple[int, Decimal]]) -> str:
    """A counter in promtool's notation: each stage goes on where the last one ended."""
    value, stages = Decimal(0), []
    for steps, increment in increments:
        stages.append(f"{_plain(value)}+{_plain(increment)}x{steps - 1}")
        value += increment * steps
    return " ".join(stages)


def _step(tier: BurnTier) -> timedelta:
    return _layer(tier)[1]


def _layer(tier: BurnTier) -> tuple[str, timedelta]:
    return next((layer, step) for layer, longest, step in LAYERS if tier.long <= longest)


def _on_step(at: timedelta, step: timedelta) -> timedelta:
    return -(-at // step) * step


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(ratio: Decimal) -> str:
    return f"{_plain(ratio * 100)} %"
