"""The generated blocks of a page: facts that follow from the definitions."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.promise import delay, detection_time, reset_time
from sloproof.alerts.recording import recorded
from sloproof.definition import plain
from sloproof.promql import Expression, Number, call, parse_selector, rate
from sloproof.runbooks.asking import dashboard, paste, question
from sloproof.runbooks.incident import Incident
from sloproof.runbooks.words import good, in_words, one_in, one_line, pace, share, spoken, until_forgotten
from sloproof.slo import SLO

RESPOND_BEFORE = Decimal("0.1")
"""The share of the budget that may burn before somebody works on it: what the workbook's slowest tier waits for."""

PROMISED_FOR = (Decimal(1), Decimal("0.1"), Decimal("0.02"))
"""Error ratios for which detection and reset are foretold."""

_MINUTE = timedelta(minutes=1)


def summary(incident: Incident) -> str:
    """What happens, to whom, and the first step."""
    service, alert = incident.slo.service, incident.alert
    return f"""**{one_line(alert.annotations["summary"])}.**

- **What users notice:** {_users(incident)}
- **Urgency:** {_urgency(incident)}
- **Owner:** {one_line(service.owner)}.{_escalation(service.escalation)}
- **First step:** {_first_step(incident)}"""


def meaning(incident: Incident) -> str:
    """The condition in plain words, and how urgent which burn rate is."""
    slo, tier, noun = incident.slo, incident.tier, incident.noun
    threshold, besides = percent(tier.threshold(slo)), _costly(incident) + _held(incident.timing.real(tier.hold))
    return f"""A good {noun}{good(slo)}. {plain(slo.objective)} % of {noun}s are promised to be good over
{incident.window}, so {percent(slo.budget)} may be bad: that is the error budget. This alert says that the budget burns
{_how_fast(incident)}. It fires while all of this is true:

- over the last {incident.long}, more than {threshold} of {noun}s were bad: it matters;
- over the last {incident.short}, more than {threshold} were bad too: it still goes on;
- at least {slo.minimum_bad_events} bad {noun}s came in the last {incident.long}: not one unlucky {noun}{besides}.

How long is left, by burn rate (“respond within” is when another {percent(RESPOND_BEFORE)} of the budget is gone):

{_urgency_table(incident)}
{_scaled(incident)}
```promql
{incident.alert.expression}
```"""


def impact(incident: Incident) -> str:
    """What it costs, in events and in budget."""
    slo, tier, needs = incident.slo, incident.tier, incident.slo.service.depends_on
    minute = Decimal(str(_MINUTE / incident.timing.real(slo.window))) / slo.budget
    lines = [
        *_who_and_why(incident),
        f"- **Allowed:** {one_in(slo.budget)} {incident.noun}s may be bad ({percent(slo.budget)}). When this fires, "
        f"more than {one_in(tier.threshold(slo))} were, over {incident.long}.",
        f"- **Spent already:** about {percent(tier.budget_share)} of the {spoken(slo.budget_adjective)} budget or "
        f"more, in the last {incident.long} alone, at even traffic.",
        f"- **A full outage** costs {share(minute)} of the budget each minute; a whole budget is gone in "
        f"{in_words(incident.gone_in(1 / slo.budget))}.",
        f"- **Once the budget is gone** the promise of {plain(slo.objective)} % over {incident.window} is broken, "
        f"{until_forgotten(slo)}.",
    ]
    return "\n".join([*lines, *([f"- **Depends on:** {one_line(', '.join(needs))}."] if needs else [])])


def diagnosis(incident: Incident) -> str:
    """The first three questions, ready to paste, and where to look next."""
    bad = f"bad {incident.noun}s"
    questions = (
        (
            f"Does it go on? The share of {bad}, in the long window and in the short one; 1 is all",
            _both_windows(incident),
        ),
        (
            f"How much budget is left? As a share, 1 is all, below 0 is overspent; then in {bad}",
            _budget(incident),
        ),
        (
            f"Where are the {bad}? The ten worst places, {pace(incident.slo)}",
            (worst_places(incident.slo, incident.timing.real(incident.timing.base)),),
        ),
    )
    asked = "\n\n".join(
        question(number, words, *asked, prometheus=incident.prometheus)
        for number, (words, asked) in enumerate(questions, start=1)
    )
    return f"""{paste(incident.prometheus)} No result means no data: first find out why nothing is measured (targets
down, no traffic, rules not loaded). It does not mean that all is well. Only query 3 may be empty for a good reason:
nothing is bad at this moment.

{asked}

Then the {_dashboard(incident)}."""


def over(incident: Incident, seen: str = "") -> str:
    """How soon the alert fires and clears, from its windows and intervals, and what a drill showed of it last."""
    hold, waits = incident.timing.real(incident.tier.hold), delay(incident.tier, incident.timing, incident.slo)
    rows = [_promise(incident, ratio, waits, hold) for ratio in PROMISED_FOR]
    threshold = percent(incident.tier.threshold(incident.slo))
    return f"""The alert clears by itself once the last {incident.short} are good enough; nobody has to close it. It is
over when it is resolved **and** the {incident.short} figure of query 1 stays under {threshold}.
If the alert has not cleared in the time below after your fix, the fix did not work.

Foretold from the windows and intervals, for a fault that begins after a time without errors, stays as bad as it began,
and lasts {incident.short} or more:

{table((f"bad {incident.noun}s", "fires after", "clears after the fix"), rows)}{_drilled(seen)}"""


def _drilled(seen: str) -> str:
    told = spoken(one_line(seen))
    return f"\n\nIn a drill (`sloproof drill`), its promise replayed from the events: {told}." if seen else ""


def _who_and_why(incident: Incident) -> list[str]:
    said = [one_line(incident.slo.service.description), one_line(incident.slo.description)]
    return [f"- **Users:** {'; '.join(filter(None, said))}."] if any(said) else []


def _users(incident: Incident) -> str:
    slo, service = incident.slo, incident.slo.service
    who = f"{one_line(service.description)}; " if service.description else ""
    why = f" Why they care: {one_line(slo.description)}." if slo.description else ""
    threshold = percent(incident.tier.threshold(slo))
    return f"{who}more than {threshold} of {incident.noun}s go wrong, where a good one{good(slo)}.{why}"


def _urgency(incident: Incident) -> str:
    if incident.tier.severity == names.PAGE:
        worst = in_words(incident.gone_in(1 / incident.slo.budget, RESPOND_BEFORE))
        return (
            f"page, start now. If every {incident.noun} is bad, another {percent(RESPOND_BEFORE)} is gone in {worst}."
        )
    slowest = in_words(incident.gone_in(incident.factor, RESPOND_BEFORE))
    return f"ticket, by the next working day. Where it fires, another {percent(RESPOND_BEFORE)} is gone in {slowest}."


def _first_step(incident: Incident) -> str:
    start = "start with step 1 of" if incident.tier.severity == names.PAGE else "work through"
    return (
        f"open the {_dashboard(incident)}, panel “Burn, {incident.tier.name} "
        f"pair”. Is the {incident.short} line above {plain(incident.factor)}? It goes on: {start} "
        "[Mitigation](#mitigation). Is it below? It has stopped: find out what it was, with [Diagnosis](#diagnosis), "
        "before it returns."
    )


def _dashboard(incident: Incident) -> str:
    return dashboard("dashboard", incident.alert.annotations["dashboard_url"])


def _how_fast(incident: Incident) -> str:
    if incident.factor == 1:
        return "faster than it may"
    return f"more than {plain(incident.factor)} times as fast as it may"


def _costly(incident: Incident) -> str:
    least = incident.tier.minimum_budget_share
    if least is None:
        return ""
    allowed = f"the bad {incident.noun}s that the whole budget allows"
    return f";\n- and they are at least {percent(least)} of {allowed}: it costs"


def _held(hold: timedelta) -> str:
    return f";\n- and this has lasted {in_words(hold)}" if hold else ""


def _escalation(escalation: str) -> str:
    return f" When they do not answer: {one_line(escalation)}." if escalation else ""


def _urgency_table(incident: Incident) -> str:
    slo = incident.slo
    named: dict[Decimal, list[str]] = {
        Decimal(1): ["exactly the budget"],
        1 / slo.budget: [f"every {incident.noun} is bad"],
    }
    for tier in incident.policy.tiers:
        if tier.threshold(slo) <= 1:
            named.setdefault(tier.factor(slo.window), []).append(_tier_word(incident, tier.name))
    rows = [
        (
            f"{_number(burn)}x",
            share(burn * slo.budget),
            in_words(incident.gone_in(burn)),
            in_words(incident.gone_in(burn, Decimal("0.5"))),
            in_words(incident.gone_in(burn, RESPOND_BEFORE)),
            ", ".join(words),
        )
        for burn, words in sorted(named.items())
    ]
    return table(
        (
            "burn rate",
            f"bad {incident.noun}s",
            "whole budget gone in",
            "half of it in",
            "respond within",
            "what that is",
        ),
        rows,
    )


def _tier_word(incident: Incident, name: str) -> str:
    return f"**{name}: this alert**" if name == incident.tier.name else f"{name} fires"


def _number(burn: Decimal) -> str:
    return plain(Decimal(f"{burn:.4g}"))


def _scaled(incident: Incident) -> str:
    scale = incident.timing.scale
    return (
        f"\nThese rules run with every window divided by {scale}; the times above are the clock's.\n"
        if scale != 1
        else ""
    )


def _both_windows(incident: Incident) -> tuple[Expression, ...]:
    windows = (incident.tier.long, incident.tier.short)
    return tuple(recorded(names.error_ratio(window), incident.slo, incident.timing) for window in windows)


def _budget(incident: Incident) -> tuple[Expression, ...]:
    return tuple(recorded(name, incident.slo, incident.timing) for name in (names.BUDGET_LEFT, names.ERRORS_LEFT))


def worst_places(slo: SLO, window: timedelta) -> Expression:
    """The most bad events by label, straight from the SLO's own raw series.

    Args:
        slo: the objective.
        window: that the rates are taken over, wall-clock time.
    """
    counters = slo.sli.counters()
    if counters is None:
        labels = list(dict.fromkeys(["instance", *slo.by]))
        return call("topk", Number(10), slo.sli.errors(window, by=labels).above(0))
    labels = _labels(slo, counters.bad or counters.total)
    if counters.bad is not None:
        bad: Expression = rate(parse_selector(counters.bad), window).sum(by=labels)
    else:
        total = rate(parse_selector(counters.total), window).sum(by=labels)
        bad = total - rate(parse_selector(counters.good or counters.total), window).sum(by=labels)
    return call("topk", Number(10), bad.above(0))


def _labels(slo: SLO, selector: str) -> list[str]:
    """The scraped target, what the objective is split by, and what the selector leaves open."""
    open_labels = [matcher.label for matcher in parse_selector(selector).matchers if matcher.operator != "="]
    return list(dict.fromkeys(["instance", *slo.by, *(label for label in open_labels if label != "le")]))


def _promise(incident: Incident, ratio: Decimal, waits: timedelta, hold: timedelta) -> tuple[str, str, str]:
    found = detection_time(incident.tier, incident.slo, ratio)
    clear = reset_time(incident.tier, incident.slo, ratio)
    if found is None or clear is None:
        return percent(ratio), f"never: it takes more than {percent(incident.tier.threshold(incident.slo))}", "-"
    seen, gone = incident.timing.real(found) + hold, incident.timing.real(clear + incident.tier.keep_firing_for)
    return percent(ratio), _between(seen, seen + waits), _between(gone, gone + waits)


def _between(least: timedelta, most: timedelta) -> str:
    first, last = in_words(least), in_words(most)
    return f"about {last}" if first == last else f"{first} to {last}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
