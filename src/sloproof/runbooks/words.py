"""Figures as a tired reader takes them in."""

import re
from datetime import timedelta
from decimal import Decimal

from sloproof.definition import parse_duration, plain
from sloproof.promql import selectors_in
from sloproof.slo import SLO
from sloproof.slo.indicators import names_a_thing

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_ROUGH_FROM = 10
"""Seconds below which a tenth matters."""
_REQUESTS = re.compile(r"(?:^|_)(?:requests?|rq)(?:_|$)")
"""In the name of a metric: what it counts are requests."""
_LENGTH = re.compile(r"(?<![\w.`/-])(?:\d+(?:ms|[wdhms]))+(?![\w.`/])")
_PER_CENT = re.compile(r"(\d)%")
_QUOTED = re.compile(r"(`[^`]*`)")


def in_words(duration: timedelta) -> str:
    """A length of time in its two largest units: `2 d 2 h`, `43 min 12 s`, `4.3 s`.

    Args:
        duration: zero or more.

    Returns:
        Rounded to the smaller of the two units.
    """
    seconds = duration.total_seconds()
    if seconds < _ROUGH_FROM:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    for index, (size, unit) in enumerate(_UNITS):
        if seconds >= size:
            smaller, word = _UNITS[min(index + 1, len(_UNITS) - 1)]
            rounded = round(seconds / smaller) * smaller
            if index and rounded >= _UNITS[index - 1][0]:
                return in_words(timedelta(seconds=rounded))
            count, rest = divmod(rounded // smaller, size // smaller)
            return f"{count} {unit}" + (f" {rest} {word}" if rest else "")
    raise AssertionError("ten seconds and more have a unit")


def until_forgotten(slo: SLO) -> str:
    """Until when a missed promise stays missed."""
    if slo.calendar is not None:
        return f"until the next {slo.calendar} begins"
    return f"until the bad {noun(slo)}s leave the window"


def share(ratio: Decimal) -> str:
    """A ratio of 1 as per cent with three significant digits: `2.31 %`."""
    return f"{plain(Decimal(f'{ratio * 100:.3g}'))} %"


def one_in(ratio: Decimal) -> str:
    """A ratio of 1 as `1 in 1,000`."""
    return f"1 in {round(1 / ratio):,}"


def one_line(text: str) -> str:
    """Somebody's free text on one line, without anything that Markdown or our markers would take for markup."""
    return " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")


def noun(slo: SLO) -> str:
    """What spends the budget, in the singular, as somebody on call says it: `request` where requests are counted.

    Args:
        slo: the objective; its own word is used where its counters do not say more.
    """
    read = slo.sli.selectors()
    metrics = [selector.metric for one in read for selector in selectors_in(one)]
    answers = slo.sli.client_threshold is not None or (bool(metrics) and all(map(_REQUESTS.search, metrics)))
    return "request" if slo.noun == "event" and answers else slo.noun


def pace(slo: SLO) -> str:
    """In what the bad ones of a moment are told: bad seconds a second are a share of time."""
    one = noun(slo)
    return "as a share of time" if one == "second" else f"in bad {one}s per second"


def good(slo: SLO) -> str:
    """What a good one is, to stand right after its noun: ` is answered within 500 ms`, ` is one in which all is well`.

    Args:
        slo: the objective; what its author wrote of events may be a whole sentence, and stands behind a colon.
    """
    told, itself = one_line(slo.sli.sentence()), f"a {slo.sli.noun} "
    if told.startswith(itself):
        return f" is one {told.removeprefix(itself)}"
    whole = noun(slo) == "event" and not names_a_thing(told)
    return f": {told}" if whole else f" is {told}"


def spoken(text: str) -> str:
    """A sentence with its figures as pages write them: `1s200ms` becomes `1.2 s`, `8%` `8 %`; quoted parts stay.

    Args:
        text: a sentence of ours, as faults describe themselves.
    """
    parts = _QUOTED.split(text)
    return "".join(
        part if index % 2 else _PER_CENT.sub(r"\1 %", _LENGTH.sub(_said, part)) for index, part in enumerate(parts)
    )


def _said(found: re.Match[str]) -> str:
    length = parse_duration(found[0])
    return f"{length.total_seconds() * 1000:.0f} ms" if length.total_seconds() < 1 else in_words(length)
