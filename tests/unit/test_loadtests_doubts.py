"""Why a run that looks well must not pass: what was asked of the system was not what the load says."""

import pytest

from sloproof.loadtests.doubts import doubts, told
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second


def run(users: list[int], *, wanted: int = 10, asked: float | None = None, shaped: bool = False) -> LoadResult:
    """A run with so many users from second to second."""
    seconds = [
        Second(at=float(at), completed=50, users=count, asked=asked, users_asked=wanted if shaped else None)
        for at, count in enumerate(users)
    ]
    return LoadResult(
        profile="steady",
        system="api",
        target="http://127.0.0.1:1",
        locustfile="users/api.py",
        users=wanted,
        asked_rate=None,
        started_at=0.0,
        drained_from=float(len(users)),
        ended_at=float(len(users)),
        seconds=seconds,
    )


def test_users_that_left_are_told_and_let_nothing_pass() -> None:
    left = run([4, 10, 10, *[2] * 17])
    (doubt,) = doubts(left)
    assert "2 of 10 ran at worst, too few in 17 of 20 seconds" in doubt
    assert doubt in told(left)


def test_the_one_user_who_left_is_missed() -> None:
    assert len(doubts(run([1, 1, *[0] * 18], wanted=1))) == 1


@pytest.mark.parametrize(
    "users",
    [
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, *[10] * 20],  # they come one after the other
        [*[10] * 20, 9, 9, 9],  # a tenth may be missing
        [*[10] * 30, 5],  # one second is an accident
        [3] * 20,  # they never came, which the generator's health tells
    ],
)
def test_users_that_come_slowly_are_no_users_that_left(users: list[int]) -> None:
    assert doubts(run(users)) == []


def test_by_the_clock_and_with_a_shape_other_figures_count() -> None:
    leaving = [10, 10, *[2] * 18]
    assert doubts(run(leaving, asked=50.0)) == []
    assert doubts(run(leaving, shaped=True)) == []


def test_a_request_that_nobody_could_count_lets_nothing_pass() -> None:
    lost = run([10] * 20).model_copy(update={"uncounted": 1})
    (doubt,) = doubts(lost)
    assert doubt.startswith("1 request could not be counted")
    assert doubt in told(lost)
