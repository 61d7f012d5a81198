"""The pages of budget and absence alerts."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts import AlertRule, BudgetAlerts, Timing
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.recording import recorded
from sloproof.alerts.severity import URGENT
from sloproof.definition import plain
from sloproof.promql import Expression, Number, Range, call
from sloproof.runbooks.asking import dashboard, paste, question, targets
from sloproof.runbooks.cause import owner, urgency
from sloproof.runbooks.evidence import Evidence
from sloproof.runbooks.generated import table, worst_places
from sloproof.runbooks.page import assembled
from sloproof.runbooks.words import good, in_words, noun, one_in, one_line, pace, spoken, until_forgotten
from sloproof.slo import SLO, Service

BURNS = (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(6), Decimal("14.4"))
"""Burn rates that a budget's page tells the time for."""
SHARES = (Decimal("0.5"), Decimal("0.1"), Decimal("0.05"))
"""Of the whole budget, ratio of 1."""
_RENAMED = (
    "Did a release rename a metric, a label or a job, or change a histogram's buckets? `sloproof check --online URL` "
    "names the selector."
)
_RENAMED_JOB = (
    "Did somebody change Prometheus's configuration: the job's name, its targets, a certificate or a password?"
)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def budget_page(
    alert: AlertRule,
    slo: SLO,
    alerts: BudgetAlerts,
    timing: Timing,
    existing: str | None = None,
    evidence: Evidence | None = None,
    prometheus: str = "",
) -> str:
    """The page of an alert on an objective's budget.

    Args:
        alert: the rule.
        slo: the objective.
        alerts: the definition of the objective's budget alerts, of which this is one.
        timing: intervals and scale of the rules.
        existing: the page as it is now; None for a new one.
        evidence: what is known of it from live systems; None for nothing.
        prometheus: the server's address as people reach it, for links; empty where none is known.

    Returns:
        Markdown, made and kept as `runbook_page` does.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    many = f"{noun(slo)}s"
    texts = {
        "summary": _summary(alert, slo.service, "read [Diagnosis](#diagnosis), then decide what may still be changed."),
        "meaning": f"""{plain(slo.objective)} % of {many} are promised to be good over {spoken(slo.promised_over)}, so
{percent(slo.budget)} may be bad: that is the error budget. {_condition(alert)}

How long what is left lasts, by the burn rate that the dashboard shows:

{_how_long(slo, timing)}""",
        "impact": f"""- **Users:** {_who(slo.service)}. {_good(slo)}
- **Allowed:** {one_in(slo.budget)} {many} may be bad ({percent(slo.budget)}); query 2 says how many more.
- **Now:** {_now(alert)}
- **Soon:** once the budget is gone, the promise of {plain(slo.objective)} % over {spoken(slo.promised_over)} is broken
  {until_forgotten(slo)}.{_needs(slo.service)}""",
        "diagnosis": _budget_diagnosis(alert, slo, alerts, timing, prometheus),
        "over": f"{_clears(alert, slo, alerts, timing)} Closing it sooner hides the state of the promise.",
    }
    return assembled(alert.alert, texts, slo.service, existing, evidence)


def _now(alert: AlertRule) -> str:
    if alert.labels[names.SEVERITY] in URGENT:
        return "this alert wakes somebody by its definition, though it tells of a trend: decide what has to stop today."
    return "nobody has to be woken; what burns fast has alerts of its own."


def _budget_diagnosis(alert: AlertRule, slo: SLO, alerts: BudgetAlerts, timing: Timing, prometheus: str) -> str:
    bad, base = f"bad {noun(slo)}s", timing.real(timing.base)
    back, piece = _looked_back(alert, slo, alerts)
    asked = (
        ("How much of the budget is left? 1 is all of it, below 0 it is overspent", names.BUDGET_LEFT),
        (f"How many {bad} is that? Below 0: so many too many", names.ERRORS_LEFT),
    )
    questions = [
        question(number, words, recorded(name, slo, timing), prometheus=prometheus)
        for number, (words, name) in enumerate(asked, start=1)
    ]
    when = (
        f"When was it spent? The {bad} of each {'hour' if piece == _HOUR else 'day'}: draw them over "
        f"{spoken(slo.window_now) if back == slo.window else f'the last {in_words(back)}'}, and compare with releases "
        "and incidents"
    )
    who = f"Who spends it now? The ten worst places, {pace(slo)}; empty when nothing is bad at this moment"
    questions += [
        question(3, when, _spent(slo, piece, timing), prometheus=prometheus, shown=timing.real(back)),
        question(4, who, worst_places(slo, base), prometheus=prometheus),
    ]
    return (
        f"{paste(prometheus)} No result means no data, except for query 4.\n\n"
        + "\n\n".join(questions)
        + f"\n\nThen the {dashboard('dashboard', alert.annotations['dashboard_url'])}."
    )


def _spent(slo: SLO, piece: timedelta, timing: Timing) -> Expression:
    """The bad events of the last hour or day at each moment: drawn over weeks, it shows when they came."""
    rates = recorded(names.errors(timing.base), slo, timing)
    length = timing.real(piece)
    return call("avg_over_time", Range(rates, length)) * Number(Decimal(str(length.total_seconds())))


def _looked_back(alert: AlertRule, slo: SLO, alerts: BudgetAlerts) -> tuple[timedelta, timedelta]:
    """Over how long the budget's spending is worth a look for this alert, and in pieces of which length."""
    if alert.alert == names.budget_forecast_alert(slo.service.name, slo.name):
        return alerts.rate_over * 2, _HOUR  # what came before it says whether it is new
    if alert.alert == names.burn_review_alert(slo.service.name, slo.name):
        return alerts.review_window, _HOUR
    return slo.window, _DAY


def _clears(alert: AlertRule, slo: SLO, alerts: BudgetAlerts, timing: Timing) -> str:
    """What ends this alert, and how long after the last bad event it clears at the latest."""
    if alert.alert == names.budget_forecast_alert(slo.service.name, slo.name):
        window, within = alerts.rate_over, in_words(alerts.exhausted_within or timedelta())
        return (
            f"The alert clears by itself once what the last {in_words(window)} spent would no longer use up "
            f"the rest within {within}. {_at_latest(window, noun(slo), timing)} What is spent stays spent: "
            f"{_growth(slo)}."
        )
    if alert.alert == names.burn_review_alert(slo.service.name, slo.name):
        window, spent = alerts.review_window, percent((alerts.review_share or Decimal(0)) / 100)
        return (
            f"The alert clears by itself once the last {in_words(window)} hold less than {spent} of the budget. "
            f"{_at_latest(window, noun(slo), timing)} What is spent stays spent: {_growth(slo)}."
        )
    return f"The alert clears by itself once more than its limit is left; {_growth(slo)}. {_earliest(slo)}"


def _at_latest(window: timedelta, one: str, timing: Timing) -> str:
    least = timing.real(window) + timing.real(timing.base) + 2 * timing.real(timing.slow_evaluation)
    return (
        f"Foretold: at most {in_words(least)} after the last bad {one}, for it looks back "
        f"{in_words(window)}; sooner where less was spent lately."
    )


def absence_page(
    alert: AlertRule,
    service: Service,
    asked: Sequence[Expression],
    timing: Timing,
    existing: str | None = None,
    evidence: Evidence | None = None,
    jobs: tuple[str, ...] = (),
    prometheus: str = "",
) -> str:
    """The page of an absence alert.

    Args:
        alert: the rule.
        service: whose data are missing.
        asked: the expressions of what may be missing, at least one.
        timing: intervals of the rules.
        existing: the page as it is now; None for a new one.
        evidence: what is known of it from live systems; None for nothing.
        jobs: whose targets are read for it; the service's own where none is given.
        prometheus: the server's address as people reach it, for links; empty where none is known.

    Returns:
        Markdown, made and kept as `runbook_page` does.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    read, down = jobs or (service.job,), alert.alert == names.target_down_alert(service.name)
    first = (
        f"open Prometheus's page of targets ({_targets_page(prometheus)}) and read the error beside {_called(read)}."
    )
    texts = {
        "summary": _summary(alert, service, first),
        "meaning": f"No data is not good news: what is missing is neither good nor bad. {_condition(alert)}",
        "impact": f"""- **Users:** unknown; {_who(service)}. Try it yourself.
- **Meanwhile** no other alert on what is missing can fire, and its budget stands still.{_needs(service)}""",
        "diagnosis": _absence_diagnosis(asked, read, prometheus, _RENAMED_JOB if down else _RENAMED),
        "over": f"The alert clears at the first evaluation that finds data again; {_shown(len(asked))}. Foretold: at "
        f"most {in_words(_until_seen(timing, down))} after a target answers scrapes again: a scrape"
        f"{' and' if down else f', the {_base(timing)} of a rate, and'} an evaluation.",
    }
    return assembled(alert.alert, texts, service, existing, evidence)


def _absence_diagnosis(asked: Sequence[Expression], jobs: tuple[str, ...], prometheus: str, changed: str) -> str:
    many = len(asked)
    missing = (
        question(number, _still(number, many), one, prometheus=prometheus) for number, one in enumerate(asked, start=1)
    )
    return "\n\n".join(
        [
            f"{paste(prometheus)} No result means no data.",
            *missing,
            _targets(many, jobs, prometheus),
            f"{many + 3}. Does the target answer when you ask it yourself, from Prometheus's machine?",
            f"{many + 4}. {changed}",
        ]
    )


def _still(number: int, of: int) -> str:
    what = "it" if of == 1 else f"part {number}"
    return f"Is {what} still missing? A result means that it is back"


def _shown(queries: int) -> str:
    return "query 1 then shows them" if queries == 1 else f"each of queries 1 to {queries} then shows them"


def _targets(before: int, jobs: tuple[str, ...], prometheus: str) -> str:
    up = targets(jobs)
    answering = up.sum(by=["job"]) if len(jobs) > 1 else up.sum()
    scraped = "Which targets are scraped? 1 answers, 0 does not, none at all is not configured"
    return "\n\n".join(
        (
            question(before + 1, scraped, up, prometheus=prometheus),
            question(
                before + 2, "How many answer? Compare with how many there should be", answering, prometheus=prometheus
            ),
        )
    )


def _called(jobs: tuple[str, ...]) -> str:
    *others, last = (f"`{job}`" for job in jobs)
    return f"the jobs {', '.join(others)} and {last}" if others else f"the job {last}"


def _targets_page(prometheus: str) -> str:
    return f"[targets]({prometheus.rstrip('/')}/targets)" if prometheus else "`/targets`"


def _until_seen(timing: Timing, down: bool) -> timedelta:
    rate = timedelta() if down else timing.real(timing.base)
    return timing.scrape + rate + timing.real(timing.evaluation)


def _base(timing: Timing) -> str:
    return in_words(timing.real(timing.base))


def _who(service: Service) -> str:
    return one_line(service.description) or "ask somebody who uses it"


def _good(slo: SLO) -> str:
    why = f" Why they care: {one_line(slo.description)}." if slo.description else ""
    return f"A good {noun(slo)}{good(slo)}.{why}"


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
    return table(("burn rate", f"bad {noun(slo)}s", *(f"{plain(share * 100)} % lasts" for share in SHARES)), rows)


def _lasts(window: timedelta, burn: Decimal) -> list[str]:
    return [in_words(window * float(share / burn)) for share in SHARES]


def _earliest(slo: SLO) -> str:
    if slo.calendar is not None:
        return "Foretold: not before that."
    return (
        f"Foretold: what a bad day spent comes back on the day {in_words(slo.window)} after it; all of it is "
        f"back {in_words(slo.window)} after the last bad {noun(slo)}."
    )


def _growth(slo: SLO) -> str:
    if slo.calendar is not None:
        return f"the next {slo.calendar} begins with a whole budget"
    return f"a budget grows again only as bad {noun(slo)}s of {spoken(slo.window_now)} leave the window"


def _summary(alert: AlertRule, service: Service, first: str) -> str:
    return f"""**{one_line(alert.annotations["summary"])}.**

- **Urgency:** {urgency(alert.labels[names.SEVERITY])}
- **Owner:** {owner(service)}
- **First step:** {first}"""


def _condition(alert: AlertRule) -> str:
    held = f" for {in_words(alert.hold)}" if alert.hold else ""
    of, _, what = alert.annotations["summary"].partition(": ")
    return f"""This alert says of {one_line(of)} that {spoken(one_line(what))}. It fires while this has a
result{held}:

```promql
{alert.expression}
```"""
