"""Load profiles refuse what cannot be."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof import LoadProfile
from sloproof.loadtests.plan import LoadPlan


def profile(**changes: Any) -> LoadProfile:
    values = {"name": "steady", "system": "tasks", "locustfile": "users/tasks.py", "users": 40, "duration": "30s"}
    return LoadProfile(**{**values, **changes})


def test_the_pace_makes_the_rate() -> None:
    assert profile(rate=40).pace == 1
    assert profile(users=50, rate="150").pace == pytest.approx(1 / 3)
    assert profile().pace is None


def test_all_users_start_within_a_second_unless_told_otherwise() -> None:
    assert profile().spawned_per_second == 40
    assert profile(spawn_rate=0.5).spawned_per_second == 0.5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("users", 0),
        ("users", 1_000_001),
        ("rate", 0),
        ("rate", -1),
        ("spawn_rate", 0),
        ("duration", "0s"),
        ("duration", "soon"),
        ("warm_up", "30s"),
        ("request_timeout", "0s"),
        ("drain", "0s"),
        ("locustfile", "/etc/users.py"),
        ("locustfile", "../users.py"),
        ("locustfile", "users/tasks.txt"),
        ("name", "Steady!"),
        ("unknown", 1),
    ],
)
def test_the_impossible_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        profile(**{field: value})


def test_a_plan_survives_its_json() -> None:
    plan = LoadPlan.of(
        profile(rate="33.3", warm_up="1500ms"),
        target="http://127.0.0.1:80/",
        thresholds=[Decimal("0.5"), Decimal("0.25"), Decimal("0.5")],
        allowed=["example.test"],
    )
    assert LoadPlan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.target == "http://127.0.0.1:80"
    assert plan.thresholds == [Decimal("0.25"), Decimal("0.5")]
    assert (plan.duration, plan.warm_up, plan.asked_rate) == (30.0, 1.5, 33.3)
