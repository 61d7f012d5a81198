"""Budgets of calendar months and quarters, UTC, in plain PromQL.

A range in PromQL has a fixed length, and a month has not. So the two base series are recorded a second time, split
over three names (a quarter: four): in each period only the name whose turn it is gets samples. The sum of the last
31 days (92) of that name holds this period's samples and no others, because its turn before this one ended earlier.

The rate of the base window at the first instants of a period still holds the end of the period before: events of the
last five minutes may count for the next period, and are then missing from their own.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from sloproof import names
from sloproof.alerts.rule_model import RecordingRule
from sloproof.alerts.timing import Timing
from sloproof.promql import Binary, Call, Expression, Number, Selector, call
from sloproof.slo import LONGEST

PHASES: dict[names.CalendarPeriod, int] = {"month": 3, "quarter": 4}
"""Two names do not do for months: 31 days before the 1st of March it is January. Numbers of months and of quarters
go on evenly over the new year, counted in threes and in fours."""
DAY = Number(86_400)
MONTHS_IN_QUARTER = 3


def phase_rules(series: Selector, period: names.CalendarPeriod, labels: dict[str, str]) -> list[RecordingRule]:
    """A base series split over the names of its period's phases.

    Args:
        series: a recorded base series of one objective.
        period: of the calendar.
        labels: the identity of the objective.
    """
    return [
        RecordingRule(_named(series, period, phase).metric, series.during(_turn(period, phase)), labels)
        for phase in _phases(period)
    ]


def since_start(function: str, series: Selector, period: names.CalendarPeriod) -> Expression:
    """A function over all samples of a base series since the start of the period; nothing where there is none.

    Args:
        function: such as `sum_over_time`.
        series: a recorded base series whose phases are recorded too.
        period: of the calendar.
    """
    first, *others = (
        call(function, _named(series, period, phase).over(LONGEST[period])).during(_turn(period, phase))
        for phase in _phases(period)
    )
    found: Expression = first
    for other in others:
        found = found.otherwise(other)
    return found


def elapsed_seconds(period: names.CalendarPeriod, timing: Timing) -> Expression:
    """The part of the period that is counted by now: what has passed, and the step that begins. A scalar."""
    days: Expression = _scalar("day_of_month") - 1
    step = Decimal(timing.evaluation // timedelta(microseconds=1)) / Decimal(1_000_000)
    return (days if period == "month" else _days_before() + days) * DAY + Binary(call("time"), "%", DAY) + Number(step)


def period_seconds(period: names.CalendarPeriod) -> Expression:
    """The length of the whole period. A scalar."""
    days: Expression = _scalar("days_in_month")
    return (days if period == "month" else _days_before() + days + _days_after()) * DAY


def elapsed_ratio(period: names.CalendarPeriod, timing: Timing) -> Expression:
    """The share of the period that is over, above 0, at most 1."""
    share = elapsed_seconds(period, timing) / period_seconds(period)
    return call("clamp_max", call("vector", share), Number(1))


def _phases(period: names.CalendarPeriod) -> range:
    return range(1, PHASES[period] + 1)


def _named(series: Selector, period: names.CalendarPeriod, phase: int) -> Selector:
    return series.renamed(names.in_phase(series.metric, period, phase, PHASES[period]))


def _turn(period: names.CalendarPeriod, phase: int) -> Binary:
    """A value while it is the turn of this phase: the first phase has January, and the first quarter."""
    number: Expression = call("month") if period == "month" else call("ceil", call("month") / MONTHS_IN_QUARTER)
    return Binary(Binary(number, "%", Number(PHASES[period])), "==", Number(phase % PHASES[period]))


def _days_before() -> Expression:
    """Days of the months of the quarter that are over. A scalar."""
    day = _scalar("day_of_month")
    last, one_before = (_days_in_month(call("time") - days * DAY) for days in (day, day + 31))  # of a month
    return _month("!= bool", 1) * last + _month("== bool", 0) * one_before


def _days_after() -> Expression:
    """Days of the months of the quarter that are still to come. A scalar."""
    rest = _scalar("days_in_month") - _scalar("day_of_month") + 1
    following, one_after = (_days_in_month(call("time") + days * DAY) for days in (rest, rest + 31))
    return _month("!= bool", 0) * following + _month("== bool", 1) * one_after


def _month(comparison: Literal["== bool", "!= bool"], rest: int) -> Binary:
    """1 or 0: whether the number of the month leaves this rest in its quarter."""
    return Binary(Binary(_scalar("month"), "%", Number(MONTHS_IN_QUARTER)), comparison, Number(rest))


def _days_in_month(moment: Expression) -> Call:
    return _scalar("days_in_month", call("vector", moment))


def _scalar(function: str, *arguments: Expression) -> Call:
    return call("scalar", call(function, *arguments))
