"""Series that make a written expression take a value, so that a rule test can feed them.

The expression's tree is walked from its value to its selectors: what a `rate` shall be, its counter must
grow by; what a sum shall be, one series of it is. Shapes that cannot be turned round say so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import promql_parser

from sloproof.alerts.sample_labels import concrete, selects
from sloproof.promql import Matcher, Selector, equals, parse_selector

DIVISOR = Decimal(100)
"""What the lower side of a quotient is fed."""
BUCKET_HALF_WIDTH = Decimal("0.005")
"""How far a bucket's edges lie from the wanted quantile, as a share of it."""


MORE_THAN_ENOUGH = Decimal("0.25")
"""How far what is only a condition lies beyond its limit, as a share of it."""


class NoInputSeries(ValueError):
    """An expression of a shape, or a value, for which no series are known; the message says why."""


@dataclass(frozen=True)
class Course:
    """A value that changes evenly.

    Args:
        start: its value at the first instant.
        slope: its change per second.
    """

    start: Decimal
    slope: Decimal = Decimal(0)

    def __add__(self, other: "Course") -> "Course":
        return Course(self.start + other.start, self.slope + other.slope)

    def __sub__(self, other: "Course") -> "Course":
        return Course(self.start - other.start, self.slope - other.slope)

    def times(self, factor: Decimal) -> "Course":
        """Every value multiplied."""
        return Course(self.start * factor, self.slope * factor)


@dataclass(frozen=True)
class InputSeries:
    """One series to be fed.

    Args:
        selector: the part of the expression that reads it.
        series: its name and labels.
        course: its values.
        counted: whether it is a counter, which cannot fall.
    """

    selector: Selector
    series: Selector
    course: Course
    counted: bool = False


@dataclass(frozen=True)
class Feeding:
    """Everything an expression has to be fed.

    Args:
        series: at least one.
        reach: how far back the expression looks; before that its value is another one.
    """

    series: tuple[InputSeries, ...]
    reach: timedelta = timedelta()


def input_series(expression: str, value: Decimal) -> Feeding:
    """The series with which an expression has a value from its reach on.

    Args:
        expression: PromQL that parses.
        value: what it shall yield.

    Raises:
        NoInputSeries: the expression cannot be turned round, or can never have this value.
    """
    return _feed(promql_parser.parse(expression), Course(value))


def _feed(node: Any, want: Course) -> Feeding:
    reader = _READERS.get(type(node).__name__)
    if reader is None:
        raise NoInputSeries(f"`{node.prettify()}` reads no series")
    return reader(node, want)


def _selector(node: Any, want: Course) -> Feeding:
    return _series_of(node, want)


def _series_of(node: Any, want: Course, *, counted: bool = False, reach: timedelta = timedelta()) -> Feeding:
    try:
        selector = parse_selector(node.prettify())
        fed = InputSeries(selector, concrete(selector), want, counted)
    except ValueError as error:
        raise NoInputSeries(str(error)) from None
    return Feeding((fed,), reach)


def _aggregation(node: Any, want: Course) -> Feeding:
    operator = str(node.op)
    if operator not in _OF_ONE_SERIES_THE_SAME:
        raise NoInputSeries(f"`{operator}` of one series is not its value")
    return _feed(node.expr, want)


def _function(node: Any, want: Course) -> Feeding:
    name = node.func.name
    if name in _PER_SECOND:
        return _counter(node, want)
    if name == "increase":
        return _counter(node, want.times(1 / _seconds(_window(node))))
    if name == "histogram_quantile":
        return _histogram(node, want)
    if name in _OVER_TIME:
        return _over_time(node, want)
    if name in _PASSING:
        return _feed(node.args[0], want)
    if name in _NATIVE:
        raise NoInputSeries(f"`{name}` reads native histograms, which promtool 2.42 cannot be fed")
    raise NoInputSeries(f"`{name}` cannot be turned round")


def _counter(node: Any, want: Course) -> Feeding:
    if want.slope:
        raise NoInputSeries(f"`{node.prettify()}` would have to change evenly")
    if want.start < 0:
        raise NoInputSeries(f"`{node.prettify()}` cannot be {want.start}: a counter does not fall")
    reach = _window(node)
    return _series_of(node.args[0].vector_selector, Course(Decimal(0), want.start), counted=True, reach=reach)


def _over_time(node: Any, want: Course) -> Feeding:
    if want.slope:
        raise NoInputSeries(f"`{node.func.name}` would have to change evenly")
    windows = promql_parser.MatrixSelector | promql_parser.SubqueryExpr
    argument = next(argument for argument in node.args if isinstance(argument, windows))
    inner = argument.vector_selector if isinstance(argument, promql_parser.MatrixSelector) else argument.expr
    fed = _feed(inner, want)
    return replace(fed, reach=fed.reach + (argument.range or timedelta()))


def _histogram(node: Any, want: Course) -> Feeding:
    if want.slope or want.start <= 0:
        raise NoInputSeries("a quantile that is not above zero has no bucket")
    inner = _feed(node.args[1], Course(DIVISOR))
    if len(inner.series) != 1 or any(matcher.label == "le" for matcher in inner.series[0].selector.matchers):
        raise NoInputSeries("`histogram_quantile` of more than one histogram's buckets")
    all_of_it, (bucket,) = inner.series[0].course, inner.series
    lower, upper = want.start * (1 - BUCKET_HALF_WIDTH), want.start * (1 + BUCKET_HALF_WIDTH)
    edges = ((_plain(lower), Course(Decimal(0))), (_plain(upper), all_of_it), ("+Inf", all_of_it))
    series = tuple(
        replace(bucket, series=bucket.series.matching(equals("le", edge)), course=course) for edge, course in edges
    )
    return replace(inner, series=series)


def _binary(node: Any, want: Course) -> Feeding:
    operator = str(node.op)
    left, right = _known(node.lhs), _known(node.rhs)
    if operator in _COMPARISONS and right is not None and not (node.modifier and node.modifier.return_bool):
        return _feed(node.lhs, want)  # a filter passes the value on; whether it does is for promtool to say
    if operator == "or":
        return _feed(node.lhs, want)
    if operator == "and":
        return _beside(_feed(node.lhs, want), node.rhs)
    if left is not None:
        return _feed(node.rhs, _right_of(operator, left, want))
    if right is not None:
        return _feed(node.lhs, _left_of(operator, right, want))
    return _two_sided(operator, node, want)


def _two_sided(operator: str, node: Any, want: Course) -> Feeding:
    rest = _rest_of_sum(node) if operator == "/" else None
    if rest is not None:
        part, others = _feed(node.lhs, want.times(DIVISOR)), _feed(rest, Course(DIVISOR) - want.times(DIVISOR))
        return Feeding((*part.series, *others.series), max(part.reach, others.reach))
    sides = _SIDES.get(operator)
    if sides is None:
        raise NoInputSeries(f"`{operator}` between series cannot be turned round")
    wanted_left, wanted_right = sides(want)
    left, right = _feed(node.lhs, wanted_left), _feed(node.rhs, wanted_right)
    series = (*left.series, *(_without(one, left.series) for one in right.series))
    return Feeding(series, max(left.reach, right.reach))


def _beside(main: Feeding, condition: Any) -> Feeding:
    """What an `and` needs besides its left side: enough of what its right side compares, and no less of the left."""
    while isinstance(condition, promql_parser.ParenExpr):
        condition = condition.expr
    enough = Course(DIVISOR)
    if isinstance(condition, promql_parser.BinaryExpr) and str(condition.op) in (">", ">="):
        limit = _known(condition.rhs)
        enough = enough if limit is None else limit + limit.times(MORE_THAN_ENOUGH) + _SLIGHTLY_MORE
    beside = _feed(condition, enough)
    series = (*main.series, *(part for one in beside.series for part in _added(one, main.series)))
    return Feeding(series, max(main.reach, beside.reach))


def _added(wanted: InputSeries, fed: tuple[InputSeries, ...]) -> tuple[InputSeries, ...]:
    """A series of its own for what is still missing; none where what is fed already is enough."""
    read = [one for one in fed if selects(wanted.selector, one.series)]
    for one in read:
        wanted = replace(wanted, course=wanted.course - one.course)
    if not read:
        return (wanted,)
    missing = wanted.course.slope if wanted.counted else wanted.course.start
    return (_unread(wanted, fed),) if missing > 0 else ()


def _unread(wanted: InputSeries, fed: tuple[InputSeries, ...]) -> InputSeries:
    """The same values under labels that nothing else of the expression reads."""
    for one in fed:
        for matcher in (m for m in one.selector.matchers if m not in wanted.selector.matchers):
            other = wanted.selector.matching(Matcher(matcher.label, _OPPOSITE[matcher.operator], matcher.value))
            series = concrete(other)
            if not any(selects(known.selector, series) for known in fed):
                return replace(wanted, series=series)
    raise NoInputSeries(f"`{wanted.selector}` cannot be fed apart from what the other side reads")


def _rest_of_sum(node: Any) -> Any:
    """`misses` of `hits / (hits + misses)`; None for another shape."""
    total = node.rhs
    while isinstance(total, promql_parser.ParenExpr):
        total = total.expr
    if not isinstance(total, promql_parser.BinaryExpr) or str(total.op) != "+":
        return None
    part = node.lhs.prettify()
    others = {total.lhs.prettify(): total.rhs, total.rhs.prettify(): total.lhs}
    return others.get(part)


def _without(right: InputSeries, lefts: tuple[InputSeries, ...]) -> InputSeries:
    """What the right side must be fed besides the series of the left side that it reads too."""
    for left in lefts:
        if selects(left.selector, right.series) or selects(right.selector, left.series):
            if not selects(right.selector, left.series):
                raise NoInputSeries(f"`{left.selector}` reads what `{right.selector}` reads too")
            right = _apart(right, left)
    return right


def _apart(right: InputSeries, left: InputSeries) -> InputSeries:
    own = [matcher for matcher in left.selector.matchers if matcher not in right.selector.matchers]
    rest = right.course - left.course
    if not own or (right.counted and rest.slope < 0):
        raise NoInputSeries(f"`{left.selector}` cannot be more than `{right.selector}`, which it is a part of")
    other = right.selector.matching(Matcher(own[0].label, _OPPOSITE[own[0].operator], own[0].value))
    return replace(right, series=concrete(other), course=rest)


def _known(node: Any) -> Course | None:
    """The value of what reads no series; None for what does."""
    if isinstance(node, promql_parser.ParenExpr):
        return _known(node.expr)
    if isinstance(node, promql_parser.UnaryExpr):
        inner = _known(node.expr)
        return None if inner is None else inner.times(Decimal(-1))
    if isinstance(node, promql_parser.NumberLiteral):
        return Course(Decimal(repr(node.val)))
    if isinstance(node, promql_parser.Call) and node.func.name == "time":
        return Course(Decimal(0), Decimal(1))
    if isinstance(node, promql_parser.BinaryExpr):
        return _arithmetic(str(node.op), _known(node.lhs), _known(node.rhs))
    return None


def _arithmetic(operator: str, left: Course | None, right: Course | None) -> Course | None:
    if left is None or right is None:
        return None
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*" and not right.slope:
        return left.times(right.start)
    if operator == "/" and not right.slope and right.start:
        return left.times(1 / right.start)
    return None


def _right_of(operator: str, left: Course, want: Course) -> Course:
    """What the right operand must be, so that the whole is as wanted."""
    if operator == "+":
        return want - left
    if operator == "-":
        return left - want
    if operator == "*" and left.start and not left.slope:
        return want.times(1 / left.start)
    if operator == "/" and want.start and not want.slope and not left.slope:
        return Course(left.start / want.start)
    raise NoInputSeries(f"`{operator}` with this number on the left cannot be turned round")


def _left_of(operator: str, right: Course, want: Course) -> Course:
    """What the left operand must be, so that the whole is as wanted."""
    if operator == "+":
        return want - right
    if operator == "-":
        return want + right
    if operator == "*" and right.start and not right.slope:
        return want.times(1 / right.start)
    if operator == "/" and not right.slope:
        return want.times(right.start)
    raise NoInputSeries(f"`{operator}` with this number on the right cannot be turned round")


def _window(node: Any) -> timedelta:
    if not isinstance(node.args[0], promql_parser.MatrixSelector):
        raise NoInputSeries(f"`{node.func.name}` of a subquery cannot be turned round")
    window: timedelta = node.args[0].range
    return window


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(milliseconds=1)) / 1000


def _plain(number: Decimal) -> str:
    text = f"{Decimal(f'{number:.12g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_SLIGHTLY_MORE = Course(Decimal(1))  # a condition above zero
_PER_SECOND = {"rate", "irate"}
_OVER_TIME = {  # of a value that does not change, each is that value
    "avg_over_time",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "predict_linear",
    "quantile_over_time",
}
_NATIVE = {"histogram_avg", "histogram_count", "histogram_fraction", "histogram_sum"}
_PASSING = {"abs", "clamp_min", "clamp_max", "label_join", "label_replace", "sort", "sort_desc"}
_OF_ONE_SERIES_THE_SAME = {"sum", "avg", "min", "max", "quantile", "topk", "bottomk"}
_COMPARISONS = {"==", "!=", ">", ">=", "<", "<="}
_OPPOSITE: dict[str, Any] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_SIDES: dict[str, Callable[[Course], tuple[Course, Course]]] = {
    "/": lambda want: (want.times(DIVISOR), Course(DIVISOR)),
    "*": lambda want: (want, Course(Decimal(1))),
    "-": lambda want: (want + Course(DIVISOR), Course(DIVISOR)),
    "+": lambda want: (want, Course(Decimal(0))),
}
_READERS: dict[str, Callable[[Any, Course], Feeding]] = {
    "VectorSelector": _selector,
    "AggregateExpr": _aggregation,
    "Call": _function,
    "BinaryExpr": _binary,
    "ParenExpr": lambda node, want: _feed(node.expr, want),
    "UnaryExpr": lambda node, want: _feed(node.expr, want.times(Decimal(-1))),
}
