"""What the chaos room needs to know of a running lab, read from its state file."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sloproof.definition import in_a_line
from sloproof.errors import PartFailed


class Target(BaseModel):
    """The parts of a running system that faults take hold of.

    Args:
        system: the system's name.
        envoy_admin: base URL of the balancer's admin port.
        instances: base URL of each instance, by name.
        supervisor_socket: unix socket of the supervisord that keeps the instances.
        restart_delay_folder: holds a file for each instance: seconds that it sleeps at its next start.
        folder: the lab's own folder, in which its instances look for flags.
        prometheus: base URL of the Prometheus that watches it.
        links: base URL of the control port of the links to its dependencies; empty when there is none.
        dependencies: URL of each dependency by name, past the links.
        strain_folder: holds orders for programs that strain a dependency; None when it has none.
        supervisor_pid: process of that supervisord; 0 when it is not told.

    A system that is no lab may leave out what it does not have; a fault that needs it is refused.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: str
    envoy_admin: str = ""
    instances: dict[str, str] = {}
    supervisor_socket: Path = Path()
    restart_delay_folder: Path = Path()
    folder: Path = Path()
    prometheus: str = ""
    links: str = ""
    dependencies: dict[str, str] = {}
    strain_folder: Path | None = None
    supervisor_pid: int = 0

    @property
    def places(self) -> tuple[str, ...]:
        """Where undo steps of this system's faults lead to."""
        return (self.envoy_admin.rstrip("/"), str(self.supervisor_socket), self.links.rstrip("/"))

    def require(self, fields: Sequence[str]) -> None:
        """Refuse a fault that takes hold of something that this system does not have.

        Args:
            fields: names of fields.

        Raises:
            PartFailed: one of them is empty.
        """
        missing = [field for field in fields if getattr(self, field) in ("", {}, Path(), None)]
        if missing:
            names = " and ".join(f"`{field}`" for field in missing)
            raise PartFailed(
                f"the system `{self.system}` has no {names}",
                hint="the state file of the system says where its parts are",
            )

    def flag(self, folder: str, instance: str) -> Path:
        """The file whose presence changes how an instance answers.

        Args:
            folder: `unhealthy` or `no-metrics`.
            instance: the instance's name.

        Raises:
            PartFailed: the lab has no such folder.
        """
        if not (self.folder / folder).is_dir():
            raise PartFailed(
                f"the system `{self.system}` has no folder `{self.folder / folder}`",
                hint="start its lab anew with `sloproof lab up`",
            )
        return self.folder / folder / instance

    def dependency(self, name: str) -> str:
        """The URL of one dependency.

        Args:
            name: the dependency's name.

        Raises:
            PartFailed: the system has no such dependency.
        """
        if name not in self.dependencies:
            known = ", ".join(f"`{known}`" for known in sorted(self.dependencies)) or "none"
            raise PartFailed(f"the system `{self.system}` has no dependency `{name}`", hint=f"it has {known}")
        return self.dependencies[name]

    def links_between(self, dependency: str, instance: str | None) -> list[str]:
        """The names of links to a dependency.

        Args:
            dependency: the dependency's name.
            instance: only the link of this instance; None for those of all.

        Raises:
            PartFailed: the system has no links, no such instance or no such dependency.
        """
        if not self.links:
            raise PartFailed(f"the system `{self.system}` has no links that could be broken")
        self.dependency(dependency)
        if instance is not None:
            self.instance(instance)
        return [f"{name}-{dependency}" for name in sorted(self.instances) if instance in (None, name)]

    def instance(self, name: str) -> str:
        """The base URL of one instance.

        Args:
            name: the instance's name.

        Raises:
            PartFailed: the system has no such instance.
        """
        if name not in self.instances:
            known = ", ".join(f"`{known}`" for known in sorted(self.instances))
            raise PartFailed(f"the system `{self.system}` has no instance `{name}`", hint=f"it has {known}")
        return self.instances[name]


def read_target(lab_file: Path) -> Target:
    """Read a running lab's state file.

    Args:
        lab_file: `.sloproof/lab/<system>/lab.json` of the workspace.

    Returns:
        What faults need of it.

    Raises:
        PartFailed: there is no such file, or it is not a lab's state.
    """
    try:
        return Target.model_validate_json(lab_file.read_bytes())
    except FileNotFoundError:
        raise PartFailed(f"no lab is up: `{lab_file}` does not exist", hint="start it with `sloproof lab up`") from None
    except (OSError, ValidationError) as error:
        raise PartFailed(
            f"`{lab_file}` is not the state of a lab: {in_a_line(error)}",
            hint="end what still runs of that lab, then delete the file",
        ) from error


def current_target(lab_file: Path) -> Target | None:
    """The running lab, or None when its state file is gone or says nothing readable."""
    try:
        return read_target(lab_file)
    except PartFailed:
        return None
