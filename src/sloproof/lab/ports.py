"""Free loopback ports, chosen together so that no two parts of a lab get the same one."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """Ask the kernel for a free TCP port on loopback for each name.

    Args:
        names: what the ports are for; each name once.

    Returns:
        A different port for each name. They are free when this returns; another process may still take one
        before its part binds it, which `up` then reports.
    """
    with ExitStack() as held:
        return {name: _bound(held) for name in names}


def _bound(held: ExitStack) -> int:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    listener.bind((LOOPBACK, 0))
    port: int = listener.getsockname()[1]
    return port
