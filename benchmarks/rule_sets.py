"""The rules under comparison: ours as generated, Sloth's and Pyrra's from the program or in their published shape."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from traffic import JOB, METRIC

from sloproof import SLO, ErrorRatio, Service
from sloproof.alerts import DEFAULT_POLICY, Links, Timing, base_group, burn_groups
from sloproof.definition import format_duration, parse_duration

TIMING = Timing(scrape=timedelta(minutes=1), evaluation=timedelta(minutes=1))
TOTAL = f'{METRIC}{{job="{JOB}"}}'
BAD = f'{METRIC}{{job="{JOB}",code=~"5.."}}'
SLOTH_VERSION = "v0.16.0"
PYRRA_VERSION = "its source of 2026-08"
AVAILABILITY = SLO(
    service=Service(name="shop", owner="shop team", job=JOB),
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors=BAD, total=TOTAL),
)

SLOTH_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PYRRA_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "4d")
"""Those of an objective over four weeks."""


@dataclass(frozen=True)
class Rule:
    """A recording rule: what it is called, its expression, and how often it is evaluated, seconds."""

    record: str
    expression: str
    interval: float
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def series(self) -> str:
        """The series that it writes, with its labels."""
        inside = ",".join(f'{label}="{value}"' for label, value in sorted(self.labels))
        return f"{self.record}{{{inside}}}" if inside else self.record


@dataclass(frozen=True)
class RuleSet:
    """What one tool generates for one objective.

    Args:
        name: the tool.
        origin: where the rules come from.
        rules: its recording rules, in order.
        ratios: the expression of the error ratio of each window, by window.
        budget_window: the length of the window that its budget is kept over.
        stored: rules whose series the longer windows read; they must have been recorded.
    """

    name: str
    origin: str
    rules: tuple[Rule, ...]
    ratios: dict[str, str]
    budget_window: str
    stored: tuple[Rule, ...] = ()


def ours() -> RuleSet:
    """The rules of `sloproof generate`."""
    groups = [base_group(AVAILABILITY, TIMING), *burn_groups(AVAILABILITY, DEFAULT_POLICY, TIMING, Links())]
    rules = _rules([group.document() for group in groups])
    prefix = "slo:error:ratio_"
    ratios = {
        rule.record.removeprefix(prefix): inlined(rule.expression, rules)
        for rule in rules
        if rule.record.startswith(prefix)
    }
    return RuleSet("sloproof", "generated", rules, ratios, "30d", rules[:2])


def inlined(expression: str, rules: Sequence[Rule]) -> str:
    """An expression with each recorded series it reads at the same instant replaced by the rule that records it."""
    for rule in rules:
        selector = f'{rule.record}{{service="shop",slo="availability"}}'
        pieces = expression.split(selector)
        if len(pieces) > 1:
            inside = inlined(rule.expression, rules)
            value = f'label_replace(label_replace({inside},"service","shop","",""),"slo","availability","","")'
            expression = pieces[0] + "".join(
                (selector if piece.startswith("[") else value) + piece for piece in pieces[1:]
            )
    return expression


def sloth(program: str | None) -> RuleSet:
    """Sloth's default rules, from the program when it is there.

    Args:
        program: path of the `sloth` binary, None for the published shape.
    """
    text = _sloth_rules(program) if program else _sloth_shape()
    rules = _rules(yaml.safe_load(text)["groups"])
    prefix = "slo:sli_error:ratio_rate"
    ratios = {r.record.removeprefix(prefix): r.expression for r in rules if r.record.startswith(prefix)}
    origin = f"the program, {SLOTH_VERSION}" if program else f"published shape of {SLOTH_VERSION}"
    return RuleSet("Sloth", origin, rules, ratios, "30d", rules[:1])


def sloth_specification(slo: SLO) -> str:
    """The definition of an objective of ours, an `ErrorRatio`, as Sloth reads it."""
    if not isinstance(slo.sli, ErrorRatio):
        raise TypeError(f"`{slo.identity}` is no error ratio")
    queries = {
        "error_query": f"sum(rate({slo.sli.errors_selector}[{{{{.window}}}}]))",
        "total_query": f"sum(rate({slo.sli.total_selector}[{{{{.window}}}}]))",
    }
    alerting = {"name": "Burn", "labels": {"owner": slo.service.owner}}
    one = {"name": slo.name, "objective": float(slo.objective), "sli": {"events": queries}, "alerting": alerting}
    return str(
        yaml.dump({"version": "prometheus/v1", "service": slo.service.name, "slos": [one]}, Dumper=yaml.CSafeDumper)
    )


def _sloth_rules(program: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "slo.yaml"
        file.write_text(sloth_specification(AVAILABILITY))
        command = [program, "generate", "--input", str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _sloth_shape() -> str:
    labels = {"sloth_id": "shop-availability", "sloth_service": "shop", "sloth_slo": "availability"}
    rules = [
        {
            "record": f"slo:sli_error:ratio_rate{window}",
            "expr": f"(sum(rate({BAD}[{window}])))\n/\n(sum(rate({TOTAL}[{window}])))",
            "labels": labels | {"sloth_window": window},
        }
        for window in SLOTH_WINDOWS
    ]
    inside = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    month = f"slo:sli_error:ratio_rate5m{{{inside}}}[30d]"
    average = f"sum_over_time({month}) / ignoring (sloth_window) count_over_time({month})"
    rules.append({"record": "slo:sli_error:ratio_rate30d", "expr": average, "labels": labels | {"sloth_window": "30d"}})
    return str(yaml.safe_dump({"groups": [{"name": "sloth", "rules": rules}]}))


def pyrra() -> RuleSet:
    """Pyrra's rules for four weeks, in their published shape: burn rates each 30 s, counts each 150 s."""
    labels = (("job", JOB), ("slo", "shop-availability"))
    burns = tuple(
        Rule(f"http_requests:burnrate{w}", f"sum(rate({BAD}[{w}])) / sum(rate({TOTAL}[{w}]))", 30, labels)
        for w in PYRRA_WINDOWS
    )
    count = Rule("http_requests:increase4w", f"sum by (code) (increase({TOTAL}[4w]))", 150, labels)
    month = f"sum(increase({BAD}[4w])) / sum(increase({TOTAL}[4w]))"
    ratios = {w: rule.expression for w, rule in zip(PYRRA_WINDOWS, burns, strict=True)} | {"28d": month}
    return RuleSet("Pyrra", f"published shape, {PYRRA_VERSION}", (*burns, count), ratios, "28d")


def _rules(groups: Sequence[dict[str, Any]]) -> tuple[Rule, ...]:
    default = format_duration(TIMING.evaluation)
    return tuple(
        Rule(
            rule["record"],
            rule["expr"],
            parse_duration(group.get("interval", default)).total_seconds(),
            tuple(rule.get("labels", {}).items()),
        )
        for group in groups
        for rule in group["rules"]
        if "record" in rule
    )
