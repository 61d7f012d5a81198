"""What is left of every budget, as a table, as short blocks where a table does not fit, or as sentences."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sloproof import names
from sloproof.cli.status_missing import Entry, entries_of, told_once, without_data, without_data_in_words
from sloproof.definition import plain
from sloproof.foreign_text import visible
from sloproof.prometheus_answers import ActiveAlert
from sloproof.report import wording
from sloproof.runbooks.words import in_words
from sloproof.verdict import Verdict
from sloproof.workspace.status import BudgetStatus, Status

Line = tuple[str, str]
"""Text, and the verdict that ends it; empty for none."""

_HEADINGS = (
    "OBJECTIVE", "PROMISED", "SLI", "BUDGET LEFT", "BAD EVENTS LEFT", "BURN NOW", "GONE IN", "MEASURED", "LAST PROOF",
)  # fmt: skip
_LINES_A_BLOCK = 4
_LINES_BESIDE = 6
_VERDICT_ROOM = len("  UNDECIDED")
_NEVER = "never"
_UNKNOWN = "-"
_MANY_DAYS = 400
_DEEP = -1
"""Of the whole budget; below that a factor says more than what is left."""


def room(height: int) -> int:
    """How many objectives a terminal of so many lines shows, notes and totals beside them.

    Args:
        height: lines.
    """
    return max(1, (height - _LINES_BESIDE) // _LINES_A_BLOCK)


def table(found: Status, worst: int | None, width: int) -> Iterator[Line]:
    """One line an objective where the terminal is wide enough, else three or four; one for all that are without data.

    Args:
        found: every objective, worst first.
        worst: at most so many; None for all. Those of a service that are without data count as one.
        width: of the terminal, characters.
    """
    entries = entries_of(found.budgets)
    shown = entries[:worst]
    figures = [entry[0] for entry in shown if not entry[0].empty]
    rows = list(_rows(figures))
    if all(len(text) + len(Verdict.UNDECIDED.value) <= width for text, _ in rows):
        yield from rows
        told = [(f"{one.slo.identity}: {text}", "") for one in figures for text in _active(one, found.at)]
    else:
        told = [line for one in figures for line in _block(one, found.at)]
    told += _without_figures(shown, found.at, width)
    told += _ending(found, [one for entry in entries[len(shown) :] for one in entry])
    for text, verdict in told:
        yield from _wrapped(text, verdict, width)


def _wrapped(text: str, verdict: str, width: int) -> Iterator[Line]:
    """A line in as many as the width asks for, the later ones set in; the verdict ends the last."""
    own = " " * (len(text) - len(text.lstrip()))
    pieces = textwrap.wrap(
        f"{text.strip()}  {verdict}".rstrip(),
        width,
        initial_indent=own,
        subsequent_indent=f"{own}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from ((piece, "") for piece in pieces[:-1])
    yield pieces[-1].removesuffix(verdict), verdict


def _rows(shown: Sequence[BudgetStatus]) -> Iterator[Line]:
    """The objectives that have any figure, below their headings."""
    cells = [_HEADINGS, *(_cells(one) for one in shown)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    verdicts = ["", *(str(one.verdict) for one in shown)]
    for row, verdict in zip(cells, verdicts, strict=True) if shown else ():
        yield "".join(cell.ljust(size + 2) for cell, size in zip(row, widths, strict=True)), verdict


def _without_figures(shown: Sequence[Entry], now: float, width: int) -> Iterator[Line]:
    """Those that have none, and the notes of all."""
    for entry in shown:
        if entry[0].empty:
            yield f"{without_data(entry, width - _VERDICT_ROOM)}  ", str(Verdict.UNDECIDED)
            yield from ((f"  {text}", "") for text in _active(entry[0], now))
    yield from ((note, "") for note in told_once(one for entry in shown for one in entry))


def sentences(found: Status, worst: int | None) -> Iterator[Line]:
    """One line an objective, in words alone: no columns, no signs that are read aloud.

    Args:
        found: every objective, worst first.
        worst: at most so many; None for all.
    """
    entries = entries_of(found.budgets)
    shown = entries[:worst]
    for entry in shown:
        yield _entry_in_words(entry, found.at), ""
    yield from _ending(found, [one for entry in entries[len(shown) :] for one in entry])


def _entry_in_words(entry: Entry, now: float) -> str:
    first = entry[0]
    if not first.empty:
        return _in_words(first, now)
    alerts = [_alerts_in_words(first, now)] if first.alerts else []
    notes = dict.fromkeys(note for one in entry for note in one.notes if note != one.missing)
    return _as_sentences([without_data_in_words(entry), *alerts, *notes])


def _in_words(one: BudgetStatus, now: float) -> str:
    """The figures of an objective as sentences."""
    told = [
        f"{_name(one)}: {_VERDICT_WORDS[one.verdict]}",
        f"promised {plain(one.slo.objective)} % over {one.slo.promised_over}",
        f"budget {_left_in_words(one)}" if one.left is not None else "what is left is unknown",
        f"burning {'at an unknown rate' if one.burn is None else _burn(one)}",
        *([_gone_in_words(one)] if _gone(one) != _UNKNOWN else []),
        f"measured {'an unknown share' if one.coverage is None else _share(one.coverage)} of the window",
        _alerts_in_words(one, now),
        f"last proof {_proof(one)}",
        *one.notes,
    ]
    return _as_sentences(told)


def _alerts_in_words(one: BudgetStatus, now: float) -> str:
    told = "; ".join(_active(one, now)) or ("unknown" if one.alerts is None else "none")
    return f"alerts: {told}"


def _as_sentences(told: Sequence[str]) -> str:
    return ". ".join(text[0].upper() + text[1:] if number else text for number, text in enumerate(told)) + "."


_VERDICT_WORDS = {
    Verdict.PASS: "holds",
    Verdict.FAIL: "overspent",
    Verdict.UNDECIDED: "undecided",
}


def _block(one: BudgetStatus, now: float) -> Iterator[Line]:
    """An objective in lines of less than 80 characters, as long as its name is not very long."""
    yield f"{_name(one)}  {_left_in_words(one)}  ", str(one.verdict)
    yield from ((f"  {text}", "") for text in _active(one, now))
    yield f"  {', '.join(_pace(one))}", ""
    known = "" if one.indicator is None else f", is {_indicator(one)}"
    yield f"  promised {plain(one.slo.objective)} % over {one.slo.promised_over}{known}", ""
    yield f"  last proof {_proof(one)}", ""


def _pace(one: BudgetStatus) -> Iterator[str]:
    """How fast the budget goes and how much of it was measured; what follows from an unknown figure is left out."""
    yield "burn unknown" if one.burn is None else f"burn {_burn(one)}"
    if _gone(one) != _UNKNOWN:
        yield _gone_in_words(one)
    yield "measured share unknown" if one.coverage is None else f"measured {_share(one.coverage)}"


def _ending(found: Status, rest: Sequence[BudgetStatus]) -> Iterator[Line]:
    """What belongs to no objective."""
    for alert in found.alerts or ():
        yield f"{alert.labels.get(names.SERVICE, '')}: {_alert(alert, found.at)}", ""
    if found.alerts is None:
        yield "alerts are unknown: this server does not tell which are active", ""
    if found.without_ledger:
        yield f"the ledger of {len(found.budgets)} objectives was not asked; `--ledger` does", ""
    if rest:
        counts = ", ".join(
            f"{sum(one.verdict is verdict for one in rest)} {verdict}"
            for verdict in Verdict
            if any(one.verdict is verdict for one in rest)
        )
        yield f"{len(rest)} more, with no less left or unknown: {counts}", ""


def _cells(one: BudgetStatus) -> Sequence[str]:
    return (
        _name(one),
        f"{plain(one.slo.objective)} % over {one.slo.promised_over}",
        _indicator(one),
        _left(one),
        _UNKNOWN if one.errors_left is None else f"{one.errors_left:,.0f}",
        _burn(one),
        _gone(one),
        _share(one.coverage),
        _proof(one),
    )


def _name(one: BudgetStatus) -> str:
    if not one.group:
        return one.slo.identity
    spent = f", {one.spent_groups} spent" if one.spent_groups else ""
    return f"{one.slo.identity} {{{visible(', '.join(one.group))}}} worst of {one.groups}{spent}"


def _left(one: BudgetStatus) -> str:
    if one.differ:
        return f"{_balance(one.ledger)} by ledger, {_balance(one.recorded)} recorded"
    return _balance(one.left)


def _left_in_words(one: BudgetStatus) -> str:
    if one.differ:
        return f"{_balance_in_words(one.ledger)} by ledger, {_balance_in_words(one.recorded)} as recorded"
    return _balance_in_words(one.left)


def _balance_in_words(left: float | None) -> str:
    if left is None:
        return "what is left is unknown"
    return _balance(left) if left < _DEEP else f"{_balance(left)} left"


def _balance(left: float | None) -> str:
    """The share that is left; a budget that is spent several times over in the words of reports: `681 times spent`."""
    return f"{wording.spent(1 - left)} spent" if left is not None and left < _DEEP else _share(left)


def _indicator(one: BudgetStatus) -> str:
    """The share of good events, with one digit more than the promise has."""
    if one.indicator is None:
        return _UNKNOWN
    digits = max(0, -int(one.slo.objective.as_tuple().exponent)) + 1
    return f"{one.indicator * 100:.{digits}f} %"


def _burn(one: BudgetStatus) -> str:
    return _UNKNOWN if one.burn is None else f"{one.burn:.2f}x ({one.burn_window})"


def _gone(one: BudgetStatus) -> str:
    if one.gone_in is None:
        return _UNKNOWN if one.burn is None or one.left is None else _NEVER
    if not one.gone_in:
        return "gone"
    return f"> {_MANY_DAYS} d" if one.gone_in.days > _MANY_DAYS else in_words(one.gone_in)


def _gone_in_words(one: BudgetStatus) -> str:
    gone = _gone(one)
    words = {"gone": "nothing is left", _NEVER: "never gone at this rate"}
    return words.get(gone, f"gone in {gone}")


def _proof(one: BudgetStatus) -> str:
    if one.proof is None:
        return _NEVER
    day = datetime.fromtimestamp(one.proof.at, UTC).date().isoformat()
    return f"{day} {one.proof.kind} {one.proof.verdict}"


def _active(one: BudgetStatus, now: float) -> list[str]:
    """Each active alert of an objective; firing ones first."""
    return [_alert(alert, now) for alert in one.alerts or ()]


def _alert(alert: ActiveAlert, now: float) -> str:
    groups = {
        label: value
        for label, value in alert.labels.items()
        if label not in (names.SERVICE, names.SLO, names.SEVERITY, names.TIER, names.OWNER, names.ALERT_NAME)
        and label not in (names.KIND, names.SCALE)
    }
    group = f" {{{', '.join(groups.values())}}}" if groups else ""
    severity = alert.labels.get(names.SEVERITY, "")
    since = in_words(timedelta(seconds=max(0.0, now - alert.active_at)))
    return f"{alert.name}{visible(group)} {alert.state} for {since}{f' ({severity})' if severity else ''}"


def _share(ratio: float | None) -> str:
    return _UNKNOWN if ratio is None else f"{ratio * 100:.1f} %"
