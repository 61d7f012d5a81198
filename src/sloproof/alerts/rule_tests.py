"""promtool cases for each burn alert: a fault that must fire it in time, and one just under its threshold.

The fast pairs are fed raw counters, so that the whole chain from the target's metrics to the alert
is tested. Longer pairs are fed the two recorded series: promtool cannot load a long window at a
short step (10,000 samples a query), and the base rules have been tested by the fast pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
from sloproof.definition import format_duration, plain
from sloproof.promql import Expression, Selector, call, equals, parse_selector
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
"""Test files by the longest window they hold, and the step of their samples: promtool loads 10,000 samples a query.
Below the 5 minutes after which a sample is too old to be read."""
STEPS_AN_EVALUATION = 3
"""Where recorded series are fed, rules are evaluated at every third sample: promtool evaluates every rule of a file
each time, and 3 days of them take a minute."""


@dataclass(frozen=True)
class _Part:
    """What one alert is fed, and when it must fire: `(time, 1 or 0)`."""

    slo: SLO
    tier: BurnTier
    words: str
    stages: list[tuple[timedelta, Decimal]]
    checks: list[tuple[timedelta, int]]

    @property
    def alert(self) -> str:
        return _alert(self.slo, self.tier)


def rule_tests(service: str, slos: Sequence[tuple[SLO, BurnPolicy]]) -> dict[str, str]:
    """The promtool test files of a service.

    Args:
        service: the service's name; its rules files are looked for in `../generated/`.
        slos: its objectives with their policies.

    Returns:
        YAML for `promtool test rules` by file name. Each alert that can fire is in a case that fires it and in one
        that does not. Alerts that are fed recorded series share their cases: promtool evaluates every rule of a
        file in each case.
    """
    pairs = [(slo, tier) for slo, policy in slos for tier in policy.tiers if tier.threshold(slo) < 1]
    files, groups = {}, _groups_in_order(slos)
    for layer, _, step in LAYERS:
        of_layer = [(slo, tier) for slo, tier in pairs if _layer(tier)[0] == layer]
        raw = [
            _case(part.words, [part])
            for slo, tier in of_layer
            if not _from_recorded(slo, tier) and _can_be_fed(slo)
            for part in (_firing(slo, tier), _quiet(slo, tier))
        ]
        if raw:
            read = [names.base_rules_file(service), names.rules_file(service)]
            files[names.rule_tests_file(service, layer)] = _file(read, step, groups, raw)
        shared = _shared_cases([pair for pair in of_layer if _from_recorded(*pair)])
        if shared:
            name = names.rule_tests_file(service, f"{layer}-recorded" if raw else layer)
            evaluated = step * STEPS_AN_EVALUATION
            files[name] = _file([names.rules_file(service)], evaluated, groups, shared)
    return files


def _shared_cases(pairs: Sequence[tuple[SLO, BurnTier]]) -> list[dict[str, Any]]:
    cases = []
    for name in dict.fromkeys(tier.name for _, tier in pairs):
        own = [(slo, tier) for slo, tier in pairs if tier.name == name]
        if len(own) == 1:
            cases += [_case(part.words, [part]) for part in (_firing(*own[0]), _quiet(*own[0]))]
            continue
        cases.append(_case(f"every {name} alert fires in its time", [_firing(slo, tier) for slo, tier in own]))
        cases.append(_case(f"every {name} alert keeps quiet below its threshold", [_quiet(*pair) for pair in own]))
    return cases


def _groups_in_order(slos: Sequence[tuple[SLO, BurnPolicy]]) -> list[str]:
    """Every group, those that record before those that read: promtool shuffles them where no order is given."""
    groups = [group.name for slo, _ in slos for group in [base_group(slo, REAL)]]
    return groups + [group.name for slo, policy in slos for group in burn_groups(slo, policy, REAL, Links())]


def _file(rules: list[str], step: timedelta, groups: list[str], cases: list[dict[str, Any]]) -> str:
    document = {
        "rule_files": [f"../{names.GENERATED}/{name}" for name in rules],
        "evaluation_interval": format_duration(step),
        "group_eval_order": groups,
        "tests": cases,
    }
    return f"{names.RULES_HEADER}\n{to_yaml(document)}"


def _fault(slo: SLO, tier: BurnTier) -> Decimal:
    """Probes are few: only when every one fails are there enough bad ones in time for the floor."""
    fed_by_gauges = not _from_recorded(slo, tier) and slo.sli.levels()
    return Decimal(1) if fed_by_gauges else min(Decimal(1), tier.threshold(slo) * FAULT_FACTOR)


def _firing(slo: SLO, tier: BurnTier) -> _Part:
    error_ratio, step, evaluated = _fault(slo, tier), _step(tier), _evaluated(slo, tier)
    quiet = _on_step(tier.long + step * 10, evaluated)
    crossing = detection_time(tier, slo, error_ratio) or timedelta()
    too_early = _before(quiet + crossing - step, evaluated)
    in_time = _on_step(quiet + crossing + tier.hold + delay(tier, REAL, slo) + evaluated * 2, evaluated)
    checks = [(in_time, 1)]
    if too_early > quiet:
        checks.insert(0, (too_early, 0))
    words = f"{_alert(slo, tier)} fires within {format_duration(in_time - quiet)} of {_percent(error_ratio)} bad events"
    return _Part(slo, tier, words, [(quiet, Decimal(0)), (in_time - quiet + step * 5, error_ratio)], checks)


def _quiet(slo: SLO, tier: BurnTier) -> _Part:
    error_ratio, step = tier.threshold(slo) * QUIET_FACTOR, _step(tier)
    end = _on_step(tier.long + step * 20, _evaluated(slo, tier))
    words = f"{_alert(slo, tier)} keeps quiet at {_percent(error_ratio)} bad events"
    return _Part(slo, tier, words, [(end + step * 5, error_ratio)], [(end, 0)])


def _case(name: str, parts: Sequence[_Part]) -> dict[str, Any]:
    return {
        "name": name,
        "interval": format_duration(_step(parts[0].tier)),
        "input_series": [series for part in parts for series in _series(part)],
        "promql_expr_test": [
            {
                "expr": str(_shown(part.alert)),
                "eval_time": format_duration(at),
                "exp_samples": [{"labels": "{}", "value": count}] if count else [],
            }
            for part in parts
            for at, count in part.checks
        ],
    }


def _shown(alert: str) -> Expression:
    return call("count", Selector("ALERTS", (equals(names.ALERT_NAME, alert), equals("alertstate", "firing"))))


def _series(part: _Part) -> list[dict[str, str]]:
    feed = _recorded_series if _from_recorded(part.slo, part.tier) else _raw_series
    return feed(part.slo, part.tier, part.stages)


def _from_recorded(slo: SLO, tier: BurnTier) -> bool:
    return tier.long > RAW_UP_TO or slo.by_slices


def _can_be_fed(slo: SLO) -> bool:
    """Whether raw series can be made up for it; `sloproof prove` says which objectives have none."""
    fed = [*(sample.selector for sample in slo.sli.samples()), *(level.selector for level in slo.sli.levels())]
    try:
        return bool([concrete(parse_selector(selector)) for selector in fed])
    except ValueError:  # a pattern for which no example is found
        return False


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
    bad = " ".join(f"{plain(RATE * ratio)}+0x{stage // step - 1}" for stage, ratio in stages)
    total = " ".join(f"{RATE}+0x{stage // step - 1}" for stage, _ in stages)
    return [
        {"series": str(recorded(names.errors(REAL.base), slo, REAL)), "values": bad},
        {"series": str(recorded(names.total(REAL.base), slo, REAL)), "values": total},
    ]


def _counter(increments: list[tuple[int, Decimal]]) -> str:
    """A counter in promtool's notation: each stage goes on where the last one ended."""
    value, stages = Decimal(0), []
    for steps, increment in increments:
        stages.append(f"{plain(value)}+{plain(increment)}x{steps - 1}")
        value += increment * steps
    return " ".join(stages)


def _alert(slo: SLO, tier: BurnTier) -> str:
    return names.burn_alert(slo.service.name, slo.name, tier.name)


def _step(tier: BurnTier) -> timedelta:
    return _layer(tier)[1]


def _evaluated(slo: SLO, tier: BurnTier) -> timedelta:
    return _step(tier) * (STEPS_AN_EVALUATION if _from_recorded(slo, tier) else 1)


def _before(at: timedelta, step: timedelta) -> timedelta:
    return at // step * step


def _layer(tier: BurnTier) -> tuple[str, timedelta]:
    return next((layer, step) for layer, longest, step in LAYERS if tier.long <= longest)


def _on_step(at: timedelta, step: timedelta) -> timedelta:
    return -(-at // step) * step


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _percent(ratio: Decimal) -> str:
    return f"{plain(ratio * 100)} %"
