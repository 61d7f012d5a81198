"""Stalls that a load of users hides: they keep its users from asking, so that few requests are slow."""

from decimal import Decimal

import pytest

from sloproof.loadtests.evaluation import judge_promises
from sloproof.loadtests.histogram import bucket
from sloproof.loadtests.promises import Quantile
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second
from sloproof.loadtests.stall import stall
from sloproof.verdict.judge import Verdict

HALF_A_SECOND = Decimal("0.5")
P95 = Quantile("p95", below="500ms")


def run(answered: list[int], *, asked: float | None = None, waiting: int = 10) -> LoadResult:
    """A run with so many quick answers from second to second; who waits is answered late after it."""
    seconds, late = [], 0
    for at, count in enumerate(answered):
        seconds.append(
            Second(
                at=float(at),
                completed=count,
                slower={"0.5": late if count else 0},
                latency={bucket(0.02): count} if count else {},
                users=10,
                asked=asked,
                in_flight=waiting if not count else 1,
            )
        )
        late = 0 if count else waiting
    return LoadResult(
        profile="steady",
        system="api",
        target="http://127.0.0.1:1",
        locustfile="users/api.py",
        users=10,
        asked_rate=None,
        started_at=0.0,
        drained_from=float(len(answered)),
        ended_at=float(len(answered)),
        seconds=seconds,
    )


def test_a_target_that_stood_still_for_long_does_not_pass_for_the_few_who_waited() -> None:
    stood = run([2000] * 5 + [0] * 20 + [2000] * 5)
    (judged,) = judge_promises(stood, [P95])
    assert judged.verdict is Verdict.UNDECIDED
    assert "nobody was answered for 20 s while 10 requests waited" in judged.reason
    assert "by the clock 65 % would have been slow" in judged.reason


@pytest.mark.parametrize("stood", [0, 1, 2])
def test_a_stall_within_the_budget_takes_no_pass_away(stood: int) -> None:
    (judged,) = judge_promises(run([200] * 50 + [0] * stood + [200] * 50), [P95])
    assert judged.verdict is Verdict.PASS


def test_seconds_between_answers_are_no_stall() -> None:
    assert stall(run([10, *[0] * 9] * 5), Decimal(10)) is None, "each request takes ten seconds, and may"
    assert stall(run([10, *[0] * 9] * 5, waiting=0), HALF_A_SECOND) is None, "its users think"
    assert stall(run([200, 0] * 20), HALF_A_SECOND) is None, "one second is an accident"


def test_by_the_clock_each_request_counts_from_when_it_was_due() -> None:
    assert stall(run([200] * 5 + [0] * 20 + [200] * 5, asked=200.0), HALF_A_SECOND) is None
