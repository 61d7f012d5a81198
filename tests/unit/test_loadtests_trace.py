"""A recorded day is replayed minute by minute, or refused with the line that is wrong."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sloproof import Arrivals, LoadProfile
from sloproof.errors import UsageError
from sloproof.loadtests.arrivals import Schedule, rate_at
from sloproof.loadtests.trace import parse_trace

DAY = Arrivals(trace="traces/day.csv")


@pytest.mark.parametrize(
    "text",
    [
        "60\n0\n120.5\n",
        "requests\n60\n0\n120.5",
        "minute,requests\r\n7,60\r\n8,0\r\n9,120.5\r\n",
        "\ufeffminute,requests\n23:58,60\n23:59,0\n00:00,120.5\n",
        "when, requests\n2026-03-31T23:58, 60\n2026-03-31T23:59, 0\n2026-04-01T00:00, 120.5\n",
    ],
)
def test_a_trace_is_one_line_a_minute(text: str) -> None:
    assert parse_trace(text, "day.csv") == [Decimal(60), Decimal(0), Decimal("120.5")]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("60\n\n60\n", 2, "the line is empty"),
        ("60\n-1\n", 2, "`-1` requests in a minute cannot be"),
        ("requests\n60\nmany\n", 3, "`many` is no number of requests"),
        ("60\nNaN\n", 2, "`NaN` requests"),
        ("60\ninf\n", 2, "`inf` requests"),
        ("60\n6000001\n", 2, "`6000001` requests"),
        ("0,60\n2,60\n", 2, "`2` is not one minute after the line before"),
        ("08:00,60\n08:02,60\n", 2, "`08:02` is not one minute"),
        ("minute,requests\n08:00,60\nlater,60\n", 3, "`later` is no minute"),
        ("1,2,3\n", 1, "3 columns"),
        ("minute,requests\n08:00,\n", 2, "`` is no number"),
    ],
)
def test_a_line_that_is_wrong_is_named(text: str, line: int, what: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse_trace(text, "traces/day.csv")
    assert failure.value.message.startswith(f"`traces/day.csv` line {line}: {what}")
    assert failure.value.hint


@pytest.mark.parametrize("text", ["", "\n", "requests\n", "0\n0\n"])
def test_a_trace_without_requests_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no request"):
        parse_trace(text, "day.csv")


minutes = st.lists(st.integers(min_value=0, max_value=600), min_size=1, max_size=6).filter(any)


@given(minutes, st.sampled_from(["even", "poisson"]), st.integers(min_value=0, max_value=9))
def test_each_minute_has_the_requests_of_its_line(found: list[int], spacing: str, seed: int) -> None:
    arrivals = Arrivals(trace="day.csv", spacing=spacing, seed=seed)
    length = timedelta(minutes=len(found))
    schedule = Schedule.of(arrivals, length, [Decimal(requests) for requests in found])
    times = list(schedule.times())
    assert times == list(schedule.times()) == sorted(times)
    seen = Counter(int(time // 60) for time in times)
    for minute, requests in enumerate(found):
        spread = 1 if spacing == "even" else 6 * requests**0.5 + 6
        assert seen[minute] == pytest.approx(requests, abs=spread)
        assert requests or not seen[minute]


def test_a_trace_is_scaled_and_cut_to_the_load() -> None:
    half = Arrivals(trace="day.csv", scale="0.5")
    schedule = Schedule.of(half, timedelta(seconds=90), [Decimal(120), Decimal(240), Decimal(6)])
    assert [round(piece.expected) for piece in schedule.stretches] == [60, 60]
    assert (rate_at(schedule.stretches, 30), rate_at(schedule.stretches, 70)) == (1, 2)


def test_a_part_of_the_length_replays_all_minutes_at_their_own_rates() -> None:
    profile = LoadProfile(
        name="day", system="tasks", locustfile="users/tasks.py", users=9, duration="3m", arrivals=DAY
    ).shortened(Decimal("0.1"))
    assert profile.arrivals is not None
    trace = [Decimal(60), Decimal(120), Decimal(180)]
    schedule = Schedule.of(profile.arrivals, profile.duration, trace, profile.share)
    assert [piece.first for piece in schedule.stretches] == [1, 2, 3]
    assert [piece.seconds for piece in schedule.stretches] == pytest.approx([6, 6, 6])


def test_a_trace_shorter_than_the_load_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`traces/day.csv` lasts 60 s, the load 90 s"):
        Schedule.of(DAY, timedelta(seconds=90), [Decimal(60)])


@pytest.mark.parametrize(
    "fields",
    [
        {"trace": "day.csv", "rate": 3},
        {"trace": "../day.csv"},
        {"trace": "/day.csv"},
        {"trace": "day.txt"},
        {"rate": 1, "scale": 2},
        {"trace": "day.csv", "scale": 0},
        {"trace": "day.csv", "scale": 0.5},
        {},
    ],
)
def test_a_replay_that_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Arrivals(**fields)
