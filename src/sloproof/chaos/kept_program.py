"""What is true of every program that a lab's supervisord keeps."""

from pathlib import Path

from sloproof.supervisor import Supervisor, SupervisorUnreachable


def gone_with_supervisord(socket: Path, what: str) -> str | None:
    """The proof that something ended with the supervisord that kept it.

    Args:
        socket: unix socket of that supervisord.
        what: what is gone with it: an instance, or the fault.

    Returns:
        The reason in plain words; None when something answers there.
    """
    try:
        Supervisor(socket).own_pid()
    except SupervisorUnreachable:
        return f"the lab is down: no supervisord at `{socket}`, so {what} is gone with it"
    return None
