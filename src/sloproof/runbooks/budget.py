"""The pages of budget and absence alerts."""

from collections.abc import Sequence

from sloproof import names
from sloproof.alerts import AlertRule, Timing
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.recording import recorded
from sloproof.definition import plain
from sloproof.promql import Expression
from sloproof.runbooks.cause import owner, question, urgency
from sloproof.runbooks.evidence import Evidence
from sloproof.runbooks.page import assembled
from sloproof.runbooks.words import in_words, one_line, until_forgotten
from sloproof.slo import SLO, Service

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
    )
    texts = {
        "summary": _summary(alert, slo.service, "read [Diagnosis](#diagnosis), then decide what may still be changed."),
        "meaning": f"""{plain(slo.objective)} % of events are promised to be good over {window}, so
{percent(slo.budget)} may be bad: that is the error budget. {_condition(alert)}""",
        "impact": f"""- **Now:** nobody has to be woken; what burns fast has alerts of its own.
- **Soon:** once the budget is gone, the promise of {plain(slo.objective)} % over {window} is broken
  {until_forgotten(slo)}.""",
        "diagnosis": _PASTE
        + "\n\n".join(asked)
        + f"\n\nThen the dashboard: [{slo.service.name}]({alert.annotations['dashboard_url']}): which days?",
        "over": f"The alert clears by itself when its condition ends; {_growth(slo)}. "
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
        "impact": f"""- **Users:** unknown; {one_line(service.description) or "ask somebody who uses it, or try it"}.
- **Meanwhile** no alert on what is missing can fire, and its budget stands still.""",
        "diagnosis": _PASTE
        + "\n\n".join(question(number, _still(number, len(asked)), one) for number, one in enumerate(asked, start=1))
        + f"\n\n{len(asked) + 1}. Does the target answer when you ask it yourself, from Prometheus's machine?\n\n"
        f"{len(asked) + 2}. Did a release rename a metric, a label or a job, or change a histogram's buckets? "
        "`sloproof check --online URL` names the selector.",
        "over": f"The alert clears at the first evaluation that finds data again; {_shown(len(asked))}.",
    }
    return assembled(alert.alert, texts, service, existing, evidence)


def _still(number: int, of: int) -> str:
    what = "it" if of == 1 else f"part {number}"
    return f"Is {what} still missing? A result means that it is back"


def _shown(queries: int) -> str:
    return "query 1 then shows them" if queries == 1 else f"each of queries 1 to {queries} then shows them"


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
