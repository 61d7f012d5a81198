"""What an instance is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECRETS = ("PGPASSWORD", "TASKS_JWT_SECRET", "TASKS_SEED_PASSWORD")
"""Environment variables that hold secrets; the database's own come by libpq's names (`PGHOST`, ...)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One instance.

    Args:
        name: its `instance` label, such as `a1`.
        port: where it listens on loopback.
        jwt_secret: signs the tokens; the same for all instances.
        seed_password: password of the seeded users; empty to seed none.
        unhealthy_flag: while this file exists `/healthz` answers 503.
        no_metrics_flag: while this file exists `/metrics` answers 503.
        traces_file: where spans go as OTLP JSON lines; None for no tracing.
        task_limit: tasks that one user may have.
        rate_limit: requests per second that one user may send to this instance; 0 for no limit.
        pool_size: most connections to the database.
        cache_port: where a Redis answers on loopback; 0 for no cache.
    """

    name: str
    port: int
    jwt_secret: str = field(repr=False)
    seed_password: str = field(default="", repr=False)
    unhealthy_flag: Path | None = None
    no_metrics_flag: Path | None = None
    traces_file: Path | None = None
    task_limit: int = 200
    rate_limit: float = 200.0
    pool_size: int = 8
    cache_port: int = 0


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment carries.

    Raises:
        KeyError: a variable without a default is missing.
        ValueError: a number is none.
    """
    return Settings(
        name=environment["TASKS_INSTANCE"],
        port=int(environment["TASKS_PORT"]),
        jwt_secret=environment["TASKS_JWT_SECRET"],
        seed_password=environment.get("TASKS_SEED_PASSWORD", ""),
        unhealthy_flag=_path(environment, "TASKS_UNHEALTHY_FLAG"),
        no_metrics_flag=_path(environment, "TASKS_NO_METRICS_FLAG"),
        traces_file=_path(environment, "TASKS_TRACES_FILE"),
        task_limit=int(environment.get("TASKS_LIMIT", Settings.task_limit)),
        rate_limit=float(environment.get("TASKS_RATE_LIMIT", Settings.rate_limit)),
        pool_size=int(environment.get("TASKS_POOL_SIZE", Settings.pool_size)),
        cache_port=int(environment.get("TASKS_CACHE_PORT", Settings.cache_port)),
    )


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value) if value else None
