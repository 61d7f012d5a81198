"""What a running lab is and where its parts answer, as a file that any later command can read."""

import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sloproof.definition import in_a_line
from sloproof.errors import PartFailed

STATE_FILE = "lab.json"


class LabState(BaseModel):
    """One lab: the addresses of its parts, its folders and its clockwork.

    Args:
        system: the reference system that runs, such as `tasks`.
        scale: the factor that the rules' windows were divided by; 1 for real windows.
        started_at: when `up` began, seconds since the epoch.
        deadline: when the keeper ends the lab, seconds since the epoch; None for never.
        folder: where state, logs, configuration and evidence lie.
        balancer: base URL of what users call.
        envoy_admin: base URL of the balancer's admin port.
        prometheus: base URL.
        alertmanager: base URL.
        webhook: base URL of the notification receiver; Alertmanager posts to its `/alerts`.
        instances: base URL of each API instance, by name.
        supervisor_socket: the Unix socket of supervisord; it lies in the lab's temporary folder.
        supervisor_pid: process id of supervisord; 0 while the lab is still being started.
        restart_delay_folder: holds a file for each program: seconds that it stays away once killed.
        scrape_interval: seconds between two scrapes.
        evaluation_interval: seconds between two evaluations of the rules.
        notifications: JSON lines of what the webhook received.
        links: base URL of the control port of the links between instances and dependencies; empty without links.
        dependencies: URL of each dependency by its program's name, past the links.
        strain_folder: holds orders for the programs that run on demand, and what they report; None without them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    scale: int
    started_at: float
    deadline: float | None
    folder: Path
    balancer: str
    envoy_admin: str
    prometheus: str
    alertmanager: str
    webhook: str
    instances: dict[str, str]
    supervisor_socket: Path
    supervisor_pid: int
    restart_delay_folder: Path
    scrape_interval: float
    evaluation_interval: float
    notifications: Path
    links: str = ""
    dependencies: dict[str, str] = Field(default_factory=dict)
    strain_folder: Path | None = None

    @property
    def runtime(self) -> Path:
        """The lab's temporary folder: sockets and the database; gone once the lab is down."""
        return self.supervisor_socket.parent

    @property
    def unhealthy_folder(self) -> Path:
        """A file here named as an instance makes its `/healthz` answer 503 while it goes on serving."""
        return self.folder / "unhealthy"

    @property
    def no_metrics_folder(self) -> Path:
        """A file here named as an instance makes its `/metrics` answer 503 while it goes on serving."""
        return self.folder / "no-metrics"

    @property
    def seed_password_file(self) -> Path:
        """Holds the password of the seeded users `user-001@example.test` to `user-400@example.test`."""
        return self.folder / "seed-password"

    def log(self, program: str) -> Path:
        """The log of one supervised program."""
        return self.folder / "logs" / f"{program}.log"


class PartStatus(BaseModel):
    """One supervised program as it is now.

    Args:
        name: its name in the lab.
        pid: process id; None while it does not run.
        state: as supervisord says, such as `RUNNING`; `GONE` when there is no supervisord.
        uptime: seconds since it was last started; 0 while it does not run.
        url: where it answers; empty when it listens nowhere.
        healthy: it answers at this moment; a program that cannot be asked is healthy while it runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pid: int | None
    state: str
    uptime: float
    url: str
    healthy: bool


class LabStatus(BaseModel):
    """A lab and its parts as they are now.

    Args:
        state: what `up` wrote.
        stale: there is a state, but no supervisord: the lab was killed, and `down` cleans up after it.
        parts: each program.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: LabState
    stale: bool
    parts: tuple[PartStatus, ...]

    @property
    def healthy(self) -> bool:
        """Every part is."""
        return not self.stale and all(part.healthy for part in self.parts)


def load_state(folder: Path) -> LabState | None:
    """Read the lab's state.

    Args:
        folder: the lab's folder.

    Returns:
        The state as it was last written, whether or not the lab still runs; None when there is none.

    Raises:
        PartFailed: the file cannot be read or is not a lab's state.
    """
    path = folder / STATE_FILE
    try:
        return LabState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise PartFailed(
            f"`{path}` cannot be read as the state of a lab: {in_a_line(error)}",
            hint="end what still runs of that lab, then delete the file",
        ) from error


def save_state(state: LabState) -> None:
    """Write the state so that a reader sees the old or the new one, also after a power cut."""
    state.folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=state.folder, prefix=".lab-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(state.model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(state.folder / STATE_FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(state.folder)


def forget_state(folder: Path) -> None:
    """Remove the state file; no error when it is gone already."""
    (folder / STATE_FILE).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
