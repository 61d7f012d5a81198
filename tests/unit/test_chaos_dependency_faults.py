"""Faults of dependencies and of the network as definitions, and the few words that they speak with Redis."""

import socket
import threading
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.dependency_protocol import accepts, redis_command
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool
from sloproof.chaos.toolkit_json import experiment_document
from sloproof.errors import PartFailed, Refused
from sloproof.loadtests.profile import LoadProfile

WHEN: dict[str, Any] = {"at": "1s", "lasts": "5s"}
STEADY = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=2, duration="30s")
SENTENCES = {
    SlowDependency("postgres", delay="700ms", **WHEN): (
        "let each answer between every instance and `postgres` come 700ms late for 5s"
    ),
    LimitBandwidth("redis", instance="a1", bytes_per_second=900, **WHEN): (
        "let 900 bytes a second through each connection between `a1` and `redis` for 5s"
    ),
    ResetConnections("postgres", percent="12.5", **WHEN): (
        "reset 12.5 % of the connections between every instance and `postgres` for 5s"
    ),
    Blackhole("postgres", **WHEN): "pass nothing on between every instance and `postgres` for 5s",
    Partition("a1", dependency="postgres", **WHEN): (
        "cut `a1` off from `postgres`, which the others still reach, for 5s"
    ),
    LoseDependency("postgres", **WHEN): "stop `postgres` and start it again after 5s",
    RestartDependency("postgres", at="1s", back_after="5s"): (
        "restart `postgres` in good order; it comes back by itself after 5s"
    ),
    FlushCache("redis", at="1s"): "let the cache `redis` lose everything that it holds",
    ExhaustPool(leave=2, **WHEN): "hold all connections of the database but 2 for 5s",
    ContendLocks("tarefas", **WHEN): "hold the table `tarefas` locked (`access exclusive`) for 5s",
}


def experiment(*faults: AnyFault) -> Experiment:
    return Experiment(name="one", system="tasks", load=STEADY, faults=faults, expect=[Balanced()])


@pytest.mark.parametrize(("fault", "sentence"), SENTENCES.items(), ids=lambda part: getattr(part, "kind", ""))
def test_a_fault_says_in_a_sentence_what_happens_and_is_read_back(fault: AnyFault, sentence: str) -> None:
    assert fault.describe() == sentence
    adapter: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
    assert adapter.validate_json(adapter.dump_json(fault)) == fault


@pytest.mark.parametrize("fault", SENTENCES, ids=lambda fault: fault.kind)
def test_its_action_takes_the_arguments_that_it_is_given_and_makes_the_same_fault(
    fault: AnyFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sloproof.chaos.extension import dependency_actions

    made: list[AnyFault] = []
    monkeypatch.setattr(dependency_actions, "inject_on_time", lambda broken, name, configuration: made.append(broken))
    inject = next(
        activity for activity in experiment_document(experiment(fault))["method"] if activity["name"].startswith("inj")
    )
    assert inject["provider"]["module"] == dependency_actions.__name__
    getattr(dependency_actions, inject["provider"]["func"])(**inject["provider"]["arguments"])
    assert made == [fault]
    assert inject["provider"]["func"] in dependency_actions.__all__
    assert fault.blast_radius


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Blackhole("postgres", **WHEN), Partition("a1", dependency="postgres", **WHEN)),
        (SlowDependency("postgres", delay="1s", **WHEN), SlowDependency("postgres", delay="2s", instance="a1", **WHEN)),
        (LoseDependency("redis", **WHEN), FlushCache("redis", at="2s")),
        (ExhaustPool(leave=1, **WHEN), ExhaustPool(leave=2, **WHEN)),
    ],
)
def test_two_that_would_undo_each_other_are_refused(first: AnyFault, second: AnyFault) -> None:
    with pytest.raises(ValidationError, match="two faults hold the"):
        experiment(first, second)


def test_different_faults_may_meet_on_one_link() -> None:
    experiment(SlowDependency("postgres", delay="1s", **WHEN), LimitBandwidth("postgres", bytes_per_second=9, **WHEN))
    experiment(Blackhole("postgres", **WHEN), Blackhole("redis", **WHEN))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "slow-dependency", "dependency": "postgres", "delay": "2m", **WHEN},
        {"kind": "limit-bandwidth", "dependency": "postgres", "bytes_per_second": 0, **WHEN},
        {"kind": "reset-connections", "dependency": "postgres", "percent": "0", **WHEN},
        {"kind": "exhaust-pool", "leave": -1, **WHEN},
        {"kind": "contend-locks", "table": "tarefas; drop table usuarios", **WHEN},
        {"kind": "contend-locks", "table": "tarefas", "mode": "share", **WHEN},
        {"kind": "lose-dependency", "dependency": "Postgres!", **WHEN},
    ],
    ids=lambda wrong: wrong["kind"],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyFault).validate_python(wrong)


@pytest.mark.parametrize(
    ("said", "understood"), [(b"+PONG\r\n", "PONG"), (b":17\r\n", "17"), (b"$4\r\nab\r\n\r\n", "ab\r\n")]
)
def test_an_answer_of_redis_is_read_whole(said: bytes, understood: str) -> None:
    assert redis_command(saying(said), "PING") == understood


def test_an_error_of_redis_is_told() -> None:
    with pytest.raises(PartFailed, match="refused `FLUSHALL`: NOPERM not you"):
        redis_command(saying(b"-NOPERM not you\r\n"), "FLUSHALL")


@pytest.mark.parametrize(("said", "works"), [(b"R", True), (b"E", False), (b"", False)])
def test_a_postgresql_that_asks_for_a_password_accepts_work(said: bytes, works: bool) -> None:
    assert accepts(saying(said).replace("redis", "postgresql") + "/tasks") is works


@pytest.mark.parametrize("url", ["redis://203.0.113.7:6379", "postgresql://203.0.113.7:5432/tasks"])
def test_a_dependency_that_is_not_listed_is_not_asked(url: str) -> None:
    with pytest.raises(Refused):
        accepts(url)


def test_an_unknown_protocol_is_told() -> None:
    with pytest.raises(PartFailed, match="no way to ask"):
        accepts("mongodb://127.0.0.1:1")


def saying(answer: bytes) -> str:
    """The URL of a server that answers the first words that it hears so, and closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"redis://127.0.0.1:{server.getsockname()[1]}"
