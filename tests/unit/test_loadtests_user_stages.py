"""How the number of users moves, and profiles in a part of their time."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof import LoadProfile
from sloproof.errors import UsageError
from sloproof.loadtests.arrivals import Arrivals, RateStage
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.user_stages import UserStage, stretches, users_at

SOAK = (
    UserStage(users=100, over="5m"),
    UserStage(users=100, over="20m"),
    UserStage(users=500, over="0s"),
    UserStage(users=500, over="1m"),
    UserStage(users=0, over="4m"),
)


def profile(**changes: Any) -> LoadProfile:
    fields = {"name": "capacity", "system": "tasks", "locustfile": "users/tasks.py", "users": 0, "duration": "30m"}
    return LoadProfile(**{**fields, **changes})


def test_users_ramp_stay_jump_and_leave() -> None:
    pieces = stretches(0, SOAK, timedelta(minutes=31))
    minutes = [users_at(pieces, 60 * minute) for minute in (0, 2.5, 5, 24.9, 25, 26, 28, 30, 31, 99)]
    assert minutes == [0, 50, 100, 100, 500, 500, 250, 0, 0, 0]


def test_the_plan_knows_the_most_users_and_all_stages() -> None:
    plan = LoadPlan.of(profile(stages=SOAK), target="http://127.0.0.1:1", thresholds=(), allowed=())
    assert plan.users == 500
    assert sum(piece.seconds for piece in plan.stages) == 1800


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "there is never a user"),
        ({"stages": SOAK, "duration": "29m"}, "the stages last 1800 s, the load 1740 s"),
        ({"stages": SOAK, "rate": 5}, "leave `rate`"),
        ({"stages": SOAK, "arrivals": Arrivals(rate=1)}, "leave `rate`"),
    ],
)
def test_stages_that_make_no_sense_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        profile(**wrong)


def test_a_shortened_profile_keeps_its_heights_and_says_so() -> None:
    short = profile(stages=SOAK, warm_up="5m").shortened(Decimal("0.1"))
    assert short.duration == timedelta(minutes=3)
    assert short.warm_up == timedelta(seconds=30)
    assert short.most_users == 500
    plan = LoadPlan.of(short, target="http://127.0.0.1:1", thresholds=(), allowed=())
    assert users_at(plan.stages, 150) == 500
    assert plan.result([], started_at=0, drained_from=0, ended_at=0).notes == ["run in 10 % of the profile's length"]
    open_one = profile(users=5, arrivals=Arrivals(rate=1, stages=(RateStage(rate=9, over="30m"),)))
    assert open_one.shortened(Decimal("0.5")).arrivals == Arrivals(rate=1, stages=(RateStage(rate=9, over="15m"),))


@pytest.mark.parametrize("share", ["0", "-1", "1.1"])
def test_a_share_that_is_none_is_refused(share: str) -> None:
    with pytest.raises(UsageError, match="no part of a length"):
        profile(users=1).shortened(Decimal(share))
