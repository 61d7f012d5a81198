"""The generator is judged before anything else is judged by it."""

from typing import Any

from sloproof.loadtests import histogram
from sloproof.loadtests.generator import GeneratorHealth, generator_health
from sloproof.loadtests.second import Second


def health(asked: float | None = 40.0, length: int = 30, users: int = 40, **changes: Any) -> GeneratorHealth:
    values: dict[str, Any] = {"completed": 40, "latency": {histogram.bucket(0.01): 40}, "users": users, "cpu": 0.1}
    seconds = [Second(at=100.0 + index, **{**values, **changes}) for index in range(length)]
    return generator_health(seconds, users=40, asked_rate=asked, drained_from=100.0 + length)


def test_a_generator_that_keeps_its_rate_is_fit() -> None:
    fit = health()
    assert not fit.saturated and fit.reasons == []
    assert (fit.achieved_rate, fit.cpu_max) == (40, 0.1)


def test_a_late_generator_is_saturated() -> None:
    late = health(late=0.06, lag=0.4)
    assert late.saturated and "late for 6 % of the time, by up to 400 ms" in late.reasons[0]
    assert not health(late=0.04, lag=0.4).saturated


def test_a_busy_generator_is_saturated() -> None:
    assert "90 % of a core" in health(cpu=0.95).reasons[0]
    assert not health(cpu=0.85).saturated


def test_one_busy_second_is_no_saturation() -> None:
    seconds = [Second(at=float(index), completed=40, users=40, cpu=1.0 if index == 5 else 0.1) for index in range(10)]
    assert not generator_health(seconds, users=40, asked_rate=40, drained_from=10).saturated


def test_a_rate_not_reached_with_a_fast_target_is_the_generators_fault() -> None:
    slow = health(completed=20)
    assert slow.saturated and "achieved 20.0/s of 40.0/s" in slow.reasons[0]
    assert not health(completed=37).saturated


def test_a_rate_not_reached_with_a_slow_target_is_the_targets_fault() -> None:
    assert not health(completed=20, latency={histogram.bucket(1.9): 20}, in_flight=38).saturated


def test_a_target_that_stopped_answering_is_not_the_generators_fault() -> None:
    assert not health(completed=0, latency={}, in_flight=40).saturated


def test_by_the_clock_a_target_that_falls_behind_is_not_the_generators_fault() -> None:
    behind = [Second(at=float(at), asked=40.0, started=40, completed=20, users=400, in_flight=30) for at in range(20)]
    found = generator_health(behind, users=400, asked_rate=40, drained_from=20)
    assert not found.saturated and found.achieved_rate == 20


def test_by_the_clock_what_was_not_sent_is_the_generators_fault() -> None:
    short = [Second(at=float(at), asked=40.0, started=20, completed=20, users=400, in_flight=300) for at in range(20)]
    found = generator_health(short, users=400, asked_rate=40, drained_from=20)
    assert found.saturated and found.reasons == ["sent 20.0/s of 40.0/s asked"]


def test_users_that_died_are_noticed() -> None:
    assert "never ran more than 12 of 40 users" in health(users=12).reasons[0]


def test_the_seconds_while_users_start_are_not_held_against_the_rate() -> None:
    ramp = [Second(at=float(index), completed=4 * index, users=4 * index) for index in range(10)]
    full = [Second(at=10.0 + index, completed=40, users=40) for index in range(10)]
    found = generator_health(ramp + full, users=40, asked_rate=40, drained_from=20)
    assert found.achieved_rate == 40 and not found.saturated


def test_the_drain_is_not_held_against_the_rate() -> None:
    seconds = [Second(at=float(index), completed=40 if index < 10 else 0, users=40) for index in range(20)]
    assert generator_health(seconds, users=40, asked_rate=40, drained_from=10).achieved_rate == 40


def test_without_a_rate_there_is_nothing_to_miss() -> None:
    assert not health(asked=None, completed=1).saturated


def test_without_seconds_there_is_no_claim() -> None:
    empty = generator_health([], users=40, asked_rate=40, drained_from=0)
    assert empty.achieved_rate is None and not empty.saturated
