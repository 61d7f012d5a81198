"""The page of a cause alert: what is beyond its limit, what that does to users, and where to look."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sloproof.alerts import AlertRule, CauseAlert, Timing
from sloproof.alerts.severity import URGENT
from sloproof.definition import plain
from sloproof.promql import Expression, Number, Written, call, parse_written
from sloproof.promql.reading import grouped_by, reach, summed_up, unfiltered
from sloproof.runbooks.asking import dashboard, jobs_read, paste, question, targets
from sloproof.runbooks.evidence import Evidence
from sloproof.runbooks.generated import table
from sloproof.runbooks.page import assembled
from sloproof.runbooks.words import in_words, noun, one_line
from sloproof.runbooks.words import share as in_percent
from sloproof.slo import SLO, Service

BAD_SHARES = (Decimal("0.01"), Decimal("0.1"), Decimal(1))
"""Shares of bad events for which a page tells how long a budget lasts, ratios of 1."""
WORST = 10
"""How many of the worst series a page asks for."""
_IN_UNITS_FROM = 60
"""Seconds from which a limit is told in minutes and more."""


def cause_page(
    alert: AlertRule,
    cause: CauseAlert,
    slos: Sequence[SLO],
    timing: Timing,
    existing: str | None = None,
    evidence: Evidence | None = None,
    prometheus: str = "",
) -> str:
    """The page of one cause alert.

    Args:
        alert: the rule.
        cause: its definition.
        slos: the objectives of its service, which suffer next.
        timing: intervals and scale of the rules.
        existing: the page as it is now, read without translating line ends; None for a new one.
        evidence: what is known of it from live systems; None for nothing.
        prometheus: the server's address as people reach it, for links; empty where none is known.

    Returns:
        Markdown, made and kept as `runbook_page` does.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    asked = _asked(alert, cause)
    texts = {
        "summary": _summary(alert, cause),
        "meaning": _meaning(alert, cause),
        "impact": _impact(cause, slos, timing),
        "diagnosis": _diagnosis(alert, asked, prometheus),
        "over": _over(alert, cause, timing, len(asked)),
    }
    return assembled(alert.alert, texts, cause.service, existing, evidence)


def urgency(severity: str) -> str:
    """When somebody has to start."""
    return f"{severity}, start now." if severity in URGENT else f"{severity}, by the next working day."


def owner(service: Service) -> str:
    """Whose it is, and whom to call next."""
    next_one = f" When they do not answer: {one_line(service.escalation)}." if service.escalation else ""
    return f"{one_line(service.owner)}.{next_one}"


def _summary(alert: AlertRule, cause: CauseAlert) -> str:
    held = f", for {in_words(alert.hold)} and longer" if alert.hold else ""
    return f"""**{one_line(alert.annotations["summary"])}.**

- **What is wrong:** {one_line(cause.measures)} is {_beyond(cause)}{held}.
- **Urgency:** {urgency(cause.severity)}
- **Owner:** {owner(cause.service)}
- **First step:** {one_line(cause.first_step)}."""


def _meaning(alert: AlertRule, cause: CauseAlert) -> str:
    held = f" for {in_words(alert.hold)} without a break" if alert.hold else ", if only for a moment"
    return f"""It fires when {one_line(cause.measures)} is {_beyond(cause)}{held}.{_each(cause)}

{_weight(cause)}

```promql
{alert.expression}
```"""


def _weight(cause: CauseAlert) -> str:
    """What the alert says of users, and what it leaves to the alerts on objectives."""
    if cause.severity in URGENT:
        return (
            "It wakes somebody by itself, for it is no early sign: users are hit now, or will be within minutes. How "
            "many of them, the alerts on the objectives say; they may still be pending."
        )
    return "Users may not notice anything yet: whether they do, the alerts on the objectives say."


def _each(cause: CauseAlert) -> str:
    """What tells the alert's series apart, so that a reader knows which one is meant."""
    labels = grouped_by(cause.expression)
    if labels == ():
        return ""
    if labels is None:
        return " Each series is an alert of its own: its labels say which one is meant."
    return f" Each {' and '.join(f'`{label}`' for label in labels)} is an alert of its own: its labels say which."


def _impact(cause: CauseAlert, slos: Sequence[SLO], timing: Timing) -> str:
    needs = cause.service.depends_on
    next_one = cause.consequence or f"expect the objectives of {cause.service.name} to suffer next"
    lines = [
        *([f"- **Users:** {one_line(cause.service.description)}."] if cause.service.description else []),
        f"- **If it goes on:** {one_line(next_one)}.",
        f"- **If an alert on an objective pages as well,** {_beside_a_page(cause)}",
        *([f"- **Depends on:** {one_line(', '.join(needs))}."] if needs else []),
    ]
    return "\n".join(lines) + _hours_left(slos, timing)


def _beside_a_page(cause: CauseAlert) -> str:
    if cause.severity in URGENT:
        return "it is most likely the same trouble: its page says what users notice, this one where it comes from."
    return "begin there: it says what users notice. Tickets of causes are kept quiet meanwhile."


def _hours_left(slos: Sequence[SLO], timing: Timing) -> str:
    """How long a whole budget lasts, by the share that goes bad, of the objectives that users notice first."""
    shown = [slo for slo in slos if noun(slo) == "request"] or [slo for slo in slos if slo.noun == "event"] or slos
    if not shown:
        return ""
    heads = ("objective", *(f"{in_percent(share)} bad" for share in BAD_SHARES))
    rows = [(slo.name, *(_lasts(timing.real(slo.window), slo.budget / share) for share in BAD_SHARES)) for slo in shown]
    counted = " or ".join(dict.fromkeys(f"{noun(slo)}s" for slo in shown))
    return f"\n\nHow long a whole error budget lasts, by the share of {counted} that go bad:\n\n{table(heads, rows)}"


def _lasts(window: timedelta, share_of_window: Decimal) -> str:
    return "is not used up" if share_of_window >= 1 else in_words(window * float(share_of_window))


def _asked(alert: AlertRule, cause: CauseAlert) -> list[tuple[str, Expression]]:
    """The queries of the diagnosis; the last one tells whether there are data at all."""
    value = parse_written(unfiltered(cause.expression))
    told = f", in {cause.unit}" if cause.unit not in (None, "ratio") else ", where 1 is 100 %" if cause.unit else ""
    side = "Above" if cause.above is not None else "Below"
    return [
        ("Does it go on? No result: it has stopped, or nothing is measured", alert.expression),
        (f"What is the value{told}? {side} {plain(cause.limit)} is wrong", _alone(value)),
        *_worst(cause, value),
        (
            "Is it measured at all? 1: its target was scraped; 0: it was not; no result: nobody tries",
            targets(jobs_read([cause.expression]) or (cause.service.job,)),
        ),
    ]


def _worst(cause: CauseAlert, value: Written) -> list[tuple[str, Expression]]:
    """Where to look: the largest parts of a sum, or the worst of several series; nothing for a figure on its own."""
    if (parts := summed_up(str(value))) is not None:
        words = f"Where does it come from? The {WORST} largest parts"
        return [(words, call("topk", Number(WORST), parse_written(parts)))]
    if grouped_by(str(value)) == ():
        return []
    worst = "topk" if cause.above is not None else "bottomk"
    return [(f"Which are the worst? The {WORST} furthest from good", call(worst, Number(WORST), value))]


def _diagnosis(alert: AlertRule, asked: Sequence[tuple[str, Expression]], prometheus: str) -> str:
    questions = [
        question(number, words, one, prometheus=prometheus) for number, (words, one) in enumerate(asked, start=1)
    ]
    return (
        f"{paste(prometheus)}\n\n"
        + "\n\n".join(questions)
        + f"\n\nThen the {dashboard('dashboard', alert.annotations['dashboard_url'])}."
    )


def _over(alert: AlertRule, cause: CauseAlert, timing: Timing, last: int) -> str:
    kept = f" and then {in_words(alert.keep)} more" if alert.keep else ""
    well = "at most" if cause.above is not None else "at least"
    return (
        f"The alert clears by itself at the first evaluation that does not find the value {_beyond(cause)}{kept}; "
        "nobody has to close it. It also clears when its data are gone, so it is over when it is resolved **and** "
        f"query 2 shows {well} {plain(cause.limit)}. Where query 2 shows nothing, look at query {last}: its targets "
        "must be at 1; there is then nothing left to count.\n\nForetold: at most "
        f"{in_words(_until_seen(alert, cause, timing))} after what it measures is well again{_made_of(alert)}."
    )


def _beyond(cause: CauseAlert) -> str:
    """The limit with its unit: `above 85 %`, `below 90 d`."""
    side = "above" if cause.above is not None else "below"
    if cause.unit == "ratio":
        return f"{side} {plain(cause.limit * 100)} %"
    if cause.unit == "seconds":
        return f"{side} {_length(cause.limit)}"
    return f"{side} {plain(cause.limit)}" + (f" {one_line(cause.unit)}" if cause.unit else "")


def _length(seconds: Decimal) -> str:
    if seconds < _IN_UNITS_FROM:
        return f"{plain(seconds)} s"
    return in_words(timedelta(seconds=float(seconds)))


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
