"""Free loopback ports, so that no two parts of a lab get the same one, nor parts of labs that start together."""

import os
import socket
from collections.abc import Sequence
from itertools import count
from threading import Lock

from sloproof.errors import PartFailed

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000
"""Below the ports that Linux (from 32768) and macOS (from 49152) give to outgoing connections: one of those could take
a port between the moment when it is chosen and the moment when its part binds it."""
_STRIDE = 7_919
"""Prime: any two of 200 processes that start one after the other begin to look at least 40 ports apart."""

_lock = Lock()
_turns = count()


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """A free TCP port on loopback for each name; this process gives none of them twice in a row.

    Args:
        names: what the ports are for; each name once.

    Returns:
        A different port for each name. They are free when this returns; another process may still take one
        before its part binds it, which `up` then reports.

    Raises:
        PartFailed: there are not so many.
    """
    with _lock:
        candidates = (FIRST + (os.getpid() * _STRIDE + next(_turns)) % (LAST - FIRST) for _ in range(LAST - FIRST))
        found = dict(zip(names, filter(_is_free, candidates), strict=False))
    if len(found) < len(names):
        raise PartFailed(
            f"fewer than {len(names)} of the ports from {FIRST} to {LAST} are free", hint="end what listens on them"
        )
    return found


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
