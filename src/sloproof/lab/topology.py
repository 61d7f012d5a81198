"""A system as data: which programs, in which environment, and where each one answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Program:
    """One supervised process.

    Args:
        name: unique in the lab; names the log, the restart delay and the entry in `status`.
        command: absolute program and arguments; no secret may stand here.
        environment: variables beside the lab's own; no secret may stand here either.
        url: base URL when the program listens, else an empty string.
        health: URL that answers 200 when the program can do its work; empty when nothing can be asked.
        port: the port that it must get; 0 when it listens nowhere.
        user: account that it runs as when the lab runs as root; empty for the lab's own.
        stop_signal: what asks it to end in good order.
        directory: where it is started; None for the lab's folder.
        priority: lower starts earlier and stops later.
        on_demand: it runs only when a fault starts it, and is not started again when it ends.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    health: str = ""
    port: int = 0
    user: str = ""
    stop_signal: Literal["TERM", "INT", "QUIT"] = "TERM"
    directory: Path | None = None
    priority: int = 100
    on_demand: bool = False


@dataclass(frozen=True, kw_only=True)
class ScrapeJob:
    """What Prometheus scrapes under one job label.

    Args:
        job: the job label.
        targets: `host:port` by the value of the `instance` label.
        path: where the metrics are.
        honor_labels: the target's own `instance` label wins over the scraped one.
    """

    job: str
    targets: Mapping[str, str]
    path: str = "/metrics"
    honor_labels: bool = False


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a system is built from: this run's ports, folders and programs.

    Args:
        folder: the lab's folder.
        runtime: the lab's temporary folder, with a short path.
        ports: a free port for each name that the system asked for.
        parts: absolute path of each binary that the system asked for.
        python: the interpreter that the lab's own programs run with.
        database_user: account that PostgreSQL runs as; empty for the lab's own.
        traces: write OpenTelemetry spans under `traces/`.
    """

    folder: Path
    runtime: Path
    ports: Mapping[str, int]
    parts: Mapping[str, Path]
    python: str
    database_user: str = ""
    traces: bool = False

    def url(self, port: str) -> str:
        """The base URL of a named port."""
        return f"http://{self.address(port)}"

    def address(self, port: str) -> str:
        """`host:port` of a named port."""
        return f"127.0.0.1:{self.ports[port]}"

    @property
    def strain(self) -> Path:
        """Holds orders for the programs that run on demand, and what they report."""
        return self.folder / "strain"

    @property
    def unhealthy(self) -> Path:
        """A file here named as an instance makes its health check fail."""
        return self.folder / "unhealthy"

    @property
    def no_metrics(self) -> Path:
        """A file here named as an instance makes its metrics page fail."""
        return self.folder / "no-metrics"


@dataclass(frozen=True, kw_only=True)
class Topology:
    """A system, ready to be run.

    Args:
        programs: its processes.
        balancer: name of the port that users call.
        envoy_admin: name of the port of the balancer's admin interface.
        instances: names of the interchangeable instances; each is a program and a port.
        scrapes: what Prometheus scrapes of it.
        files: text of each configuration file, by path under the lab's `config/`.
        secrets: environment variables with fresh random values, given to every program of the lab.
        dependencies: programs that the instances reach through links; each is a program with a `url`.
        links: name of the control port of those links; empty when there are none.
        database: name of the PostgreSQL database to make, owned by a role of the same name; empty for none.
    """

    programs: tuple[Program, ...]
    balancer: str
    envoy_admin: str
    instances: tuple[str, ...]
    scrapes: tuple[ScrapeJob, ...]
    files: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    links: str = ""
    database: str = ""


@dataclass(frozen=True, kw_only=True)
class System:
    """A reference system that the lab can run.

    Args:
        ports: names of the ports that it needs.
        parts: names of the binaries that it needs.
        optional: names of the binaries that it uses where they are found.
        build: its topology on a site.
        instances: names of its interchangeable instances.
        routes: names of the routes of its balancer that can have faults of their own.
        dependencies: names of what its instances depend on, an optional one too.
    """

    ports: tuple[str, ...]
    parts: tuple[str, ...]
    build: Callable[[Site], Topology]
    optional: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()


def script(python: str, module: ModuleType) -> tuple[str, ...]:
    """How to run a module that needs the standard library only: by its file, without importing the package.

    Args:
        python: the interpreter.
        module: one with a `main`, run when it is executed.
    """
    return (python, "-I", "-S", str(module.__file__))
