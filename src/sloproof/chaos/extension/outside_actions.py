"""Actions for Chaos Toolkit experiments: processes and control endpoints of systems that are no lab."""

from datetime import timedelta
from typing import Any

from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.extension.injecting import action, inject_on_time
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess

__all__ = ["call_endpoint", "kill_process", "pause_process"]


@action
def pause_process(
    lasts: float,
    pidfile: str = "",
    pattern: str = "",
    at: float = 0.0,
    fault: str = "pause-process",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Stop one process of this user in its tracks with SIGSTOP.

    Args:
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        pidfile: absolute path of a file that holds the process's number; or
        pattern: regular expression that is found in the command line of one process only.
    """
    return inject_on_time(
        PauseProcess(
            at=timedelta(seconds=at), lasts=timedelta(seconds=lasts), pidfile=pidfile or None, pattern=pattern
        ),
        fault,
        configuration,
    )


@action
def kill_process(
    back_after: float,
    pidfile: str = "",
    pattern: str = "",
    at: float = 0.0,
    fault: str = "kill-process",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Kill one process of this user with SIGKILL; its own supervisor has to start another one.

    Args:
        back_after: seconds after which another one has to run.
        pidfile: absolute path of a file that holds the process's number; or
        pattern: regular expression that is found in the command line of one process only.
    """
    return inject_on_time(
        KillProcess(
            at=timedelta(seconds=at), back_after=timedelta(seconds=back_after), pidfile=pidfile or None, pattern=pattern
        ),
        fault,
        configuration,
    )


@action
def call_endpoint(
    name: str,
    inject: str,
    undo: str,
    sign: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "call-endpoint",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Begin a fault that a system offers by itself, by an HTTP call.

    Args:
        name: what it does.
        inject: the call that begins it, as JSON: `method`, `url`, `body`.
        undo: the call that ends it, as JSON.
        sign: what tells that it is there, as JSON: `url`, `status`.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        CallEndpoint(
            at=timedelta(seconds=at),
            lasts=timedelta(seconds=lasts),
            name=name,
            inject=Call.model_validate_json(inject),
            undo=Call.model_validate_json(undo),
            sign=Sign.model_validate_json(sign),
        ),
        fault,
        configuration,
    )
