"""The cache of the `tasks` system: it spares the database reads, and nothing fails without it."""

import time
from collections.abc import Iterator

import pytest

from sloproof.chaos.dependency_protocol import accepts, redis_command
from sloproof.lab.state import LabState
from sloproof.supervisor import Supervisor
from tests.integration.lab_calls import call, log_in, many, wait_for

pytestmark = pytest.mark.integration


def looked_up(lab: LabState, result: str) -> float:
    """Look-ups of both instances with this result."""
    lines = [line for url in lab.instances.values() for line in call(url, "GET", "/metrics").body.decode().splitlines()]
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("cache_requests_total{") and f'result="{result}"' in line
    )


@pytest.fixture
def redis(lab: LabState) -> Iterator[str]:
    yield lab.dependencies["redis"]
    Supervisor(lab.supervisor_socket).start("redis")
    assert wait_for(lambda: accepts(lab.dependencies["redis"]), 20)
    time.sleep(1.2)  # an instance leaves a cache alone for a second after a failure


def test_a_second_read_comes_from_the_cache_whichever_instance_serves_it(lab: LabState, redis: str) -> None:
    token = log_in(lab, 11)
    first, second = lab.instances.values()
    made = call(first, "GET", "/tarefas", token=token)
    hits = looked_up(lab, "hit")
    found = call(second, "GET", "/tarefas", token=token)
    assert (made.status, found.status) == (200, 200)
    assert found.body == made.body
    assert looked_up(lab, "hit") - hits == 1


def test_a_write_is_seen_by_the_next_read(lab: LabState, redis: str) -> None:
    token = log_in(lab, 12)
    many(lab, 2, token)
    made = call(lab.balancer, "POST", "/tarefas", {"titulo": "nova"}, token)
    place = made.headers["location"]
    assert call(lab.balancer, "GET", place, token=token).json()["titulo"] == "nova"
    call(lab.balancer, "PUT", place, {"titulo": "outra", "concluida": True}, token)
    assert call(lab.balancer, "GET", place, token=token).json()["titulo"] == "outra"
    assert call(lab.balancer, "DELETE", place, token=token).status == 204
    assert call(lab.balancer, "GET", place, token=token).status == 404
    assert made.json()["id"] not in call(lab.balancer, "GET", "/tarefas", token=token).body.decode()


def test_nobody_reads_the_answers_of_another(lab: LabState, redis: str) -> None:
    first, second = log_in(lab, 13), log_in(lab, 14)
    place = call(lab.balancer, "POST", "/tarefas", {"titulo": "minha"}, first).headers["location"]
    assert call(lab.balancer, "GET", place, token=first).status == 200
    assert call(lab.balancer, "GET", place, token=second).status == 404


def test_an_answer_is_kept_for_a_few_seconds_only(lab: LabState, redis: str) -> None:
    token = log_in(lab, 15)
    redis_command(redis, "FLUSHALL")
    many(lab, 1, token)
    assert redis_command(redis, "DBSIZE") == "1"
    assert wait_for(lambda: redis_command(redis, "DBSIZE") == "0", 30)


def test_nothing_fails_without_the_cache(lab: LabState, redis: str) -> None:
    token = log_in(lab, 16)
    many(lab, 2, token)
    errors = looked_up(lab, "error")
    Supervisor(lab.supervisor_socket).stop("redis")
    assert {answer.status for answer in many(lab, 20, token)} == {200}
    assert looked_up(lab, "error") > errors
    made = call(lab.balancer, "POST", "/tarefas", {"titulo": "sem cache"}, token)
    assert made.status == 201
    assert call(lab.balancer, "GET", made.headers["location"], token=token).status == 200
