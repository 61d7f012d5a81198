"""The adapter to supervisord: XML-RPC over its unix socket, with a time-out on every call."""

import http.client
import socket
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sloproof.errors import PartFailed

_BAD_NAME = 10
_ALREADY_STARTED = 60
_NOT_RUNNING = 70
_SHUTTING_DOWN = 6
_STOPPING = "STOPPING"
_POLL = 0.05
_END_TIMEOUT = 30.0  # longer than any `stopwaitsecs` of a lab, after which supervisord kills
CALL_TIMEOUT = 15.0
"""Seconds; supervisord answers a blocking start only after `startsecs`."""


class SupervisorUnreachable(PartFailed):
    """No supervisord answers on the socket."""


class UnknownProgram(PartFailed):
    """supervisord has no program of this name."""


@dataclass(frozen=True, kw_only=True)
class ProgramState:
    """What supervisord says of one program.

    Args:
        name: the program's name.
        state: supervisord's word for it, such as `RUNNING` or `BACKOFF`.
        pid: its process, or None when there is none.
        started_at: epoch seconds of its last start; 0 when it never started.
        stopped_at: epoch seconds of its last end; 0 when it never ended.
        spawn_error: why it could not be started; empty when it could.
    """

    name: str
    state: str
    pid: int | None
    started_at: float
    stopped_at: float
    spawn_error: str


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._path, self._timeout = path, timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._path, self._timeout)


class Supervisor:
    """One supervisord, reached through its unix socket; each call is a connection of its own.

    Args:
        socket_path: the socket, at most 107 bytes long.
        timeout: seconds that one call may take.
    """

    def __init__(self, socket_path: Path, *, timeout: float = CALL_TIMEOUT) -> None:
        self.socket_path = socket_path
        self._timeout = timeout

    def program(self, name: str) -> ProgramState:
        """What supervisord says of one program.

        Args:
            name: the program's name.

        Returns:
            Its state, process and last start.

        Raises:
            SupervisorUnreachable: no supervisord answers.
            UnknownProgram: there is no such program.
        """
        return _program(self._call(lambda remote: remote.supervisor.getProcessInfo(name), name))

    def programs(self) -> list[ProgramState]:
        """Every program, in the order of their priorities."""
        return [_program(answer) for answer in self._call(lambda remote: remote.supervisor.getAllProcessInfo(), "")]

    def own_pid(self) -> int:
        """The process of supervisord itself."""
        return int(self._call(lambda remote: remote.supervisor.getPID(), ""))

    def answers(self) -> bool:
        """Whether a supervisord is there."""
        try:
            self.own_pid()
        except PartFailed:
            return False
        return True

    def pid(self, name: str) -> int | None:
        """The process of a program, or None when it has none."""
        return self.program(name).pid

    def state(self, name: str) -> str:
        """Supervisord's word for a program's state, such as `RUNNING`."""
        return self.program(name).state

    def start(self, name: str, *, wait: bool = False) -> None:
        """Start a program; nothing happens when it is already started.

        One that is about to end is waited for: supervisord takes its last moments for a start, and lets it go.

        Args:
            name: the program's name.
            wait: return only when supervisord calls it running.
        """
        until = time.monotonic() + _END_TIMEOUT
        while self.state(name) == _STOPPING and time.monotonic() < until:
            time.sleep(_POLL)
        self._call(lambda remote: remote.supervisor.startProcess(name, wait), name, forgiven=_ALREADY_STARTED)

    def stop(self, name: str, *, wait: bool = True) -> None:
        """Stop a program; nothing happens when it is not running.

        Args:
            name: the program's name.
            wait: return only when its process is gone.
        """
        self._call(lambda remote: remote.supervisor.stopProcess(name, wait), name, forgiven=_NOT_RUNNING)

    def restart(self, name: str, *, wait: bool = False) -> None:
        """Stop a program, wait until it is gone, and start it."""
        self.stop(name)
        self.start(name, wait=wait)

    def signal(self, name: str, signal_name: str) -> bool:
        """Send a signal to the process of a program.

        Args:
            name: the program's name.
            signal_name: without `SIG`, such as `KILL`.

        Returns:
            False when the program had no process to signal.
        """
        answer = self._call(
            lambda remote: remote.supervisor.signalProcess(name, signal_name), name, forgiven=_NOT_RUNNING
        )
        return answer is not None

    def shutdown(self) -> None:
        """Ask supervisord to end every program and then itself; returns before it has."""
        # A shutdown alone ends one program after the other, with up to a second between two.
        self._call(lambda remote: remote.supervisor.stopAllProcesses(False), "", forgiven=_SHUTTING_DOWN)
        self._call(lambda remote: remote.supervisor.shutdown(), "", forgiven=_SHUTTING_DOWN)

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
            time.sleep(_POLL)
        raise PartFailed(f"`{name}` was not started again within {within:g} s")

    def _call(self, ask: Callable[[xmlrpc.client.ServerProxy], Any], name: str, *, forgiven: int | None = None) -> Any:
        transport = _UnixTransport(self.socket_path, self._timeout)
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport, allow_none=True) as remote:
                return ask(remote)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == forgiven:
                return None
            if fault.faultCode == _BAD_NAME:
                raise UnknownProgram(f"supervisord on `{self.socket_path}` has no program `{name}`") from None
            raise PartFailed(f"supervisord refused a call for `{name}`: {fault.faultString}") from None
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorUnreachable(f"no supervisord answers on `{self.socket_path}`: {error}") from error


def _program(answer: Any) -> ProgramState:
    return ProgramState(
        name=str(answer["name"]),
        state=str(answer["statename"]),
        pid=int(answer["pid"]) or None,
        started_at=float(answer["start"]),
        stopped_at=float(answer["stop"]),
        spawn_error=str(answer["spawnerr"]),
    )
