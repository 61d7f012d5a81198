"""Actions for Chaos Toolkit experiments: faults of one instance and of what watches it."""

from datetime import timedelta
from typing import Any

from sloproof.chaos.extension.injecting import action, inject_on_time
from sloproof.chaos.instance_faults import FailHealthCheck, PauseInstance, RestartLoop, StopInstance
from sloproof.chaos.monitoring_faults import LoseExporter, RestartPrometheus

__all__ = [
    "fail_health_check",
    "lose_exporter",
    "pause_instance",
    "restart_loop",
    "restart_prometheus",
    "stop_instance",
]


@action
def pause_instance(
    instance: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "pause-instance",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Stop one instance in its tracks with SIGSTOP.

    Args:
        instance: the instance's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        PauseInstance(instance, at=timedelta(seconds=at), lasts=timedelta(seconds=lasts)), fault, configuration
    )


@action
def stop_instance(
    instance: str,
    back_after: float,
    at: float = 0.0,
    fault: str = "stop-instance",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Ask one instance to end in good order, and start it again later.

    Args:
        instance: the instance's name in the lab.
        back_after: seconds that it stays away.
    """
    return inject_on_time(
        StopInstance(instance, at=timedelta(seconds=at), back_after=timedelta(seconds=back_after)), fault, configuration
    )


@action
def restart_loop(
    instance: str,
    every: float,
    lasts: float,
    at: float = 0.0,
    fault: str = "restart-loop",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Kill one instance again and again; its supervisor starts it each time.

    Args:
        instance: the instance's name in the lab.
        every: seconds between two kills.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        RestartLoop(instance, at=timedelta(seconds=at), every=timedelta(seconds=every), lasts=timedelta(seconds=lasts)),
        fault,
        configuration,
    )


@action
def fail_health_check(
    instance: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "fail-health-check",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let one instance fail its health check while it goes on serving.

    Args:
        instance: the instance's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        FailHealthCheck(instance, at=timedelta(seconds=at), lasts=timedelta(seconds=lasts)), fault, configuration
    )


@action
def lose_exporter(
    instance: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "lose-exporter",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let every scrape of one instance fail while it serves.

    Args:
        instance: the instance's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        LoseExporter(instance, at=timedelta(seconds=at), lasts=timedelta(seconds=lasts)), fault, configuration
    )


@action
def restart_prometheus(
    back_after: float,
    at: float = 0.0,
    fault: str = "restart-prometheus",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Stop Prometheus in good order, and start it again later.

    Args:
        back_after: seconds that it stays away.
    """
    return inject_on_time(
        RestartPrometheus(at=timedelta(seconds=at), back_after=timedelta(seconds=back_after)), fault, configuration
    )
