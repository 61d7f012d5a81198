"""What the chaos room needs to know of a running lab, read from its state file."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sloproof.errors import PartFailed


class Target(BaseModel):
    """The parts of a running system that faults take hold of.

    Args:
        system: the system's name.
        envoy_admin: base URL of the balancer's admin port.
        instances: base URL of each instance, by name.
        supervisor_socket: unix socket of the supervisord that keeps the instances.
        restart_delay_folder: holds a file for each instance: seconds that it sleeps at its next start.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: str
    envoy_admin: str
    instances: dict[str, str]
    supervisor_socket: Path
    restart_delay_folder: Path

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
        raise PartFailed(f"`{lab_file}` is not the state of a lab: {error}") from error


def current_target(lab_file: Path) -> Target | None:
    """The running lab, or None when its state file is gone or says nothing readable."""
    try:
        return read_target(lab_file)
    except PartFailed:
        return None
