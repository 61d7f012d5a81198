"""Talks to supervisord over its Unix socket."""

import contextlib
import http.client
import socket
import time
import xmlrpc.client
from pathlib import Path
from typing import Any, cast

from sloproof.errors import PartFailed

TIMEOUT = 20.0
"""Seconds that one call may take; stopping a program waits for its end."""


class Supervisor:
    """The processes of one lab, by name.

    Args:
        socket: supervisord's Unix socket.
        timeout: seconds that one call may take.
    """

    def __init__(self, socket: Path, timeout: float = TIMEOUT) -> None:
        self._socket = socket
        self._timeout = timeout

    def answers(self) -> bool:
        """Whether a supervisord is there."""
        try:
            self._call("getState")
        except PartFailed:
            return False
        return True

    def own_pid(self) -> int:
        """Process id of supervisord itself.

        Raises:
            PartFailed: no supervisord answers.
        """
        return cast(int, self._call("getPID"))

    def pid(self, name: str) -> int | None:
        """Process id of a program; None while it does not run.

        A program that is waiting out its restart delay has a process id too: it is the waiting process, which
        becomes the program.

        Raises:
            PartFailed: no supervisord answers, or it knows no such program.
        """
        return cast(int, self.info(name)["pid"]) or None

    def state(self, name: str) -> str:
        """`RUNNING`, `STOPPED`, `STARTING`, `BACKOFF`, `STOPPING`, `EXITED`, `FATAL` or `UNKNOWN`.

        Raises:
            PartFailed: no supervisord answers, or it knows no such program.
        """
        return cast(str, self.info(name)["statename"])

    def info(self, name: str) -> dict[str, Any]:
        """All that supervisord knows of a program, as its `getProcessInfo` gives it."""
        return cast(dict[str, Any], self._call("getProcessInfo", name))

    def all(self) -> list[dict[str, Any]]:
        """`info` of every program."""
        return cast(list[dict[str, Any]], self._call("getAllProcessInfo"))

    def start(self, name: str) -> None:
        """Start a program; no error when it runs already.

        Raises:
            PartFailed: it could not be started.
        """
        self._call("startProcess", name, tolerate="ALREADY_STARTED")

    def stop(self, name: str) -> None:
        """Stop a program and keep it stopped; no error when it does not run.

        Raises:
            PartFailed: it could not be stopped.
        """
        self._call("stopProcess", name, tolerate="NOT_RUNNING")

    def restart(self, name: str) -> None:
        """Stop a program in good order and start it again.

        Raises:
            PartFailed: one of the two failed.
        """
        self.stop(name)
        self.start(name)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal such as `HUP` to a program.

        Raises:
            PartFailed: it does not run, or the signal is none.
        """
        self._call("signalProcess", name, signal)

    def shutdown(self) -> None:
        """Ask supervisord to end every program and then itself; returns before it has.

        Raises:
            PartFailed: no supervisord answers.
        """
        # A shutdown alone ends one program after the other, with up to a second between two.
        self._call("stopAllProcesses", False, tolerate="SHUTDOWN_STATE")
        self._call("shutdown", tolerate="SHUTDOWN_STATE")

    def wait_for_new_pid(self, name: str, old: int, within: float) -> int:
        """Wait until a program that was killed runs under another process id.

        Args:
            name: the program.
            old: its process id before.
            within: seconds to wait at most.

        Raises:
            PartFailed: it did not come back in time.
        """
        until = time.monotonic() + within
        while time.monotonic() < until:
            now = self.pid(name)
            if now and now != old:
                return now
            time.sleep(0.05)
        raise PartFailed(f"`{name}` was not started again within {within:g} s")

    def _call(self, method: str, *arguments: str | bool, tolerate: str = "") -> Any:
        with contextlib.closing(_UnixTransport(self._socket, self._timeout)) as transport:
            proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                if tolerate and fault.faultString.startswith(tolerate):
                    return None
                asked = " ".join([method, *map(str, arguments)])
                raise PartFailed(f"supervisord refused `{asked}`: {fault.faultString}") from fault
            except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
                raise PartFailed(f"no supervisord answers on `{self._socket}`: {error}") from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._connection_to_supervisord = _UnixConnection(path, timeout)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return self._connection_to_supervisord

    def close(self) -> None:
        self._connection_to_supervisord.close()
