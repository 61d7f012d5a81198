"""PromQL as values: built from parts, escaped in one place, never pasted together from strings.

Each expression renders with `str()`; operands that need brackets get them. Label values are
escaped as PromQL strings, so that a quote or a newline in a value stays a value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Literal

from sloproof.definition import format_duration

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f]*')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

MatchOperator = Literal["=", "!=", "=~", "!~"]
BinaryOperator = Literal[
    "+",
    "-",
    "*",
    "/",
    "%",
    ">",
    ">=",
    "<",
    "<=",
    "==",
    "!=",
    "> bool",
    "< bool",
    "== bool",
    "!= bool",
    "and",
    "and on ()",
    "and on (job, instance)",
    "or",
    "unless",
]


def quote(text: str) -> str:
    """A PromQL string literal for any text.

    Args:
        text: any Unicode text.

    Returns:
        The text in double quotes, with quotes, backslashes and control characters escaped.
    """
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return '"' + "".join(_ESCAPES.get(c, c if c >= " " and c != "\x7f" else f"\\x{ord(c):02x}") for c in text) + '"'


@dataclass(frozen=True)
class Matcher:
    """One label matcher of a selector."""

    label: str
    operator: MatchOperator
    value: str

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise ValueError(f"`{self.label}` is not a label name")

    @cached_property
    def _text(self) -> str:
        return f"{self.label}{self.operator}{quote(self.value)}"

    def __str__(self) -> str:
        return self._text


@lru_cache(maxsize=4096)  # the identity of an objective stands in each of its expressions
def equals(label: str, value: str) -> Matcher:
    """The matcher `label="value"`."""
    return Matcher(label, "=", value)


class Expression:
    """Anything that Prometheus can evaluate; `str()` gives its text."""

    def sum(self, *, by: Sequence[str] = ()) -> "Aggregation":
        """The sum over all series, or over those that agree in the labels `by`."""
        return Aggregation("sum", self, tuple(by))

    def largest(self, *, by: Sequence[str] = ()) -> "Aggregation":
        """The largest value of all series, or of those that agree in the labels `by`."""
        return Aggregation("max", self, tuple(by))

    def smallest(self, *, by: Sequence[str] = ()) -> "Aggregation":
        """The smallest value of all series, or of those that agree in the labels `by`."""
        return Aggregation("min", self, tuple(by))

    def _binary(self, operator: BinaryOperator, other: "Expression | Decimal | int") -> "Binary":
        right = other if isinstance(other, Expression) else Number(other)
        return Binary(self, operator, right)

    def __add__(self, other: "Expression | Decimal | int") -> "Binary":
        return self._binary("+", other)

    def __sub__(self, other: "Expression | Decimal | int") -> "Binary":
        return self._binary("-", other)

    def __mul__(self, other: "Expression | Decimal | int") -> "Binary":
        return self._binary("*", other)

    def __truediv__(self, other: "Expression | Decimal | int") -> "Binary":
        return self._binary("/", other)

    def above(self, limit: "Expression | Decimal | int") -> "Binary":
        """Keep only values greater than the limit."""
        return self._binary(">", limit)

    def at_least(self, limit: "Expression | Decimal | int") -> "Binary":
        """Keep only values greater than or equal to the limit."""
        return self._binary(">=", limit)

    def below(self, limit: "Expression | Decimal | int") -> "Binary":
        """Keep only values less than the limit."""
        return self._binary("<", limit)

    def at_most(self, limit: "Expression | Decimal | int") -> "Binary":
        """Keep only values less than or equal to the limit."""
        return self._binary("<=", limit)

    def unless(self, other: "Expression") -> "Binary":
        """Keep the series that do not exist on the other side."""
        return self._binary("unless", other)

    def exceeds(self, limit: "Expression | Decimal | int") -> "Binary":
        """1 where a value is greater than the limit, 0 elsewhere."""
        return self._binary("> bool", limit)

    def falls_below(self, limit: "Expression | Decimal | int") -> "Binary":
        """1 where a value is smaller than the limit, 0 elsewhere."""
        return self._binary("< bool", limit)

    def measured(self) -> "Binary":
        """Keep every value but NaN, which compares as neither good nor bad."""
        return self.at_least(Decimal("-Infinity"))

    def both(self, other: "Expression") -> "Binary":
        """Keep the series that exist on both sides (`and`)."""
        return self._binary("and", other)

    def during(self, other: "Expression") -> "Binary":
        """Keep every series while the other side, which has no labels, has a value."""
        return self._binary("and on ()", other)

    def of_targets(self, other: "Expression") -> "Binary":
        """Keep the series of those targets, told by `job` and `instance`, that have a series on the other side."""
        return self._binary("and on (job, instance)", other)

    def otherwise(self, other: "Expression") -> "Binary":
        """Add the series that exist only on the other side (`or`)."""
        return self._binary("or", other)


@dataclass(frozen=True)
class Number(Expression):
    """A literal number, written without an exponent."""

    value: Decimal | int

    def __str__(self) -> str:
        return _written(self.value)


@lru_cache(maxsize=4096)  # objectives share their thresholds and lengths
def _written(value: Decimal | int) -> str:
    if not Decimal(value).is_finite():
        return "-Inf" if value < 0 else "+Inf"
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Selector(Expression):
    """An instant selector: a metric's name and its matchers."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        # Rendered once; a cached property would take a lock in Python 3.11, for each of a hundred thousand.
        text: str | None = self.__dict__.get("_text")
        if text is None:
            text = self.__dict__["_text"] = self._rendered()
        return text

    def _rendered(self) -> str:
        plain = _METRIC.fullmatch(self.metric) is not None
        matchers = self.matchers if plain else (Matcher("__name__", "=", self.metric), *self.matchers)
        inside = ",".join(map(str, matchers))
        return (self.metric if plain else "") + (f"{{{inside}}}" if inside or not plain else "")

    def matching(self, *matchers: Matcher) -> "Selector":
        """The same selector with more matchers; one on the same label with `=` is replaced."""
        replaced = {matcher.label for matcher in matchers if matcher.operator == "="}
        kept = tuple(m for m in self.matchers if not (m.operator == "=" and m.label in replaced))
        return replace(self, matchers=kept + matchers)

    def renamed(self, metric: str) -> "Selector":
        """The same matchers on another metric."""
        return replace(self, metric=metric)

    def over(self, window: timedelta) -> "Range":
        """The samples of the last `window`."""
        return Range(self, window)


@dataclass(frozen=True)
class Range(Expression):
    """A range selector: the samples of a window that ends now."""

    selector: Selector
    window: timedelta

    def __str__(self) -> str:
        return f"{self.selector}[{format_duration(self.window)}]"


@dataclass(frozen=True)
class Earlier(Expression):
    """A selector, or a range, that is read as it was some time ago."""

    operand: Selector | Range
    ago: timedelta

    def __str__(self) -> str:
        return f"{self.operand} offset {format_duration(self.ago)}"


@dataclass(frozen=True)
class Call(Expression):
    """A function applied to its arguments."""

    function: str
    arguments: tuple[Expression, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True)
class Subquery(Expression):
    """An expression evaluated every `step` over a window, which may be pinned to an end of the shown range."""

    operand: Expression
    window: timedelta
    step: timedelta
    at: Literal["", "start()", "end()"] = ""

    def __str__(self) -> str:
        pinned = f" @ {self.at}" if self.at else ""
        return f"{_bracketed(self.operand)}[{format_duration(self.window)}:{format_duration(self.step)}]{pinned}"


def call(function: str, *arguments: Expression) -> Call:
    """The function's call with these arguments."""
    return Call(function, arguments)


def rate(selector: Selector, window: timedelta) -> Call:
    """Events per second of a counter over the window."""
    return call("rate", selector.over(window))


def rate_from_birth(selector: Selector, window: timedelta, beside: Selector) -> Expression:
    """Events per second of a counter over the window, with the first value of a series that was born in it.

    `rate()` sees a series only from its second sample on, and what the first one had counted is lost. Here it counts
    where the series did not exist before the window and its target did, by `job` and `instance`: a target that is new
    itself may have counted for years. After a gap in the scrapes nothing is known of before, and the first value does
    not count, so that nothing is counted twice.

    Args:
        selector: of counters.
        window: what the rate is taken over.
        beside: series that every target has from the start, such as those of all events.

    Source: measured over series born at their first error; 0.993 of the errors are seen in place of 0.709.
    """
    known = call("last_over_time", Earlier(selector.over(_SEEN_BEFORE), window))
    born = selector.unless(known).of_targets(Earlier(beside, window))
    seconds = Decimal(window // timedelta(microseconds=1)) / Decimal(1_000_000)
    return (born / Number(seconds)).otherwise(rate(selector, window))


_SEEN_BEFORE = timedelta(hours=1)
"""How long before the window a series may have been scraped for the last time and still be an old one."""


@dataclass(frozen=True)
class Aggregation(Expression):
    """An aggregation over series, by labels when any are given."""

    operator: str
    operand: Expression
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = f" by ({', '.join(self.by)}) " if self.by else ""
        return f"{self.operator}{by}({self.operand})"


@dataclass(frozen=True)
class Binary(Expression):
    """Two expressions and an operator; operands that are binary themselves get brackets."""

    left: Expression
    operator: BinaryOperator
    right: Expression

    def __str__(self) -> str:
        return f"{_bracketed(self.left)} {self.operator} {_bracketed(self.right)}"


def _bracketed(expression: Expression) -> str:
    return f"({expression})" if isinstance(expression, Binary) else str(expression)
