"""What it takes to prove an alert: cases for promtool, what each one means, and what came of them.

A case is one little history of a system and the instants at which the alert must or must not fire. Each kind of
alert plans its own cases; whatever runs them (`sloproof.promtool`) knows nothing of alerts, and whatever shows
them knows nothing of promtool.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloproof.alerts.yaml_text import to_yaml
from sloproof.definition import format_duration, parse_duration
from sloproof.promql import Expression

RULES_FILE = "rules.yaml"
"""The name under which a case's test file looks for its rules, beside itself."""
SHOWN_RATIOS = (Decimal(1), Decimal("0.1"), Decimal("0.02"))
"""The error ratios that promises are shown for, ratio of 1."""

Document = Mapping[str, Any]
"""A part of a rules file or of a test file, as YAML reads it."""


@dataclass(frozen=True)
class Check:
    """One question to the simulated server.

    Args:
        expression: gives one series without labels, or nothing.
        at: when it is asked, from the start of the case.
        value: what it must give; None for nothing.
        meaning: what is wrong with the alert when the answer is another one.
    """

    expression: Expression | str
    at: timedelta
    value: int | None
    meaning: str


@dataclass(frozen=True)
class ProofCase:
    """A history and its checks.

    Args:
        alert: the alert that is proven by it.
        title: what is proven, such as `no traffic`.
        groups: the rule groups that are loaded, and no others.
        evaluation: how often promtool evaluates all of them.
        interval: between the samples of the series.
        series: values in promtool's notation, by series.
        checks: at least one.
    """

    alert: str
    title: str
    groups: Sequence[Document]
    evaluation: timedelta
    interval: timedelta
    series: Mapping[str, str]
    checks: tuple[Check, ...]

    def rules_text(self) -> str:
        """The rules file; it must lie beside the test file as `rules.yaml`."""
        return to_yaml({"groups": list(self.groups)})

    def test_text(self) -> str:
        """The file for `promtool test rules`."""
        return to_yaml({**self.head(), "tests": [self.test()]})

    def head(self) -> dict[str, Any]:
        """What stands above the tests of its file."""
        # Without an order promtool shuffles the groups, and a derived window then lags by one of its evaluations.
        order = [group["name"] for group in self.groups]
        interval = format_duration(self.evaluation)
        return {"rule_files": [RULES_FILE], "evaluation_interval": interval, "group_eval_order": order}

    def test(self) -> dict[str, Any]:
        """The case as promtool reads it."""
        return {
            "name": f"{self.alert}: {self.title}",
            "interval": format_duration(self.interval),
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "promql_expr_test": [_asked(check) for check in self.checks],
        }

    @property
    def weight(self) -> float:
        """About how long it takes, in evaluations of rules: the heaviest cases are begun first."""
        rules = sum(len(group["rules"]) for group in self.groups)
        return rules * (max(check.at for check in self.checks) / self.evaluation)


@dataclass(frozen=True)
class NotExpressible:
    """Something that ought to be proven and that promtool cannot be asked.

    Args:
        title: what is not proven.
        reason: why not, in a sentence without a full stop.
    """

    title: str
    reason: str


@dataclass(frozen=True)
class Promised:
    """How soon an alert fires and clears for one steady error ratio.

    Args:
        error_ratio: bad events of all events, ratio of 1; None for an alert whose condition is met or is not.
        detection: from the start of the fault, or from where its condition is first met, to the latest evaluation
            that must fire; None for never.
        reset: from its end to the latest evaluation that must have cleared; None for never.
    """

    error_ratio: Decimal | None
    detection: timedelta | None
    reset: timedelta | None


@dataclass(frozen=True)
class ProofPlan:
    """Everything that proves one alert.

    Args:
        alert: its name.
        labels: those that tell what it belongs to, for reports.
        promised: for the ratios of `SHOWN_RATIOS`, or once for an alert that is not about an error ratio.
        cases: what promtool is asked.
        gaps: what it cannot be asked; an alert with gaps is not proven.
        notes: what its cases leave open, a sentence each without a full stop.
        recorded: whether its histories are told by recorded series, because its raw ones are not known.
    """

    alert: str
    labels: Mapping[str, str]
    promised: tuple[Promised, ...]
    cases: tuple[ProofCase, ...]
    gaps: tuple[NotExpressible, ...] = ()
    notes: tuple[str, ...] = ()
    recorded: bool = False


@dataclass(frozen=True)
class CaseResult:
    """What came of one case.

    Args:
        title: what was to be proven.
        failures: what is wrong, empty when it is proven.
        seconds: how long promtool took.
        expressible: False for something that was never run.
    """

    title: str
    failures: tuple[str, ...] = ()
    seconds: float = 0
    expressible: bool = True


@dataclass(frozen=True)
class AlertProof:
    """A plan and what came of it."""

    plan: ProofPlan
    results: tuple[CaseResult, ...] = field(default=())

    @property
    def proven(self) -> bool:
        """Whether every case held; an alert without a single case is not proven."""
        return bool(self.plan.cases) and not self.why_not

    @property
    def why_not(self) -> tuple[str, ...]:
        """Each case that did not hold with its reasons, one line each."""
        if not self.plan.cases and not self.plan.gaps:
            return ("nothing was run: no case is known for this kind of alert",)
        return tuple(f"{result.title}: {failure}" for result in self.results for failure in result.failures)


def judge(case: ProofCase, passed: bool, output: str, seconds: float) -> CaseResult:
    """Read what promtool said of a case.

    Args:
        case: the case, alone in its file.
        passed: whether promtool ended with 0.
        output: what it printed.
        seconds: how long it took.

    Returns:
        Failed exactly when promtool did not end with 0; its output only serves to say why.
    """
    if passed:
        return CaseResult(case.title, (), seconds)
    asked = {(str(check.expression), check.at): check.meaning for check in case.checks}
    known = [asked.get(place, "") for place in _places(output)]
    meanings = tuple(dict.fromkeys(meaning for meaning in known if meaning))
    broken = tuple(dict.fromkeys(_ERROR.findall(output)))[:MOST_ERRORS]
    return CaseResult(case.title, (meanings + broken) or (_shortened(output),), seconds)


def gap_results(plan: ProofPlan) -> list[CaseResult]:
    """The things that were never run, as failures."""
    return [CaseResult(gap.title, (gap.reason,), expressible=False) for gap in plan.gaps]


_FAILED_CHECK = re.compile(r'^\s*expr: "((?:[^"\\]|\\.)*)", time: ([0-9a-z]+),', re.MULTILINE)
_ERROR = re.compile(r"\berr: .+")
LONGEST_MESSAGE, MOST_ERRORS = 300, 3


def _places(output: str) -> list[tuple[str, timedelta]]:
    found = []
    for expression, at in _FAILED_CHECK.findall(output):
        text = re.sub(r"\\(.)", r"\1", expression)  # promtool quotes as Go does; ours hold only \" and \\
        found.append((text, parse_duration(at)))
    return found


def _shortened(output: str) -> str:
    words = " ".join(output.replace("FAILED:", " ").split())
    shown = words if len(words) <= LONGEST_MESSAGE else words[:LONGEST_MESSAGE] + "..."
    return f"promtool failed: {shown}" if shown else "promtool failed without a word"


def _asked(check: Check) -> dict[str, Any]:
    expected = [] if check.value is None else [{"labels": "{}", "value": check.value}]
    return {"expr": str(check.expression), "eval_time": format_duration(check.at), "exp_samples": expected}
