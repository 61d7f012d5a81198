"""Whatever a client of the locustfile's own reports of a request, it is read, or refused aloud; it never vanishes."""

from types import SimpleNamespace
from typing import Any

import pytest

from sloproof.loadtests.reported import bytes_of, context_of, seconds_of, served_by, status_of


@pytest.mark.parametrize(("told", "seconds"), [(5.0, 0.005), (0, 0.0), (None, 0.0), (-3, 0.0)])
def test_a_latency_is_read_in_seconds_and_is_never_below_zero(told: Any, seconds: float) -> None:
    assert seconds_of(told) == seconds


@pytest.mark.parametrize("told", [float("nan"), float("inf"), "5 ms"])
def test_a_latency_that_nobody_can_read_is_refused(told: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        seconds_of(told)


@pytest.mark.parametrize(("told", "status"), [(503, 503), ("503", 503), ("UNAVAILABLE", 0), (None, 0)])
def test_a_status_of_another_protocol_is_none(told: Any, status: int) -> None:
    assert status_of(SimpleNamespace(status_code=told)) == status
    assert status_of(None) == 0


@pytest.mark.parametrize(
    ("headers", "instance"),
    [({"x-served-by": "a1"}, "a1"), ({"server": "x"}, None), ([("x-served-by", "a1")], None), (None, None)],
)
def test_the_instance_is_read_from_headers_that_are_a_mapping(headers: Any, instance: str | None) -> None:
    assert served_by(SimpleNamespace(headers=headers)) == instance
    assert served_by(object()) is None


def test_lengths_and_contexts_of_another_kind_say_nothing() -> None:
    assert [bytes_of(length) for length in (12, 0, None, "12", -1)] == [12, 0, 0, 0, 0]
    assert context_of({"a": 1}) == {"a": 1}
    assert context_of("abc") == {} and context_of(None) == {}
