from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.definition import format_duration, parse_duration


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_reads_back_as_written(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-5m", "5 m", "5min", "1h 30m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_thirty_days_read_as_days() -> None:
    assert format_duration(timedelta(days=30)) == "30d"
    assert format_duration(timedelta(hours=1, minutes=30)) == "1h30m"
    assert format_duration(timedelta(milliseconds=2500)) == "2s500ms"


def test_a_length_beyond_any_calendar_is_no_duration() -> None:
    with pytest.raises(ValueError, match="longer than any calendar"):
        parse_duration("99999999999d")
