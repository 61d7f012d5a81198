"""How faults of systems that are no lab are prepared; importing this teaches `prepare` about them."""

import signal

from sloproof.chaos.control_endpoint import EndpointCalled, EndpointShows
from sloproof.chaos.foreign_process import ProcessKilled, ProcessReplaced, find
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.paused_process import ProcessContinued, ProcessPaused
from sloproof.chaos.preparation import prepare
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.process_signal import is_stopped, send
from sloproof.chaos.target import Target
from sloproof.errors import PartFailed, Refused
from sloproof.targets import check_target


@prepare.register
def _(fault: PauseProcess, target: Target, allowed: tuple[str, ...]) -> Prepared:
    process, wanted = find(fault.wanted), str(fault.wanted)
    if is_stopped(process.pid):
        raise Refused(f"process {process.pid} {wanted} is stopped already; nothing was sent")

    def apply() -> str:
        if not send(process, signal.SIGSTOP):
            raise PartFailed(f"process {process.pid} {wanted} ended before it could be stopped")
        return f"SIGSTOP sent to process {process.pid} {wanted}"

    return Prepared(ProcessContinued(process=process, name=fault.place), ProcessPaused(process=process), apply)


@prepare.register
def _(fault: KillProcess, target: Target, allowed: tuple[str, ...]) -> Prepared:
    process = find(fault.wanted)

    def apply() -> str:
        if not send(process, signal.SIGKILL):
            raise PartFailed(f"process {process.pid} {fault.wanted} ended before it could be killed")
        return f"SIGKILL sent to process {process.pid} {fault.wanted}"

    return Prepared(ProcessReplaced(wanted=fault.wanted, before=process), ProcessKilled(process=process), apply)


@prepare.register
def _(fault: CallEndpoint, target: Target, allowed: tuple[str, ...]) -> Prepared:
    for url in fault.addresses:
        check_target(url, allowed)
    there, told = fault.sign.shown(allowed)
    if there:
        raise Refused(f"the fault is there already: {told}; nothing was injected")

    def apply() -> str:
        return f"`{fault.inject.method} {fault.inject.url}` was answered with {fault.inject.send(allowed)}"

    undo = EndpointCalled(undo=fault.undo, sign=fault.sign, allowed=allowed)
    return Prepared(undo, EndpointShows(sign=fault.sign, allowed=allowed), apply)
