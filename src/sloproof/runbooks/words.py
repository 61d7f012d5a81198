"""Figures as a tired reader takes them in."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

from sloproof.definition import plain
from sloproof.promql import Expression
from sloproof.slo import SLO

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_ROUGH_FROM = 10
"""Seconds below which a tenth matters."""


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
    return "until the bad events leave the window"


def share(ratio: Decimal) -> str:
    """A ratio of 1 as per cent with three significant digits: `2.31 %`."""
    return f"{plain(Decimal(f'{ratio * 100:.3g}'))} %"


def one_in(ratio: Decimal) -> str:
    """A ratio of 1 as `1 in 1,000`."""
    return f"1 in {round(1 / ratio):,}"


def one_line(text: str) -> str:
    """Somebody's free text on one line, without anything that Markdown or our markers would take for markup."""
    return " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")


def graph_link(*expressions: Expression) -> str:
    """The path of Prometheus's own graph page with each expression in a panel of its own."""
    panels = (f"g{index}.expr={quote(str(one), safe='')}&g{index}.tab=0" for index, one in enumerate(expressions))
    return "/graph?" + "&".join(panels)
