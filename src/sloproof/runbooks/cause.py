"""The page of a cause alert: what is beyond its limit, what that does to users, and where to look."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sloproof.alerts import AlertRule, CauseAlert, Timing
from sloproof.alerts.severity import URGENT
from sloproof.definition import plain
from sloproof.promql import Expression, Number, Written, call, parse_written
from sloproof.promql.reading import reach, summed_up
from sloproof.runbooks.evidence import Evidence
from sloproof.runbooks.generated import table
from sloproof.runbooks.page import assembled
from sloproof.runbooks.words import graph_link, in_words, one_line
from sloproof.runbooks.words import share as in_percent
from sloproof.slo import SLO, Service

BAD_SHARES = (Decimal("0.01"), Decimal("0.1"), Decimal(1))
"""Shares of bad events for which a page tells how long a budget lasts, ratios of 1."""
WORST = 10
"""How many of the worst series a page asks for."""


def cause_page(
    alert: AlertRule,
    cause: CauseAlert,
    slos: Sequence[SLO],
    timing: Timing,
    existing: str | None = None,
    evidence: Evidence | None = None,
) -> str:
    """The page of one cause alert.

    Args:
        alert: the rule.
        cause: its definition.
        slos: the objectives of its service, which suffer next.
        timing: intervals and scale of the rules.
        existing: the page as it is now, read without translating line ends; None for a new one.
        evidence: what is known of it from live systems; None for nothing.

    Returns:
        Markdown, made and kept as `runbook_page` does.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    texts = {
        "summary": _summary(alert, cause),
        "meaning": _meaning(alert, cause),
        "impact": _impact(cause, slos, timing),
        "diagnosis": _diagnosis(alert, cause),
        "over": _over(alert, cause, timing),
    }
    return assembled(alert.alert, texts, cause.service, existing, evidence)


def urgency(severity: str) -> str:
    """When somebody has to start."""
    return f"{severity}, start now." if severity in URGENT else f"{severity}, by the next working day."


def owner(service: Service) -> str:
    """Whose it is, and whom to call next."""
    next_one = f" When they do not answer: {one_line(service.escalation)}." if service.escalation else ""
    return f"{one_line(service.owner)}.{next_one}"


def question(number: int, words: str, asked: Expression) -> str:
    """A numbered query, ready to paste, with a link to Prometheus's graph."""
    indented = str(asked).replace("\n", "\n   ")
    return f"{number}. {words}: [graph]({graph_link(asked)})\n\n   ```promql\n   {indented}\n   ```"


def _summary(alert: AlertRule, cause: CauseAlert) -> str:
    return f"""**{one_line(alert.annotations["summary"])}.**

- **What is wrong:** the value of this alert is {cause.in_words()}.
- **Urgency:** {urgency(cause.severity)}
- **Owner:** {owner(cause.service)}
- **First step:** {one_line(cause.first_step)}"""


def _meaning(alert: AlertRule, cause: CauseAlert) -> str:
    held = f", for {in_words(alert.hold)} without a break" if alert.hold else ""
    side = "above" if cause.above is not None else "below"
    return f"""Something that harms users sooner or later is beyond its limit of {plain(cause.limit)}. Users may not
notice anything yet: whether they do, the alerts on the objectives say. It fires while the value is {side}
{plain(cause.limit)}{held}; each series of the result is an alert of its own.

```promql
{alert.expression}
```"""


def _impact(cause: CauseAlert, slos: Sequence[SLO], timing: Timing) -> str:
    needs = cause.service.depends_on
    who = f"- **Users:** {one_line(cause.service.description)}.\n" if cause.service.description else ""
    return (
        f"{who}- **If it goes on:** {one_line(cause.summary)}; expect the objectives of {cause.service.name} to suffer "
        "next.\n- **If a page of this service fires as well,** begin there: it says what users notice. Tickets of "
        "causes are kept quiet meanwhile."
        + (f"\n- **Depends on:** {one_line(', '.join(needs))}." if needs else "")
        + _hours_left(slos, timing)
    )


def _hours_left(slos: Sequence[SLO], timing: Timing) -> str:
    """How long a whole budget of each objective lasts, by the share of events that go bad."""
    if not slos:
        return ""
    heads = ("objective", *(f"{in_percent(share)} of events bad" for share in BAD_SHARES))
    rows = [(slo.name, *(_lasts(timing.real(slo.window), slo.budget / share) for share in BAD_SHARES)) for slo in slos]
    return f"\n\nHow long a whole error budget lasts once users notice:\n\n{table(heads, rows)}"


def _lasts(window: timedelta, share_of_window: Decimal) -> str:
    return "for good" if share_of_window >= 1 else in_words(window * float(share_of_window))


def _diagnosis(alert: AlertRule, cause: CauseAlert) -> str:
    measured = parse_written(cause.expression)
    worst = "topk" if cause.above is not None else "bottomk"
    asked = [
        question(1, "Does it go on? No result: it has stopped, or nothing is measured", alert.expression),
        question(2, "What is the value? No result here means no data: first find out why", _alone(measured)),
    ]
    if (parts := summed_up(cause.expression)) is not None:
        words = f"What is it made of? The {WORST} largest parts"
        asked.append(question(3, words, call("topk", Number(WORST), parse_written(parts))))
    else:
        words = f"Which are the worst? The {WORST} furthest from good"
        asked.append(question(3, words, call(worst, Number(WORST), measured)))
    return (
        "Paste into Prometheus, or put its address before the link.\n\n"
        + "\n\n".join(asked)
        + f"\n\nThen the dashboard: [{cause.service.name}]({alert.annotations['dashboard_url']})."
    )


def _over(alert: AlertRule, cause: CauseAlert, timing: Timing) -> str:
    kept = f" and then {in_words(alert.keep)} more" if alert.keep else ""
    side = "above" if cause.above is not None else "below"
    return (
        f"The alert clears by itself at the first evaluation that does not find the value {side} "
        f"{plain(cause.limit)}{kept}; nobody has to close it. It is over when it is resolved **and** query 2 still "
        "shows a value: an alert also clears when its data are gone. Foretold: at most "
        f"{in_words(_until_seen(alert, cause, timing))} after what it measures is well again{_made_of(alert)}."
    )


def _until_seen(alert: AlertRule, cause: CauseAlert, timing: Timing) -> timedelta:
    return (
        timing.scrape + reach(str(alert.expression)) + timing.real(cause.runs_every or timing.evaluation) + alert.keep
    )


def _made_of(alert: AlertRule) -> str:
    window = reach(str(alert.expression))
    kept = f", and {in_words(alert.keep)} for which it is kept" if alert.keep else ""
    longest = f", the {in_words(window)} over which it is measured" if window else ""
    return f": a scrape{longest}, an evaluation{kept}"


def _alone(measured: Written) -> Written:
    """The expression without the brackets that an operator beside it would need."""
    text = str(measured)
    return Written(text[1:-1]) if text.startswith("(") and text.endswith(")") and _is_whole(text) else measured


def _is_whole(text: str) -> bool:
    """Whether the first bracket is closed by the last one; literals in between do not matter, for `Written` parsed."""
    try:
        parse_written(text[1:-1])
    except ValueError:
        return False
    return True
