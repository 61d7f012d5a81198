"""One alert for each pair of windows, in words that a tired reader understands."""

from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.policy import BurnPolicy, BurnTier
from sloproof.alerts.recording import (
    allowed_rule,
    base_rules,
    budget_rules,
    count_rule,
    identity_labels,
    raw_windows,
    recorded,
    shown_budget_left,
    tier_windows,
    window_rules,
)
from sloproof.alerts.rule_model import AlertRule, RecordingRule, RuleGroup
from sloproof.alerts.template import PER_CENT, literal, queried, share_left
from sloproof.alerts.timing import Timing
from sloproof.definition import Definition, format_duration, plain
from sloproof.promql import Expression, Number, call
from sloproof.slo import SLO

SLOW_FROM = timedelta(days=1)
"""Tiers whose long window is at least this are evaluated at the slow interval."""


class Links(Definition):
    """Where an alert sends its reader.

    Args:
        runbook: address of a page; `{alert}` becomes the alert's name.
        dashboard: address of a dashboard; `{uid}` becomes its uid.
        prometheus: base of Prometheus as people reach it, `https://prometheus.example.org`; empty where none is known.
    """

    runbook: str = "runbooks/{alert}.md"
    dashboard: str = "/d/{uid}"
    prometheus: str = ""


def base_group(slo: SLO, timing: Timing) -> RuleGroup:
    """The group of the two recorded series."""
    name = names.rule_group(slo.service.name, slo.name, "base")
    return RuleGroup(name, timing.real(timing.evaluation), tuple(base_rules(slo, timing)))


def burn_groups(slo: SLO, policy: BurnPolicy, timing: Timing, links: Links) -> list[RuleGroup]:
    """The windows and the alerts of an SLO: a quick group that pages, and a slow one that also keeps the budget.

    Args:
        slo: the objective.
        policy: its tiers.
        timing: intervals and scale.
        links: where the alerts point.

    Returns:
        One or two groups; within a group every series is recorded before an alert reads it.
    """
    quick = tuple(tier for tier in policy.tiers if tier.long < SLOW_FROM)
    slow = tuple(tier for tier in policy.tiers if tier.long >= SLOW_FROM)
    known = set(tier_windows(BurnPolicy(tiers=quick))) if quick else set()
    raw, groups = raw_windows(policy), []
    if quick:
        rules = _tier_rules(slo, quick, known, raw, timing, links)
        groups.append(RuleGroup(_name(slo, "quick"), timing.real(timing.evaluation), tuple(rules)))
    windows = {window for tier in slow for window in (tier.short, tier.long)} - known - {slo.budget_window}
    gated = any(tier.minimum_budget_share is not None for tier in policy.tiers)
    budget = [*budget_rules(slo, timing), *([allowed_rule(slo, timing)] if gated else [])]
    rules = [*budget, *_tier_rules(slo, slow, windows, raw, timing, links)]
    groups.append(RuleGroup(_name(slo, "slow"), timing.real(timing.slow_evaluation), tuple(rules)))
    return groups


def burn_alert(slo: SLO, tier: BurnTier, timing: Timing, links: Links) -> AlertRule:
    """The alert of one tier: both windows above the threshold, and enough bad events to mean it."""
    threshold = Number(tier.threshold(slo))
    long = recorded(names.error_ratio(tier.long), slo, timing).above(threshold)
    short = recorded(names.error_ratio(tier.short), slo, timing).above(threshold)
    enough = recorded(names.error_count(tier.long), slo, timing).at_least(slo.minimum_bad_events)
    alert = names.burn_alert(slo.service.name, slo.name, tier.name)
    return AlertRule(
        alert=alert,
        expression=_costly(long.both(short).both(enough), slo, tier, timing),
        hold=timing.real(tier.hold),
        keep=timing.real(tier.keep_firing_for),
        labels=identity_labels(slo, timing)
        | {names.SEVERITY: tier.severity, names.TIER: tier.name, names.OWNER: literal(slo.service.owner)},
        annotations=_annotations(slo, tier, timing, links, alert),
    )


def _costly(burning: Expression, slo: SLO, tier: BurnTier, timing: Timing) -> Expression:
    """The condition without burns that cost too little of the budget, where the tier asks for that."""
    if tier.minimum_budget_share is None:
        return burning
    spent = recorded(names.error_count(tier.long), slo, timing)
    allowed = recorded(names.ERRORS_ALLOWED, slo, timing)
    # `unless`, not `and`: while the slow group has not recorded the budget yet, a page must not be lost.
    return burning.unless(spent.below(allowed * Number(tier.minimum_budget_share)))


def percent(ratio: Decimal) -> str:
    """A ratio of 1 as per cent, without trailing zeros: `1.44 %`."""
    text = f"{ratio * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _name(slo: SLO, part: str) -> str:
    return names.rule_group(slo.service.name, slo.name, part)


def _tier_rules(
    slo: SLO,
    tiers: tuple[BurnTier, ...],
    windows: set[timedelta],
    raw: frozenset[timedelta],
    timing: Timing,
    links: Links,
) -> list[RecordingRule | AlertRule]:
    longs = sorted({tier.long for tier in tiers} - {slo.budget_window})  # the budget counts its own window
    return [
        *window_rules(slo, sorted(windows), raw, timing),
        *(count_rule(slo, window, raw, timing) for window in longs),
        *(burn_alert(slo, tier, timing, links) for tier in tiers),
    ]


def _annotations(slo: SLO, tier: BurnTier, timing: Timing, links: Links, alert: str) -> dict[str, str]:
    return {
        "summary": _summary(slo, tier),
        "description": _description(slo, tier, timing),
        "runbook_url": links.runbook.format(alert=alert),
        "dashboard_url": links.dashboard.format(
            uid=names.dashboard_uid(names.slo_dashboard(slo.service.name, slo.name))
        ),
    }


def _summary(slo: SLO, tier: BurnTier) -> str:
    factor = tier.factor(slo.window)
    speed = f"more than {plain(factor)} times too fast" if factor != 1 else "too fast to last"
    return (
        f"{slo.service.name} {slo.name}: the error budget burns {speed} "
        f"({tier.severity}, {tier.name} pair {_pair(tier)})"
    )


def _description(slo: SLO, tier: BurnTier, timing: Timing) -> str:
    share = recorded(names.BUDGET_LEFT, slo, timing)
    scaled = f" Windows are divided by {timing.scale} here." if timing.scale != 1 else ""
    return (
        f"{{{{ $value | {PER_CENT} }}}} of {slo.noun}s were bad over {format_duration(tier.long)}; "
        f"a good {slo.noun} is {literal(slo.sli.sentence())}, and {percent(slo.budget)} may be bad "
        f"({plain(slo.objective)} % is promised over {slo.promised_over}). Both windows of the {tier.name} pair "
        f"({_pair(tier)}) are above "
        f"{percent(tier.threshold(slo))}. At even traffic that is {percent(tier.budget_share)} of the budget in "
        f"{format_duration(tier.long)}; by {slo.noun}s, {share_left(share, slo.by)} of it is left. "
        f"{_budget_left(slo, tier, timing)} "
        f"First: open the runbook and follow its first step.{scaled}"
    )


def _budget_left(slo: SLO, tier: BurnTier, timing: Timing) -> str:
    """Bad events that may still happen, and until when, in whole events; a spent budget is called spent."""
    left = recorded(names.ERRORS_LEFT, slo, timing)
    soon = f" At this rate it is gone in {queried(_seconds_left(slo, tier, timing), 'humanizeDuration', slo.by)}."
    if slo.by:
        whole = queried(left, 'printf "%.0f"', slo.by)
        return f"Bad {slo.noun}s left in the budget: {whole}.{soon}"
    spent = "The budget is spent." if slo.calendar is None else "What came so far allows no more bad ones."
    known = (
        "{{ if ge (. | first | value) 0.5 }}"
        f'The budget has {{{{ . | first | value | printf "%.0f" }}}} bad {slo.noun}s left.{soon}'
        f"{{{{ else }}}}{spent}{{{{ end }}}}"
    )
    measured = queried(recorded(names.coverage(slo.budget_window), slo, timing), PER_CENT)
    return (
        f"{{{{ with query `{left}` }}}}{known}{{{{ else }}}}What is left of the budget is unknown.{{{{ end }}}} "
        f"(It counts what was recorded: {measured} of {slo.window_now}.)"
    )


def _seconds_left(slo: SLO, tier: BurnTier, timing: Timing) -> Expression:
    """Seconds until the budget is gone at the long window's burn rate, never below zero."""
    left = call("clamp_min", shown_budget_left(slo, timing), Number(0))
    burn = recorded(names.error_ratio(tier.long), slo, timing) / Number(slo.budget)
    return left * Number(int(timing.real(slo.window).total_seconds())) / burn


def _pair(tier: BurnTier) -> str:
    return f"{format_duration(tier.long)}/{format_duration(tier.short)}"
