"""What a load profile promises itself: a quantile, a share of failures."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof import Failures, LoadProfile, Quantile
from sloproof.loadtests.evaluation import judge_promises
from sloproof.loadtests.generator import GeneratorHealth
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.result import Censored, LoadResult, Second
from sloproof.verdict.judge import Verdict

P95 = Quantile("p95", below="500ms")
TENTH = Failures(below="10%")


def load(*, slow: int = 0, failed: int = 0, seconds: int = 60, **changes: Any) -> LoadResult:
    """A hundred requests a second; so many of each second's are slower than 500 ms, or fail."""
    values: dict[str, Any] = {
        "profile": "gate",
        "system": "tasks",
        "target": "http://127.0.0.1:1",
        "locustfile": "users/tasks.py",
        "users": 10,
        "asked_rate": None,
        "started_at": 0.0,
        "drained_from": float(seconds),
        "ended_at": float(seconds),
        "seconds": [
            Second(
                at=at,
                started=100,
                completed=100,
                slower={"0.5": slow},
                errors={"5xx": failed, "4xx": 30},
                latency={0: 100},
            )
            for at in range(seconds)
        ],
    }
    return LoadResult(**{**values, **changes})


@pytest.mark.parametrize(
    ("slow", "verdict"), [(0, Verdict.PASS), (3, Verdict.PASS), (5, Verdict.UNDECIDED), (7, Verdict.FAIL)]
)
def test_a_quantile_is_a_share_of_slower_requests(slow: int, verdict: Verdict) -> None:
    assert judge_promises(load(slow=slow), [P95])[0].verdict is verdict


@pytest.mark.parametrize(("failed", "verdict"), [(0, Verdict.PASS), (8, Verdict.PASS), (12, Verdict.FAIL)])
def test_failures_are_a_share_of_all_requests_and_answers_are_none(failed: int, verdict: Verdict) -> None:
    assert judge_promises(load(failed=failed), [TENTH])[0].verdict is verdict


def test_a_promise_never_passes_on_too_little() -> None:
    assert judge_promises(load(seconds=0), [P95])[0].verdict is Verdict.UNDECIDED
    assert judge_promises(load(partial=True), [P95])[0].verdict is Verdict.UNDECIDED
    saturated = load(generator=GeneratorHealth(saturated=True, reasons=["busy"]))
    assert "saturated: busy" in judge_promises(saturated, [P95])[0].reason
    assert judge_promises(saturated, [P95])[0].verdict is Verdict.UNDECIDED


def test_requests_in_flight_at_the_end_may_have_been_slow() -> None:
    open_ones = [Censored(name="GET /", started_at=59.9, age=0.1)] * 400
    judged = judge_promises(load(censored=open_ones, in_flight_at_end=400), [P95])[0]
    assert judged.verdict is Verdict.UNDECIDED
    assert judged.counts.censored == 400


def test_a_promise_brings_its_own_exact_counter() -> None:
    profile = LoadProfile(
        name="gate", system="tasks", locustfile="users/tasks.py", users=1, duration="1m", expect=[P95, TENTH]
    )
    plan = LoadPlan.of(profile, target="http://127.0.0.1:1", thresholds=[Decimal("0.2")], allowed=[])
    assert plan.thresholds == [Decimal("0.2"), Decimal("0.5")]


def test_a_promise_says_what_must_be_seen() -> None:
    assert P95.describe() == "p95 is below 500ms"
    assert Quantile("p99.9", below="1s").budget == Decimal("0.001")
    assert Failures(below="0.5 %").describe() == "fewer than 0.5 % of requests fail"


@pytest.mark.parametrize("quantile", ["95", "p0", "p100", "P95", "p95%"])
def test_what_is_no_quantile_is_refused(quantile: str) -> None:
    with pytest.raises(ValidationError):
        Quantile(quantile, below="1s")


@pytest.mark.parametrize("share", ["0%", "100%", "-1%", "few", 0.1])
def test_what_is_no_share_is_refused(share: object) -> None:
    with pytest.raises(ValidationError):
        Failures(below=share)
