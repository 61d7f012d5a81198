"""promtool cases for cause alerts: a value beyond the limit that must fire, and one short of it that must not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts.burn_alerts import Links
from sloproof.alerts.cause import CauseAlert, cause_rule
from sloproof.alerts.input_series import Feeding, InputSeries, NoInputSeries, input_series
from sloproof.alerts.rule_model import AlertRule
from sloproof.alerts.template import shown
from sloproof.alerts.timing import REAL
from sloproof.alerts.yaml_text import to_yaml
from sloproof.definition import format_duration
from sloproof.promql import Selector, call, equals

BEYOND = (Decimal("0.25"), Decimal("0.1"), Decimal("0.02"))
"""How far beyond the limit the firing value lies, as a share of it; smaller where a larger one is impossible."""
SHORT_OF = (Decimal("0.2"), Decimal("0.1"), Decimal("0.02"))
"""How far short of the limit the quiet value stays."""
STEPS = (
    ("minutes", timedelta(hours=1), timedelta(seconds=30)),
    ("hours", timedelta(hours=12), timedelta(minutes=1)),
    ("days", timedelta(days=20), timedelta(minutes=4)),
)
"""Files by how far back their expressions look, and their step; promtool loads 10,000 samples a query at most."""
LONGEST_CLEARING = timedelta(days=25)
"""Beyond this a case would take promtool too long."""
MARGIN = 3
"""Steps after which an alert must have fired: the sample, the evaluation, and one for the rounding of `for`."""


@dataclass(frozen=True)
class TestCase:
    """One case of promtool.

    Args:
        alert: the alert it is about.
        layer: the file it belongs into; its cases share a step.
        step: the interval of samples and evaluations.
        document: the case as promtool reads it.
        kind: cases of a file that name the same kind are written as one; empty for a case that stays alone.
    """

    __test__ = False  # pytest takes every class of this name for its own

    alert: str
    layer: str
    step: timedelta
    document: dict[str, Any]
    kind: str = ""


def cause_cases(cause: CauseAlert) -> list[TestCase]:
    """A case that fires a cause alert within its promise, and those that keep it quiet.

    Args:
        cause: the definition.

    Returns:
        Three or four cases: beyond its limit, short of it, without any data, and back again.

    Raises:
        NoInputSeries: no series are known for its expression; the message says why.
    """
    fires, firing = _feeding(cause, BEYOND, beyond=True)
    quiet, resting = _feeding(cause, SHORT_OF, beyond=False)
    layer, step = _layer(firing.reach + cause.hold)
    latest = _on_step(firing.reach + cause.hold, step) + step * MARGIN
    rule = cause_rule(cause, REAL, Links())
    return [
        TestCase(
            cause.alert,
            layer,
            step,
            case(
                f"{cause.alert} fires within {format_duration(latest)} at {_plain(fires)}",
                rule,
                step,
                _fed(firing, step, latest),
                [*early(cause.hold, step), (latest, 1)],
            ),
        ),
        TestCase(
            cause.alert,
            layer,
            step,
            case(
                f"{cause.alert} keeps quiet at {_plain(quiet)}",
                rule,
                step,
                _fed(resting, step, latest),
                [(latest, 0)],
            ),
        ),
        TestCase(
            cause.alert,
            layer,
            step,
            case(f"{cause.alert} keeps quiet without data", rule, step, [], [(latest, 0)]),
        ),
        *_clearing(cause, firing, resting, (layer, step), latest),
    ]


def _clearing(
    cause: CauseAlert, firing: Feeding, resting: Feeding, where: tuple[str, timedelta], fires: timedelta
) -> list[TestCase]:
    """It fires, the value comes back, it clears; none where that takes other series, as a quantile's buckets."""
    layer, step = where
    if [one.series for one in firing.series] != [one.series for one in resting.series]:
        return []
    back = fires + step
    cleared = back + _on_step(resting.reach + cause.keep_firing_for, step) + step * MARGIN
    if cleared > LONGEST_CLEARING:
        return []
    series = [
        {"series": str(one.series), "values": _turning(one, other, step, back, cleared)}
        for one, other in zip(firing.series, resting.series, strict=True)
    ]
    title = f"{cause.alert} clears within {format_duration(cleared - back)} of what it reads"
    rule = cause_rule(cause, REAL, Links())
    return [TestCase(cause.alert, layer, step, case(title, rule, step, series, [(fires, 1), (cleared, 0)]))]


def _turning(one: InputSeries, other: InputSeries, step: timedelta, back: timedelta, until: timedelta) -> str:
    """The first course up to a moment, then the second; a counter goes on from where it is."""
    first, rest, seconds = back // step, (until - back) // step + MARGIN, Decimal(step // timedelta(seconds=1))
    start = other.course.start + other.course.slope * seconds * first
    if one.counted:
        start = one.course.start + (one.course.slope * (first - 1) + other.course.slope) * seconds
    before = _run(one.course.start, one.course.slope * seconds, first - 1)
    return f"{before} {_run(start, other.course.slope * seconds, rest)}"


def _run(start: Decimal, change: Decimal, count: int) -> str:
    return f"{_plain(start)}{'-' if change < 0 else '+'}{_plain(abs(change))}x{count}"


def not_proven(causes: Sequence[CauseAlert]) -> list[tuple[str, str]]:
    """The cause alerts that no case can be made for: the alert's name, and why."""
    found = []
    for cause in causes:
        try:
            cause_cases(cause)
        except NoInputSeries as reason:
            found.append((cause.alert, str(reason)))
    return found


def cause_tests(service: str, causes: Sequence[CauseAlert]) -> dict[str, str]:
    """The promtool test files of a service's causes.

    Args:
        service: the service's name.
        causes: its causes; those without known series are left out, see `not_proven`.

    Returns:
        YAML for `promtool test rules` by file name.
    """
    missing = {alert for alert, _ in not_proven(causes)}
    cases = [case for cause in causes if cause.alert not in missing for case in cause_cases(cause)]
    return case_files(service, "causes", names.cause_rules_file(service), cases)


def case_files(
    service: str, subject: str, rules: str, cases: Sequence[TestCase], *, joined: bool = True
) -> dict[str, str]:
    """Cases as files, one for each step.

    Args:
        service: the service's name.
        subject: what the files are about, a part of their names.
        rules: name of the rules file that they load.
        cases: in the order they are written.
        joined: whether cases of one kind are written as one.
    """
    files = {}
    for layer in dict.fromkeys(case.layer for case in cases):
        own = [case for case in cases if case.layer == layer]
        document = {
            "rule_files": [f"../{names.GENERATED}/{rules}"],
            "evaluation_interval": format_duration(own[0].step),
            "tests": _together(own) if joined else [case.document for case in own],
        }
        text = f"{names.RULES_HEADER}\n{to_yaml(document)}"
        files[names.rule_tests_file(service, f"{subject}-{layer}")] = text
    return files


def _together(cases: Sequence[TestCase]) -> list[dict[str, Any]]:
    """The documents, with one for all cases of a kind: promtool evaluates every rule of the file in each."""
    found: dict[str, list[TestCase]] = {}
    for one in cases:
        found.setdefault(one.kind or one.document["name"], []).append(one)
    return [own[0].document if len(own) == 1 else _joined(kind, own) for kind, own in found.items()]


def _joined(kind: str, cases: Sequence[TestCase]) -> dict[str, Any]:
    fed = {one["series"]: one for case in cases for one in case.document["input_series"]}
    return {
        "name": f"{len(cases)} alerts: {kind}",
        "interval": cases[0].document["interval"],
        "input_series": list(fed.values()),
        "promql_expr_test": [check for case in cases for check in case.document["promql_expr_test"]],
    }


def case(
    name: str, rule: AlertRule, step: timedelta, series: list[dict[str, str]], checks: Sequence[tuple[timedelta, int]]
) -> dict[str, Any]:
    """A case that asks how many alerts of a rule fire.

    Args:
        name: what is shown when it fails.
        rule: the alert; what fires must bear its labels, for these say who is told and what is held back.
        step: the interval of the samples.
        series: input series in promtool's notation.
        checks: times from the start, with how many must fire then.
    """
    return {
        "name": name,
        "interval": format_duration(step),
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": str(call("count", _firing(rule, told=count > 0))),
                "eval_time": format_duration(at),
                "exp_samples": [{"labels": "{}", "value": count}] if count else [],
            }
            for at, count in checks
        ],
    }


def early(hold: timedelta, step: timedelta) -> list[tuple[timedelta, int]]:
    """A check that an alert waits as long as its `for` says; none where that is less than a step."""
    return [(_on_step(hold, step) - step, 0)] if hold > step else []


def _firing(rule: AlertRule, *, told: bool) -> Selector:
    """The alert while it fires: as it must be told, or, where it must not fire, with any labels."""
    labels = {names.TIER: "", **{label: shown(value) for label, value in rule.labels.items()}} if told else {}
    known = {names.ALERT_NAME: rule.alert, "alertstate": "firing", **labels}
    return Selector("ALERTS", tuple(equals(label, value) for label, value in known.items()))


def _feeding(cause: CauseAlert, distances: Sequence[Decimal], *, beyond: bool) -> tuple[Decimal, Feeding]:
    reason = NoInputSeries("no value was tried")
    for distance in distances:
        value = _value(cause, distance, beyond=beyond)
        try:
            return value, input_series(cause.expression, value)
        except NoInputSeries as error:
            reason = error
    raise reason


def _value(cause: CauseAlert, distance: Decimal, *, beyond: bool) -> Decimal:
    limit = cause.limit
    width = abs(limit) * distance if limit else (Decimal(1) if beyond else Decimal(0))
    return limit + width if beyond is (cause.above is not None) else limit - width


def _layer(reach: timedelta) -> tuple[str, timedelta]:
    for layer, longest, step in STEPS:
        if reach <= longest:
            return layer, step
    raise NoInputSeries(f"it looks back {format_duration(reach)}, more than promtool can load")


def _fed(feeding: Feeding, step: timedelta, until: timedelta) -> list[dict[str, str]]:
    return [{"series": str(one.series), "values": _values(one, step, until)} for one in feeding.series]


def _values(one: InputSeries, step: timedelta, until: timedelta) -> str:
    change = one.course.slope * Decimal(step // timedelta(seconds=1))
    return _run(one.course.start, change, until // step + MARGIN)


def _on_step(at: timedelta, step: timedelta) -> timedelta:
    return -(-at // step) * step


def _plain(number: Decimal) -> str:
    text = f"{Decimal(f'{number:.12g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
