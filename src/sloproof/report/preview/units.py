"""Values in Grafana's units, as Grafana writes them: `99.95%`, `1.2 K`, `250 ms`, `3.1 hours`, `40 req/s`."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from sloproof.report import wording

Scale = Sequence[tuple[float, str]]
"""Factors from above, each with its suffix; the first one that the value reaches is used."""

_COUNTS: Scale = ((1e12, " Tri"), (1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
_TIMES: Scale = (
    (31_536_000, " years"),
    (604_800, " weeks"),
    (86_400, " days"),
    (3600, " hours"),
    (60, " mins"),
    (1, " s"),
    (1e-3, " ms"),
    (1e-6, " µs"),
    (1e-9, " ns"),
)
_IN_SECONDS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATIONS = {"dtdurations": 1.0, "dtdurationms": 1e-3, "dthms": 1.0, "clocks": 1.0, "clockms": 1e-3}
_PER_SECOND = {
    "reqps": "req/s", "ops": "ops/s", "rps": "rd/s", "wps": "wr/s", "iops": "io/s", "cps": "c/s", "eps": "evt/s",
    "mps": "msg/s", "recps": "rec/s", "rowsps": "rows/s", "pps": "p/s",
    "opm": "ops/m", "rpm": "rd/m", "wpm": "wr/m", "cpm": "c/m", "reqpm": "req/m", "mpm": "msg/m",
}  # fmt: skip
_BINARY = {
    "bytes": "iB",
    "binbps": "ib/s",
    "binBps": "iB/s",
    "bits": "ib",
    "kbytes": "iB",
    "mbytes": "iB",
    "gbytes": "iB",
}
_BINARY_BASE = {"kbytes": 1024.0, "mbytes": 1024.0**2, "gbytes": 1024.0**3}
_DECIMAL = {"decbytes": "B", "decbits": "b", "Bps": "B/s", "bps": "b/s", "hertz": "Hz", "watt": "W", "volt": "V"}
_MONEY = {"currencyUSD": "$", "currencyBRL": "R$", "currencyEUR": "€", "currencyGBP": "£", "currencyJPY": "¥"}
_SUFFIXES = {
    "celsius": " °C",
    "fahrenheit": " °F",
    "degree": "°",
    "humidity": " %H",
    "cores": " cores",
    "millicores": " mCPU",
}
_DATES = {
    "dateTimeAsIso": "%Y-%m-%d %H:%M:%S",
    "dateTimeAsIsoNoDateIfToday": "%Y-%m-%d %H:%M:%S",
    "dateTimeFromNow": "%Y-%m-%d %H:%M",
}
_PER_CENT, _THOUSAND = 100.0, 1000.0
_BINARY_POWERS, _DECIMAL_POWERS = "KMGTPE", "kMGTPE"
_DIGITS = 3


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """A value in its unit.

    Args:
        value: anything; NaN and infinities are told as such.
        unit: Grafana's id of the unit, or `suffix:`, `prefix:`, `si:`, `count:` with text; an id that is not known is
            put behind the number, as Grafana does.
        decimals: digits after the point; None for about three digits in all.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    own = _WRITTEN.get(unit)
    if own is not None:
        return own(value, decimals)
    kind, colon, word = unit.partition(":")
    if colon and kind in _CUSTOM:
        return _CUSTOM[kind](value, decimals, word)
    return f"{digits(value, decimals)} {unit}"


def digits(value: float, decimals: int | None) -> str:
    """A number without exponent or needless zeros; with them where decimals are asked for."""
    if decimals is not None:
        text = f"{value:.{min(max(decimals, 0), 15)}f}"
        return text.removeprefix("-") if not text.strip("-0.") else text
    return wording.number(value, _DIGITS).replace(",", "")


def _scaled(value: float, scale: Scale, decimals: int | None, otherwise: str = "") -> str:
    for factor, suffix in scale:
        # What would be rounded up to the next factor belongs to it: 999.99 is 1 K.
        if abs(value) >= factor * 0.9995:
            return digits(value / factor, decimals) + suffix
    return digits(value, decimals) + otherwise


def _count(value: float, decimals: int | None) -> str:
    return _scaled(value, _COUNTS, decimals)


def _share(value: float, decimals: int | None) -> str:
    if decimals is None and wording.ratio(value) != wording.NO_DATA:
        return wording.ratio(value).replace(" %", "%").replace(",", "")
    return f"{digits(value * _PER_CENT, decimals)}%"


def _percent(value: float, decimals: int | None) -> str:
    return f"{digits(value, decimals)}%"


def _time(in_seconds: float) -> Callable[[float, int | None], str]:
    return lambda value, decimals: _scaled(value * in_seconds, _TIMES, decimals, " s")


def _clock(in_seconds: float) -> Callable[[float, int | None], str]:
    def written(value: float, _: int | None) -> str:
        whole = round(abs(value) * in_seconds)
        days, rest = divmod(whole, 86_400)
        told = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
        return f"{'-' if value < 0 else ''}{f'{days} d ' if days else ''}{told}"

    return written


def _rate(suffix: str) -> Callable[[float, int | None], str]:
    def written(value: float, decimals: int | None) -> str:
        scaled = _scaled(value, ((1e9, " G"), (1e6, " M"), (1e3, " K")), decimals)
        return f"{scaled}{'' if scaled[-1].isalpha() else ' '}{suffix}"

    return written


def _powers(base: float, factor: float, suffix: str) -> Callable[[float, int | None], str]:
    letters = _DECIMAL_POWERS if base == _THOUSAND else _BINARY_POWERS
    scale = [(base**power, f" {letters[power - 1]}{suffix}") for power in range(len(letters), 0, -1)]
    plain = f" {suffix.removeprefix('i')}"
    return lambda value, decimals: _scaled(value * factor, scale, decimals, plain)


def _money(sign: str) -> Callable[[float, int | None], str]:
    return lambda value, decimals: f"{'-' if value < 0 else ''}{sign}{_count(abs(value), decimals).replace(' ', '')}"


def _date(pattern: str) -> Callable[[float, int | None], str]:
    def written(value: float, _: int | None) -> str:
        try:
            return datetime.fromtimestamp(value / 1000, UTC).strftime(pattern)
        except (ValueError, OverflowError, OSError):
            return digits(value, None)

    return written


def _suffixed(suffix: str) -> Callable[[float, int | None], str]:
    return lambda value, decimals: digits(value, decimals) + suffix


def _either(yes: str, no: str) -> Callable[[float, int | None], str]:
    return lambda value, _: yes if value else no


_WRITTEN: Mapping[str, Callable[[float, int | None], str]] = {
    "": _count,
    "none": digits,
    "string": digits,
    "short": _count,
    "sishort": _count,
    "locale": lambda value, decimals: f"{value:,.{decimals or 0}f}",
    "percentunit": _share,
    "percent": _percent,
    "bool": _either("True", "False"),
    "bool_yes_no": _either("Yes", "No"),
    "bool_on_off": _either("On", "Off"),
    **{unit: _time(size) for unit, size in _IN_SECONDS.items()},
    **{unit: _clock(size) for unit, size in _DURATIONS.items()},
    **{unit: _rate(suffix) for unit, suffix in _PER_SECOND.items()},
    **{unit: _powers(1024.0, _BINARY_BASE.get(unit, 1.0), suffix) for unit, suffix in _BINARY.items()},
    **{unit: _powers(_THOUSAND, 1.0, suffix) for unit, suffix in _DECIMAL.items()},
    **{unit: _money(sign) for unit, sign in _MONEY.items()},
    **{unit: _suffixed(suffix) for unit, suffix in _SUFFIXES.items()},
    **{unit: _date(pattern) for unit, pattern in _DATES.items()},
}  # fmt: skip
_CUSTOM: Mapping[str, Callable[[float, int | None, str], str]] = {
    # Grafana sets a suffix off by nothing, so a word brings its own blank.
    "suffix": lambda value, decimals, word: digits(value, decimals) + word,
    "prefix": lambda value, decimals, word: word + digits(value, decimals),
    "count": lambda value, decimals, word: f"{_count(value, decimals)} {word}",
    "si": lambda value, decimals, word: _powers(_THOUSAND, 1.0, word)(value, decimals),
    "currency": lambda value, decimals, word: _money(word)(value, decimals),
    "time": lambda value, decimals, _: _date("%Y-%m-%d %H:%M:%S")(value, decimals),
}
