"""What a shape asks for from moment to moment, and whether its users came."""

from sloproof.loadtests.asked_users import AskedUsers
from sloproof.loadtests.generator import generator_health
from sloproof.loadtests.result import Second


def test_users_come_and_go_at_the_speed_that_was_asked_for() -> None:
    asked = AskedUsers()
    assert asked.at(5) == 0
    asked.change(10, users=100, spawn_rate=10)
    assert [asked.at(when) for when in (10, 12.5, 20, 60)] == [0, 25, 100, 100]
    asked.change(60, users=40, spawn_rate=20)
    assert [asked.at(when) for when in (61, 63, 70)] == [80, 40, 40]


def test_a_change_in_the_midst_of_one_goes_on_from_there() -> None:
    asked = AskedUsers()
    asked.change(0, users=100, spawn_rate=10)
    asked.change(5, users=0, spawn_rate=50)
    assert [asked.at(when) for when in (5, 5.5, 6)] == [50, 25, 0]


def seconds(*pairs: tuple[int, int]) -> list[Second]:
    return [Second(at=at, users=users, users_asked=asked) for at, (users, asked) in enumerate(pairs)]


def reasons(found: list[Second]) -> list[str]:
    return generator_health(found, users=1, asked_rate=None, drained_from=len(found) + 1).reasons


def test_a_shape_may_run_a_little_ahead_of_its_users() -> None:
    assert reasons(seconds(*((at, at + 3) for at in range(60)))) == []
    assert reasons(seconds(*((50, 0) for _ in range(10)), *((2, 50) for _ in range(3)), *((50, 50),) * 90)) == []


def test_a_shape_whose_users_never_came_was_not_run() -> None:
    (reason,) = reasons(seconds(*((40, 100) for _ in range(30))))
    assert reason == "ran 40 of the 100 users asked for at worst, too few in 30 of 30 seconds"
