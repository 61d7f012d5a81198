"""The pages of budget and absence alerts."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts import AlertRule, Timing
from sloproof.alerts.absent import scraped
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.recording import recorded
from sloproof.definition import format_duration, plain
from sloproof.promql import Expression
from sloproof.runbooks.cause import owner, question, urgency
from sloproof.runbooks.evidence import Evidence
from sloproof.runbooks.generated import table, worst_places
from sloproof.runbooks.page import assembled
from sloproof.runbooks.words import in_words, one_in, one_line, until_forgotten
from sloproof.slo import SLO, Service

BURNS = (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(6), Decimal("14.4"))
"""Burn rates that a budget's page tells the time for."""
SHARES = (Decimal("0.5"), Decimal("0.1"), Decimal("0.05"))
"""Of the whole budget, ratio of 1."""
_PASTE = "Paste into Prometheus, or put its address before the link. No result means no data.\n\n"


def budget_page(
    alert: AlertRule, slo: SLO, timing: Timing, existing: str | None = None, evidence: Evidence | None = None
) -> str:
    """The page of an alert on an objective's budget.

    Args:
        alert: the rule.
        slo: the objective.
        timing: intervals and scale of the rules.
        existing: the page as it is now; None for a new one.
        evidence: what is known of it from live systems; None for nothing.

    Returns:
        Markdown, made and kept as `runbook_page` does.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    window = slo.promised_over
    asked = (
        question(1, "How much of the budget is left, ratio of 1", recorded(names.BUDGET_LEFT, slo, timing)),
        question(2, "How many bad events is that", recorded(names.ERRORS_LEFT, slo, timing)),
        question(
            3, "When was it spent? The share of bad events", recorded(names.error_ratio(slo.budget_window), slo, timing)
        ),
        question(
            4,
            "Who spends it now? The ten worst places, in events per second; empty when nothing is bad at this moment",
            worst_places(slo, timing.real(timing.base)),
        ),
    )
    texts = {
        "summary": _summary(alert, slo.service, "read [Diagnosis](#diagnosis), then decide what may still be changed."),
        "meaning": f"""{plain(slo.objective)} % of events are promised to be good over {window}, so
{percent(slo.budget)} may be bad: that is the error budget. {_condition(alert)}

How long what is left lasts, by the burn rate that the dashboard shows:

{_how_long(slo, timing)}""",
        "impact": f"""- **Users:** {_who(slo.service)}. {_good(slo)}
- **Allowed:** {one_in(slo.budget)} {slo.noun}s may be bad ({percent(slo.budget)}); query 2 says how many more.
- **Now:** nobody has to be woken; what burns fast has alerts of its own.
- **Soon:** once the budget is gone, the promise of {plain(slo.objective)} % over {window} is broken
  {until_forgotten(slo)}.{_needs(slo.service)}""",
        "diagnosis": _PASTE
        + "\n\n".join(asked)
        + f"\n\nThen the dashboard: [{slo.service.name}]({alert.annotations['dashboard_url']}): which days?",
        "over": f"The alert clears by itself when its condition ends; {_growth(slo)}. {_earliest(slo)} "
        "Closing it sooner hides the state of the promise.",
    }
    return assembled(alert.alert, texts, slo.service, existing, evidence)


def absence_page(
    alert: AlertRule,
    service: Service,
    asked: Sequence[Expression],
    timing: Timing,
    existing: str | None = None,
    evidence: Evidence | None = None,
) -> str:
    """The page of an absence alert.

    Args:
        alert: the rule.
        service: whose data are missing.
        asked: the expressions of what may be missing, at least one.
        timing: intervals of the rules.
        existing: the page as it is now; None for a new one.
        evidence: what is known of it from live systems; None for nothing.

    Returns:
        Markdown, made and kept as `runbook_page` does.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    first = "open Prometheus's page of targets (`/targets`) and read the error beside the service's job."
    texts = {
        "summary": _summary(alert, service, first),
        "meaning": f"No data is not good news: what is missing is neither good nor bad. {_condition(alert)}",
        "impact": f"""- **Users:** unknown; {_who(service)}. Try it yourself.
- **Meanwhile** no alert on what is missing can fire, and its budget stands still.{_needs(service)}""",
        "diagnosis": _PASTE
        + "\n\n".join(question(number, _still(number, len(asked)), one) for number, one in enumerate(asked, start=1))
        + f"\n\n{_targets(len(asked), service)}\n\n"
        f"{len(asked) + 3}. Does the target answer when you ask it yourself, from Prometheus's machine?\n\n"
        f"{len(asked) + 4}. Did a release rename a metric, a label or a job, or change a histogram's buckets? "
        "`sloproof check --online URL` names the selector.",
        "over": f"The alert clears at the first evaluation that finds data again; {_shown(len(asked))}. Foretold: at "
        f"most {in_words(_until_seen(timing))} after a target answers scrapes again: a scrape, the {_base(timing)} of "
        "a rate, and an evaluation.",
    }
    return assembled(alert.alert, texts, service, existing, evidence)


def _still(number: int, of: int) -> str:
    what = "it" if of == 1 else f"part {number}"
    return f"Is {what} still missing? A result means that it is back"


def _shown(queries: int) -> str:
    return "query 1 then shows them" if queries == 1 else f"each of queries 1 to {queries} then shows them"


def _targets(before: int, service: Service) -> str:
    up = scraped(service)
    return "\n\n".join(
        (
            question(before + 1, "Which targets are scraped? 1 answers, 0 does not, none at all is not configured", up),
            question(before + 2, "How many answer? Compare with how many there should be", up.sum()),
        )
    )


def _until_seen(timing: Timing) -> timedelta:
    return timing.scrape + timing.real(timing.base) + timing.real(timing.evaluation)


def _base(timing: Timing) -> str:
    return in_words(timing.real(timing.base))


def _who(service: Service) -> str:
    return one_line(service.description) or "ask somebody who uses it"


def _good(slo: SLO) -> str:
    why = f" Why they care: {one_line(slo.description)}." if slo.description else ""
    return f"A good {slo.noun} is {slo.sli.sentence()}.{why}"


def _needs(service: Service) -> str:
    return f"\n- **Depends on:** {one_line(', '.join(service.depends_on))}." if service.depends_on else ""


def _how_long(slo: SLO, timing: Timing) -> str:
    """Hours left by burn rate, for some shares of the budget."""
    window = timing.real(slo.window)
    rows = [
        (f"{plain(burn)}x", percent(min(burn * slo.budget, Decimal(1))), *_lasts(window, burn))
        for burn in BURNS
        if burn * slo.budget <= 1
    ]
    return table(("burn rate", "bad events", *(f"{plain(share * 100)} % lasts" for share in SHARES)), rows)


def _lasts(window: timedelta, burn: Decimal) -> list[str]:
    return [in_words(window * float(share / burn)) for share in SHARES]


def _earliest(slo: SLO) -> str:
    if slo.calendar is not None:
        return "Foretold: not before that, unless its condition asks for a rate and the burning stops."
    return (
        f"Foretold: what a bad day spent comes back on the day {format_duration(slo.window)} after it; all of it is "
        f"back {format_duration(slo.window)} after the last bad event."
    )


def _growth(slo: SLO) -> str:
    if slo.calendar is not None:
        return f"the next {slo.calendar} begins with a whole budget"
    return f"a budget grows again only as bad events of {slo.window_now} leave the window"


def _summary(alert: AlertRule, service: Service, first: str) -> str:
    return f"""**{one_line(alert.annotations["summary"])}.**

- **Urgency:** {urgency(alert.labels[names.SEVERITY])}
- **Owner:** {owner(service)}
- **First step:** {first}"""


def _condition(alert: AlertRule) -> str:
    held = f" for {in_words(alert.hold)}" if alert.hold else ""
    return f"It fires while this has a result{held}:\n\n```promql\n{alert.expression}\n```"
