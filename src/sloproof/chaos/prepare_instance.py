"""How faults of one instance and of what watches it are prepared; importing this teaches `prepare` about them."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sloproof.chaos.faults import Fault
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.instance_flag import AnswersApart, FlagBack
from sloproof.chaos.lost_instance import InstanceLost, InstanceRunning
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus
from sloproof.chaos.paused_process import ProcessContinued, ProcessPaused
from sloproof.chaos.preparation import HEALTH_PATH, prepare
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.process_identity import ProcessIdentity, identify
from sloproof.chaos.process_signal import send
from sloproof.chaos.restart_delay import read_delay, write_delay
from sloproof.chaos.restarts import InstanceRestarted, ProgramDown, ProgramRunning
from sloproof.chaos.target import Target
from sloproof.chaos.undo_step import WorkerThen
from sloproof.chaos.work import KillAgain
from sloproof.chaos.worker_process import WorkerEnded, new_worker_file, start_worker
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

UNHEALTHY, NO_METRICS = "unhealthy", "no-metrics"
_METRICS_PATH = "/metrics"
_PROMETHEUS = "prometheus"
_WORKER_MARGIN = 2.0


@dataclass(frozen=True)
class WellInstance:
    """An instance that runs and answers before the fault.

    Args:
        name: its name.
        url: its base URL.
        pid: its process.
        supervisor: the supervisord that keeps it.
    """

    name: str
    url: str
    pid: int
    supervisor: Supervisor

    @property
    def health(self) -> str:
        """Its health URL."""
        return self.url + HEALTH_PATH

    @property
    def process(self) -> ProcessIdentity:
        """Its process, and not whichever has its number later."""
        return identify(self.pid)


def well_instance(fault: Fault, instance: str, target: Target, allowed: tuple[str, ...]) -> WellInstance:
    """Find an instance that is to be broken.

    Args:
        fault: the fault.
        instance: the instance's name.
        target: the running system.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        PartFailed: it is not there or not well, or the system does not have what the fault needs.
    """
    target.require(fault.required)
    url, supervisor = target.instance(instance), Supervisor(target.supervisor_socket)
    pid = supervisor.pid(instance)
    if pid is None or not healthy(url + HEALTH_PATH, allowed=allowed):
        raise PartFailed(f"the instance `{instance}` is not well before the fault; nothing was injected")
    return WellInstance(instance, url, pid, supervisor)


def work_until(length: timedelta) -> float:
    """When a worker that begins now ends by itself, epoch seconds."""
    return time.time() + length.total_seconds() + _WORKER_MARGIN


@prepare.register
def _(fault: PauseInstance, target: Target, allowed: tuple[str, ...]) -> Prepared:
    found = well_instance(fault, fault.instance, target, allowed)
    process = found.process

    def apply() -> str:
        if not send(process, signal.SIGSTOP):
            raise PartFailed(f"the instance `{fault.instance}` ended before it could be stopped")
        return f"SIGSTOP sent to process {process.pid} of `{fault.instance}`"

    undo = ProcessContinued(
        process=process,
        name=fault.instance,
        health=found.health,
        envoy_admin=target.envoy_admin,
        holder=str(target.supervisor_socket),
        allowed=allowed,
    )
    effect = ProcessPaused(process=process, health=found.health, envoy_admin=target.envoy_admin, allowed=allowed)
    return Prepared(undo, effect, apply)


@prepare.register
def _(fault: StopInstance, target: Target, allowed: tuple[str, ...]) -> Prepared:
    found = well_instance(fault, fault.instance, target, allowed)

    def apply() -> str:
        found.supervisor.stop(fault.instance, wait=False)
        return f"process {found.pid} of `{fault.instance}` was asked to end"

    effect = InstanceLost(
        supervisor_socket=target.supervisor_socket,
        name=fault.instance,
        pid=found.pid,
        health=found.health,
        envoy_admin=target.envoy_admin,
        allowed=allowed,
    )
    return Prepared(_running(found, target, allowed), effect, apply)


@prepare.register
def _(fault: RestartLoop, target: Target, allowed: tuple[str, ...]) -> Prepared:
    found, file = well_instance(fault, fault.instance, target, allowed), new_worker_file()

    def apply() -> str:
        order = KillAgain(
            until=time.time() + fault.lasts.total_seconds(),
            supervisor_socket=target.supervisor_socket,
            name=fault.instance,
            every=fault.every.total_seconds(),
        )
        return f"process {start_worker(file, order)} kills `{fault.instance}` over and over"

    worker = WorkerEnded(file=file, holder=str(target.supervisor_socket))
    effect = InstanceRestarted(
        worker=file, supervisor_socket=target.supervisor_socket, name=fault.instance, pid=found.pid
    )
    return Prepared(WorkerThen(worker=worker, then=_running(found, target, allowed)), effect, apply)


@prepare.register
def _(fault: FailHealthCheck, target: Target, allowed: tuple[str, ...]) -> Prepared:
    found = well_instance(fault, fault.instance, target, allowed)
    flag = target.flag(UNHEALTHY, fault.instance)
    pages = found.health, found.url + _METRICS_PATH
    undo = FlagBack(
        file=flag,
        previous=read_delay(flag),
        name=fault.instance,
        page=found.health,
        holder=str(target.supervisor_socket),
        envoy_admin=target.envoy_admin,
        allowed=allowed,
    )
    effect = AnswersApart(failing=pages[0], serving=pages[1], envoy_admin=target.envoy_admin, allowed=allowed)
    return Prepared(undo, effect, _raising(undo))


@prepare.register
def _(fault: LoseExporter, target: Target, allowed: tuple[str, ...]) -> Prepared:
    found = well_instance(fault, fault.instance, target, allowed)
    flag, metrics = target.flag(NO_METRICS, fault.instance), found.url + _METRICS_PATH
    undo = FlagBack(
        file=flag,
        previous=read_delay(flag),
        name=fault.instance,
        page=metrics,
        holder=str(target.supervisor_socket),
        allowed=allowed,
    )
    effect = AnswersApart(failing=metrics, serving=found.health, prometheus=target.prometheus, allowed=allowed)
    return Prepared(undo, effect, _raising(undo))


@prepare.register
def _(fault: RestartPrometheus, target: Target, allowed: tuple[str, ...]) -> Prepared:
    target.require(fault.required)
    supervisor, ready = Supervisor(target.supervisor_socket), f"{target.prometheus}/-/ready"
    pid = supervisor.pid(_PROMETHEUS)
    if pid is None or not healthy(ready, allowed=allowed):
        raise PartFailed(f"Prometheus at `{target.prometheus}` is not ready before the fault; nothing was injected")

    def apply() -> str:
        supervisor.stop(_PROMETHEUS, wait=False)
        return f"process {pid} of Prometheus was asked to end"

    program = {"supervisor_socket": target.supervisor_socket, "name": _PROMETHEUS, "ready": ready, "allowed": allowed}
    return Prepared(ProgramRunning(**program), ProgramDown(**program, pid=pid), apply)


def _running(found: WellInstance, target: Target, allowed: tuple[str, ...]) -> InstanceRunning:
    delay_file = target.restart_delay_folder / found.name
    return InstanceRunning(
        supervisor_socket=target.supervisor_socket,
        name=found.name,
        health=found.health,
        restart_delay_file=delay_file,
        previous=read_delay(delay_file),
        envoy_admin=target.envoy_admin,
        allowed=allowed,
    )


def _raising(undo: FlagBack) -> Callable[[], str]:
    def apply() -> str:
        write_delay(undo.file, "a fault")
        return f"the flag `{undo.file}` is there"

    return apply
