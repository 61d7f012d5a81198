"""What each kind of fault may say, what it becomes, and what is refused before anything runs."""

import inspect
import json
from datetime import timedelta
from importlib import import_module
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

import sloproof
from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import AbortRequests, DelayRequests, Fault, KillInstance
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.kubernetes import KillPods, kubernetes_json
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory
from sloproof.chaos.toolkit_json import experiment_document
from sloproof.loadtests.profile import LoadProfile

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="30s")
SAMPLES: tuple[Fault, ...] = (
    PauseInstance("a1", at="1s", lasts="5s"),
    StopInstance("a1", at="1s", back_after="5s"),
    RestartLoop("a1", at="1s", every="2s", lasts="10s"),
    FailHealthCheck("a1", at="1s", lasts="5s"),
    LoseExporter("a1", at="1s", lasts="5s"),
    RestartPrometheus(at="1s", back_after="5s"),
    PressCPU("a1", at="1s", lasts="5s"),
    PressMemory("a1", at="1s", size="64MiB", lasts="5s"),
    FillDisk("a1", at="1s", size="1GiB", lasts="5s"),
    DelayRequests("80ms", jitter="20ms", percent="12.5", route="login", at="1s", lasts="5s"),
    AbortRequests(503, percent="1", route="login", envoy="http://127.0.0.1:9901", at="1s", lasts="5s"),
    PauseProcess(pattern="[s]hop-worker", at="1s", lasts="5s"),
    KillProcess(pidfile="/run/shop.pid", at="1s", back_after="5s"),
    CallEndpoint(
        name="turn the consumer off",
        inject=Call(url="http://127.0.0.1:8080/off", body='{"on": false}'),
        undo=Call(method="DELETE", url="http://127.0.0.1:8080/off"),
        sign=Sign(url="http://127.0.0.1:8080/consumer", status=503),
        at="1s",
        lasts="5s",
    ),
)
IDS = [fault.describe()[:40] for fault in SAMPLES]


@pytest.mark.parametrize("fault", SAMPLES, ids=IDS)
def test_a_fault_states_what_it_touches_and_can_be_injected_by_the_chaos_toolkit(fault: Fault) -> None:
    assert fault.blast_radius
    assert not fault.describe().endswith(".")
    action = getattr(import_module(fault.actions), fault.action)
    given: dict[str, Any] = {**fault.arguments(), "at": 1.0, "fault": "1-fault", "configuration": {}}
    inspect.signature(action).bind(**given)
    experiment = Experiment(name="one", system="tasks", load=LOAD, faults=[fault], expect=[Balanced()])
    first = experiment_document(experiment)["method"][0]
    assert (first["provider"]["module"], first["provider"]["func"]) == (fault.actions, fault.action)
    assert json.loads(json.dumps(first)) == first


@pytest.mark.parametrize("fault", SAMPLES, ids=IDS)
def test_what_the_chaos_toolkit_passes_is_the_fault_that_was_defined(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, made = import_module(fault.actions), list[Fault]()
    monkeypatch.setattr(module, "inject_on_time", lambda broken, *_: made.append(broken))
    getattr(module, fault.action)(**json.loads(json.dumps(fault.arguments())), at=1.0)
    assert made == [fault]


@pytest.mark.parametrize("fault", SAMPLES, ids=IDS)
def test_a_fault_survives_json(fault: Fault) -> None:
    assert TypeAdapter(AnyFault).validate_json(fault.model_dump_json()) == fault


def test_every_fault_is_a_public_name() -> None:
    kinds = get_args(get_args(AnyFault)[0])
    assert {kind.__name__ for kind in kinds} <= set(sloproof.__all__)
    assert {type(sample) for sample in SAMPLES} | {KillInstance} <= set(kinds)
    assert {"discover", "PauseInstance"} <= set(dir(sloproof))


def test_the_chaos_toolkit_is_told_every_argument_of_every_activity_once() -> None:
    activities = sloproof.discover()["activities"]
    assert len(activities) > 25
    for one in activities:
        arguments = [line.strip().partition(":")[0] for line in one["doc"].splitlines() if line.startswith("    ")]
        named = [argument["name"] for argument in one["arguments"]]
        assert sorted(name for name in arguments if name.isidentifier()) == sorted(named), one["name"]
        assert one["type"] == "probe" or "Returns:" in one["doc"], one["name"]


@pytest.mark.parametrize(
    ("fault", "fields", "told"),
    [
        (RestartLoop, {"instance": "a1", "every": "1s", "lasts": "5s"}, "leaves no time to start"),
        (DelayRequests, {"delay": "5ms", "jitter": "5ms", "percent": "1", "lasts": "5s"}, "shorter than the delay"),
        (AbortRequests, {"status": 503, "percent": "1", "lasts": "5s", "envoy": "localhost"}, "no admin port"),
        (AbortRequests, {"status": 503, "percent": "1", "lasts": "5s", "route": "Login!"}, "pattern"),
        (PressMemory, {"instance": "a1", "size": "64 MB", "lasts": "5s"}, "is not a size"),
        (PressMemory, {"instance": "a1", "size": 0, "lasts": "5s"}, "greater than or equal to 4096"),
        (PressCPU, {"instance": "a1", "processes": 17, "lasts": "5s"}, "less than or equal to 16"),
        (PauseProcess, {"lasts": "5s"}, "by its `pidfile` or by a `pattern`"),
        (PauseProcess, {"pattern": "x", "pidfile": "/run/x", "lasts": "5s"}, "not by both"),
        (PauseProcess, {"pattern": "(", "lasts": "5s"}, "no regular expression"),
        (PauseProcess, {"pidfile": "x.pid", "lasts": "5s"}, "absolute path"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_defined(fault: type[Fault], fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        fault(at="0s", **fields)


def test_a_fault_on_one_route_does_not_hold_the_others() -> None:
    def aborts(*routes: str) -> list[AbortRequests]:
        return [AbortRequests(503, percent="1", route=route, at="0s", lasts="5s") for route in routes]

    Experiment(name="one", system="tasks", load=LOAD, faults=aborts("login", "tarefas", ""), expect=[Balanced()])
    with pytest.raises(ValidationError, match="route login at once"):
        Experiment(name="one", system="tasks", load=LOAD, faults=aborts("login", "login"), expect=[Balanced()])


def test_a_fault_on_one_route_spoils_a_share_that_nobody_knows() -> None:
    assert AbortRequests(503, percent="1", route="login", at="0s", lasts="5s").bad_ratio is None


def test_pods_become_an_experiment_of_the_kubernetes_extension() -> None:
    made = KillPods(
        name="lose-a-pod",
        namespace="shop",
        deployment="api",
        label_selector="app=api",
        count=2,
        recovers_within=timedelta(seconds=90),
    )
    document = json.loads(kubernetes_json(made))
    (end,) = document["method"]
    assert (end["provider"]["module"], end["provider"]["func"]) == ("chaosk8s.pod.actions", "terminate_pods")
    assert end["provider"]["arguments"]["qty"] == 2
    (probe,) = document["steady-state-hypothesis"]["probes"]
    assert probe["provider"]["arguments"] == {"name": "api", "ns": "shop", "timeout": 90}
    assert probe["tolerance"] is True
    with pytest.raises(ValidationError, match="namespace"):
        KillPods(name="x", namespace="Shop!", deployment="api", label_selector="app=api")
