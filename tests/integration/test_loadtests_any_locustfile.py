"""Locustfiles as people publish them run as they are, shapes and all, and are recorded to the request."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sloproof.errors import DefinitionError, Refused, UsageError
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.locust_process import GivenLocustfile, LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult
from tests.integration.locust_target import LocustTarget

pytestmark = pytest.mark.integration

SHOP = """
import time
from locust import FastHttpUser, HttpUser, SequentialTaskSet, between, constant, events, tag, task

started = []

@events.test_start.add_listener
def on_test_start(environment, **_):
    started.append(environment.runner is not None)

class Buying(SequentialTaskSet):
    @task
    def look(self):
        self.client.get("/products?page=1", name="/products")

    @task
    def buy(self):
        with self.client.post("/orders", json={"id": 7}, catch_response=True) as answer:
            if "orders" not in answer.text:
                answer.failure("no order")
        self.interrupt()

class Customer(HttpUser):
    weight = 2
    wait_time = between(0.05, 0.15)
    tasks = [Buying]

    def on_start(self):
        self.client.post("/login", json={"email": "c@example.test"})

class Visitor(FastHttpUser):
    weight = 1
    wait_time = constant(0.1)

    @tag("read")
    @task(3)
    def read(self):
        self.client.get("/pages")

    @task
    def refused(self):
        with self.client.get("/missing", catch_response=True) as answer:
            answer.failure("it is not what we wanted")
"""
STEPS = '''
from locust import LoadTestShape

class StepLoad(LoadTestShape):
    """So many more users every two seconds, as in Locust's own examples."""
    step_time, step_load, spawn_rate, time_limit = 2, 3, 10, 7

    def tick(self):
        run_time = self.get_run_time()
        if run_time > self.time_limit:
            return None
        return ((int(run_time / self.step_time) + 1) * self.step_load, self.spawn_rate)
'''
SPIKE = """
from locust import LoadTestShape

class Spike(LoadTestShape):
    stages = [{"at": 3, "users": 2}, {"at": 6, "users": 14}, {"at": 9, "users": 2}]

    def tick(self):
        for stage in self.stages:
            if self.get_run_time() < stage["at"]:
                return stage["users"], 20, [Visitor]
        return None
"""
WAVES = '''
import math
from locust import LoadTestShape

class DoubleWave(LoadTestShape):
    """Two peaks, as at midday and in the evening."""
    low, peak, last, time_limit = 4, 12, 8, 12

    def tick(self):
        now, third = self.get_run_time(), self.time_limit / 3
        if now >= self.time_limit:
            return None
        first = (self.peak - self.low) * math.e ** -(((now / (third / 1.5)) - 2) ** 2)
        second = (self.last - self.low) * math.e ** -(((now / (third / 1.5)) - 5) ** 2)
        return round(first + second + self.low), 10
'''


@pytest.fixture
def target() -> Iterator[LocustTarget]:
    server = LocustTarget()
    yield server
    server.end()


def start(
    folder: Path,
    text: str,
    target: str,
    longest: float = 60,
    distribution: Distribution | None = None,
    **changes: Any,
) -> LoadProcess:
    (folder / "elsewhere").mkdir()
    path = folder / "elsewhere" / "my_load.py"
    path.write_text(text)
    fields = {"name": "given", "system": "given", "locustfile": "my_load.py", "users": 6, "duration": "4s", **changes}
    return LoadProcess.start(
        LoadProfile(**fields),
        workspace=folder,
        target=target,
        run_folder=folder / "run",
        thresholds=(),
        distribution=distribution,
        given=GivenLocustfile(path, folder, timedelta(seconds=longest)),
    )


def run(folder: Path, text: str, target: str, **changes: Any) -> LoadResult:
    with start(folder, text, target, **changes) as load:
        return load.wait(120)


def test_users_of_several_kinds_run_as_written(tmp_path: Path, target: LocustTarget) -> None:
    result = run(tmp_path, SHOP, target.url)
    asked = target.asked
    assert {name: totals.completed for name, totals in result.by_name.items()} == asked
    assert asked["POST /login"] == 4
    assert abs(asked["GET /products"] - asked["POST /orders"]) <= 4
    assert asked["GET /pages"] > asked["GET /missing"] > 0
    assert result.errors == {"other": asked["GET /missing"]}
    assert result.exceptions == {} and not result.partial


@pytest.mark.parametrize(("shape", "most", "least_seconds"), [(STEPS, 12, 6), (SPIKE, 14, 8), (WAVES, 12, 11)])
def test_a_shape_decides_how_many_users_run_and_for_how_long(
    tmp_path: Path, target: LocustTarget, shape: str, most: int, least_seconds: float
) -> None:
    result = run(tmp_path, SHOP + shape, target.url, users=1, duration="1s")
    users = [second.users for second in result.seconds]
    assert most == result.users == max(users)
    assert least_seconds < result.drained_from - result.started_at < 40
    assert not result.partial
    assert any("decided how many users ran" in note for note in result.notes)
    assert [second.users_asked for second in result.seconds if second.users_asked is None] == []
    assert not any("users" in reason for reason in result.generator.reasons)
    assert {name: totals.completed for name, totals in result.by_name.items()} == target.asked


def test_a_shape_may_choose_the_kind_of_user(tmp_path: Path, target: LocustTarget) -> None:
    result = run(tmp_path, SHOP + SPIKE, target.url)
    assert result.by_name.keys() == {"GET /pages", "GET /missing"}


def test_a_shape_that_never_ends_is_ended_at_its_longest_time(tmp_path: Path, target: LocustTarget) -> None:
    endless = SHOP + "\nfrom locust import LoadTestShape\n\nclass Endless(LoadTestShape):\n    def tick(self):\n"
    result = run(tmp_path, endless + "        return 3, 3\n", target.url, longest=4)
    assert result.drained_from - result.started_at == pytest.approx(4, abs=2)
    assert result.users == 3 and not result.partial


def test_users_that_a_shape_asked_for_and_that_never_came_are_told(tmp_path: Path, target: LocustTarget) -> None:
    leaving = """
from locust import FastHttpUser, LoadTestShape, constant, task

class Leaver(FastHttpUser):
    wait_time = constant(0.2)

    @task
    def once(self):
        self.client.get("/pages")
        self.stop()

class Flat(LoadTestShape):
    def tick(self):
        return (20, 50) if self.get_run_time() < 9 else None
"""
    result = run(tmp_path, leaving, target.url)
    assert result.generator.saturated
    assert any("users asked for at worst" in reason for reason in result.generator.reasons)


def test_a_shape_that_raises_leaves_a_partial_result_that_says_so(tmp_path: Path, target: LocustTarget) -> None:
    raising = SHOP + (
        "\nfrom locust import LoadTestShape\n\nclass Broken(LoadTestShape):\n    def tick(self):\n"
        "        return (3, 3) if self.get_run_time() < 3 else 1 / 0\n"
    )
    result = run(tmp_path, raising, target.url)
    assert result.partial
    assert any("`Broken` raised ZeroDivisionError" in note for note in result.notes)


def test_the_host_of_the_users_is_the_target_where_none_is_given(tmp_path: Path, target: LocustTarget) -> None:
    own = SHOP.replace("weight = 2", f'host = "{target.url}"\n    weight = 2')
    own = own.replace("weight = 1", f'host = "{target.url}"\n    weight = 1')
    result = run(tmp_path, own, "", duration="2s")
    assert result.target == target.url
    assert result.completed == sum(target.asked.values()) > 0


def test_a_host_that_is_not_listed_is_refused_and_nothing_is_sent(tmp_path: Path, target: LocustTarget) -> None:
    own = SHOP.replace("weight = 2", 'host = "http://0.0.0.0:8080"\n    weight = 2')
    own = own.replace("weight = 1", f'host = "{target.url}"\n    weight = 1')
    load = start(tmp_path, own, "")
    with pytest.raises(Refused, match=r"`0\.0\.0\.0:8080` is not a listed target"):
        load.wait(60)
    assert target.asked == {}


def test_users_without_a_host_need_a_target(tmp_path: Path) -> None:
    load = start(tmp_path, SHOP, "")
    with pytest.raises(UsageError, match="without a `host`") as failure:
        load.wait(60)
    assert "--target" in failure.value.hint


@pytest.mark.parametrize(
    ("text", "line", "check", "what"),
    [
        ("import locust\nimport no_such_module\n", 2, "definition/import", "no_such_module"),
        ("from locust import HttpUser\n\nclass A(HttpUser)\n", 3, "definition/syntax", "expected ':'"),
        ("import locust\n\n\n1 / 0\n", 4, "definition/raised", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_locustfile_that_does_not_load_is_told_with_its_line(
    tmp_path: Path, target: LocustTarget, text: str, line: int, check: str, what: str
) -> None:
    load = start(tmp_path, text, target.url)
    with pytest.raises(DefinitionError) as failure:
        load.wait(60)
    (problem,) = failure.value.problems
    assert (problem.path, problem.line, problem.check) == ("elsewhere/my_load.py", line, check)
    assert what in problem.what
    assert target.asked == {}


def test_a_profile_that_says_how_many_users_run_leaves_the_shape_out(tmp_path: Path, target: LocustTarget) -> None:
    result = run(tmp_path, SHOP + STEPS, target.url, arrivals={"rate": 20}, users=30, duration="3s")
    assert any("`StepLoad` was left out" in note for note in result.notes)
    assert result.asked_rate == 20 and not result.partial


def test_a_shape_decides_for_several_processes_together(tmp_path: Path, target: LocustTarget) -> None:
    with start(tmp_path, SHOP + STEPS, target.url, distribution=Distribution.here(2)) as load:
        result = load.wait(120)
    assert result.users == 12 == max(second.users for second in result.seconds)
    assert not result.partial
    assert {name: totals.completed for name, totals in result.by_name.items()} == target.asked


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("locust.conf", "exclude-tags = read\nrun-time = 1s\nheadful = true\n"),
        ("pyproject.toml", '[tool.locust]\nexclude-tags = "read"\nheadful = true\n'),
    ],
)
def test_locusts_own_configuration_changes_nothing_of_the_load(
    tmp_path: Path, target: LocustTarget, name: str, text: str, processes: int
) -> None:
    (tmp_path / name).write_text(text)
    with start(tmp_path, SHOP, target.url, distribution=Distribution.here(processes)) as load:
        result = load.wait(120)
    assert not result.partial
    assert target.asked["GET /pages"] > 0
    assert f"`{name}` was left out: the load is what its profile says" in result.notes
