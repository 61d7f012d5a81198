"""Actions for Chaos Toolkit experiments: CPU, memory and disk pressure."""

from datetime import timedelta
from typing import Any

from sloproof.chaos.extension.injecting import action, inject_on_time
from sloproof.chaos.pressure_faults import FillDisk, PressCPU, PressMemory

__all__ = ["fill_disk", "press_cpu", "press_memory"]


@action
def press_cpu(
    instance: str,
    lasts: float,
    processes: int = 1,
    at: float = 0.0,
    fault: str = "press-cpu",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let one instance share a single CPU with processes that never rest.

    Args:
        instance: the instance's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        processes: how many of them.
    """
    return inject_on_time(
        PressCPU(instance, at=timedelta(seconds=at), lasts=timedelta(seconds=lasts), processes=processes),
        fault,
        configuration,
    )


@action
def press_memory(
    instance: str,
    size: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "press-memory",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Take memory of the instance's machine and keep it in use.

    Args:
        instance: the instance's name in the lab.
        size: how much, such as `256MiB`.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        PressMemory(instance, at=timedelta(seconds=at), lasts=timedelta(seconds=lasts), size=size), fault, configuration
    )


@action
def fill_disk(
    instance: str,
    size: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "fill-disk",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Take room on the disk that an instance writes to.

    Args:
        instance: the instance's name in the lab.
        size: how much, such as `256MiB`.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    return inject_on_time(
        FillDisk(instance, at=timedelta(seconds=at), lasts=timedelta(seconds=lasts), size=size), fault, configuration
    )
