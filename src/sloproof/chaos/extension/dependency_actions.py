"""Actions for Chaos Toolkit experiments that break dependencies and the way to them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from sloproof.chaos.dependency_faults import FlushCache, LoseDependency, RestartDependency
from sloproof.chaos.extension.injecting import action, inject_on_time
from sloproof.chaos.network_faults import Blackhole, LimitBandwidth, Partition, ResetConnections, SlowDependency
from sloproof.chaos.strain_faults import ContendLocks, ExhaustPool

__all__ = [
    "blackhole",
    "contend_locks",
    "exhaust_pool",
    "flush_cache",
    "limit_bandwidth",
    "lose_dependency",
    "partition",
    "reset_connections",
    "restart_dependency",
    "slow_dependency",
]


@action
def slow_dependency(
    dependency: str,
    milliseconds: float,
    lasts: float,
    instance: str | None = None,
    at: float = 0.0,
    fault: str = "slow-dependency",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let every answer of a dependency come late.

    Args:
        dependency: the dependency's name in the lab.
        milliseconds: how much later.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        instance: the one instance whose link it is; none for all.
    """
    broken = SlowDependency(
        dependency,
        instance=instance,
        delay=timedelta(milliseconds=milliseconds),
        lasts=timedelta(seconds=lasts),
        at=timedelta(seconds=at),
    )
    return inject_on_time(broken, fault, configuration)


@action
def limit_bandwidth(
    dependency: str,
    bytes_per_second: int,
    lasts: float,
    instance: str | None = None,
    at: float = 0.0,
    fault: str = "limit-bandwidth",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let little through between instances and a dependency.

    Args:
        dependency: the dependency's name in the lab.
        bytes_per_second: how much, in each direction of each connection.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        instance: the one instance whose link it is; none for all.
    """
    broken = LimitBandwidth(
        dependency,
        instance=instance,
        bytes_per_second=bytes_per_second,
        lasts=timedelta(seconds=lasts),
        at=timedelta(seconds=at),
    )
    return inject_on_time(broken, fault, configuration)


@action
def reset_connections(
    dependency: str,
    lasts: float,
    percent: str = "100",
    instance: str | None = None,
    at: float = 0.0,
    fault: str = "reset-connections",
    configuration: dict[str, Any] | None = None,
) -> str:
    """End connections between instances and a dependency with RST, open ones and new ones.

    Args:
        dependency: the dependency's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        percent: how many of the connections, per cent.
        instance: the one instance whose link it is; none for all.
    """
    broken = ResetConnections(
        dependency,
        instance=instance,
        percent=Decimal(percent),
        lasts=timedelta(seconds=lasts),
        at=timedelta(seconds=at),
    )
    return inject_on_time(broken, fault, configuration)


@action
def blackhole(
    dependency: str,
    lasts: float,
    instance: str | None = None,
    at: float = 0.0,
    fault: str = "blackhole",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let a dependency accept connections and answer nothing.

    Args:
        dependency: the dependency's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        instance: the one instance whose link it is; none for all.
    """
    broken = Blackhole(dependency, instance=instance, lasts=timedelta(seconds=lasts), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)


@action
def partition(
    instance: str,
    dependency: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "partition",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Cut one instance off from a dependency that the others still reach.

    Args:
        instance: the instance.
        dependency: the dependency's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    broken = Partition(instance, dependency=dependency, lasts=timedelta(seconds=lasts), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)


@action
def lose_dependency(
    dependency: str,
    lasts: float,
    at: float = 0.0,
    fault: str = "lose-dependency",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Stop a dependency; `end_fault` starts it again.

    Args:
        dependency: the dependency's name in the lab.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
    """
    broken = LoseDependency(dependency, lasts=timedelta(seconds=lasts), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)


@action
def restart_dependency(
    dependency: str,
    back_after: float,
    at: float = 0.0,
    fault: str = "restart-dependency",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Restart a dependency in good order; its supervisor starts it again later.

    Args:
        dependency: the dependency's name in the lab.
        back_after: seconds that it stays away.
    """
    broken = RestartDependency(dependency, back_after=timedelta(seconds=back_after), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)


@action
def flush_cache(
    dependency: str,
    lasts: float = 5.0,
    at: float = 0.0,
    fault: str = "flush-cache",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Let a cache lose everything that it holds.

    Args:
        dependency: the dependency's name in the lab.
        lasts: seconds that the cold cache is watched.
    """
    broken = FlushCache(dependency, lasts=timedelta(seconds=lasts), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)


@action
def exhaust_pool(
    lasts: float,
    leave: int = 0,
    at: float = 0.0,
    fault: str = "exhaust-pool",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Hold the database's connections until almost none is left.

    Args:
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        leave: how many the service may have.
    """
    broken = ExhaustPool(leave=leave, lasts=timedelta(seconds=lasts), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)


@action
def contend_locks(
    table: str,
    lasts: float,
    mode: Literal["exclusive", "access exclusive"] = "access exclusive",
    at: float = 0.0,
    fault: str = "contend-locks",
    configuration: dict[str, Any] | None = None,
) -> str:
    """Hold a table of the database locked.

    Args:
        table: the table.
        lasts: seconds until `end_fault` is due; the watchdog counts from it.
        mode: `exclusive` blocks whoever writes, `access exclusive` also whoever reads.
    """
    broken = ContendLocks(table, mode=mode, lasts=timedelta(seconds=lasts), at=timedelta(seconds=at))
    return inject_on_time(broken, fault, configuration)
