"""Subjects of checks: a clean one, and what its tests change."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sloproof import names
from sloproof.alerts import DEFAULT_POLICY, REAL, AlertRule, BurnPolicy, Links, Timing, base_group, burn_groups
from sloproof.checks import GeneratedGroup, GeneratedRule, Place, Subject
from sloproof.errors import Problem
from sloproof.runbooks import runbook_page
from sloproof.runbooks.starting_text import TO_DO
from sloproof.slo import SLO, ErrorRatio, Service

SHOP = Service(
    name="shop", owner="shop team", job="shop", description="people buy things with it", escalation="the platform team"
)
ERRORS, TOTAL = 'http_requests_total{code="500",job="shop"}', 'http_requests_total{job="shop"}'


def availability(**changes: Any) -> SLO:
    given = {
        "service": SHOP,
        "name": "availability",
        "objective": "99.9",
        "sli": ErrorRatio(errors=ERRORS, total=TOTAL),
    }
    return SLO(**{**given, **changes})


def place(line: int) -> Place:
    return Place("slo/shop.py", line, f"slo_{line}")


def subject(*slos: SLO, policy: BurnPolicy = DEFAULT_POLICY, timing: Timing = REAL, **changes: Any) -> Subject:
    """A workspace of these objectives, all generated and its pages written."""
    placed = [(slo, place(line)) for line, slo in enumerate(slos, start=1)]
    given = {
        "slos": placed,
        "policies": {slo.identity: policy for slo in slos},
        "groups": [group for slo in slos for group in groups_of(slo, policy, timing)],
        "pages": {path: text for slo in slos for path, text in pages_of(slo, policy).items()},
        "timing": timing,
    }
    return Subject(**{**given, **changes})


def groups_of(slo: SLO, policy: BurnPolicy = DEFAULT_POLICY, timing: Timing = REAL) -> list[GeneratedGroup]:
    made = [base_group(slo, timing), *burn_groups(slo, policy, timing, Links())]
    return [
        GeneratedGroup("alerts/generated/shop.rules.yaml", one.name, one.interval, rules(one.document()["rules"]))
        for one in made
    ]


def rules(documents: Iterable[Mapping[str, Any]]) -> tuple[GeneratedRule, ...]:
    return tuple(
        GeneratedRule(one.get("alert") or one["record"], "alert" in one, one["expr"], one["labels"])
        for one in documents
    )


def pages_of(slo: SLO, policy: BurnPolicy = DEFAULT_POLICY) -> dict[str, str]:
    """Pages on which somebody has written every section."""
    pages = {}
    for rule in (rule for group in burn_groups(slo, policy, REAL, Links()) for rule in group.rules):
        if isinstance(rule, AlertRule):
            tier = policy.tier(rule.labels[names.TIER])
            pages[f"runbooks/{rule.alert}.md"] = runbook_page(rule, slo, tier, policy).replace(TO_DO, "")
    return pages


def group(*rules: GeneratedRule, name: str = "sloproof-shop-extra") -> GeneratedGroup:
    return GeneratedGroup("alerts/generated/shop.rules.yaml", name, timedelta(seconds=30), rules)


def ids(found: Iterable[Problem]) -> list[str]:
    return [problem.check for problem in found]
