"""The configuration of supervisord: what runs, and that whatever dies is started again."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from sloproof.lab.topology import Program

_STOP_PATIENCE = 8
"""Seconds between asking a program to end and killing it."""


def supervisord_config(programs: Sequence[Program], *, socket: Path, folder: Path, account: str) -> str:
    """The configuration file's text.

    Args:
        programs: what runs.
        socket: its Unix socket; at most 107 bytes long.
        folder: the lab's folder; logs go to its `logs/`.
        account: the account that supervisord runs as.

    Returns:
        Text without any secret: those come by supervisord's own environment.
    """
    sections = [_server(socket, folder, account), *(_program(program, folder) for program in programs)]
    return "\n".join(sections)


def _server(socket: Path, folder: Path, account: str) -> str:
    return (
        _section("unix_http_server", {"file": socket, "chmod": "0600"})
        + _section(
            "supervisord",
            {
                "user": account,
                "directory": folder,
                "logfile": folder / "logs" / "supervisord.log",
                "logfile_maxbytes": "5MB",
                "pidfile": socket.with_name("supervisord.pid"),
                "childlogdir": folder / "logs",
                "strip_ansi": "true",
                "umask": "077",
            },
        )
        + _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        )
    )


def _program(program: Program, folder: Path) -> str:
    return _section(
        f"program:{program.name}",
        {
            "command": shlex.join(program.command),
            "directory": program.directory or folder,
            "environment": _environment(program.environment),
            "priority": program.priority,
            "stdout_logfile": folder / "logs" / f"{program.name}.log",
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": 1,
            "redirect_stderr": "true",
            "autostart": "false" if program.on_demand else "true",
            "autorestart": "false" if program.on_demand else "true",
            # With 0 a program counts as started at once, so that no row of kills ever ends in FATAL.
            "startsecs": 0,
            "stopsignal": program.stop_signal,
            "stopwaitsecs": _STOP_PATIENCE,
            "stopasgroup": "false",
            "killasgroup": "true",
        },
    )


def _section(name: str, settings: Mapping[str, object]) -> str:
    lines = [f"{key}={_escaped(str(value))}" for key, value in settings.items() if str(value)]
    return "\n".join([f"[{name}]", *lines, ""])


def _escaped(value: str) -> str:
    # supervisord expands `%(...)s`, and reads ` ;` as the start of a comment.
    if "\n" in value or " ;" in value:
        raise ValueError(f"`{value}` cannot be written into supervisord's configuration")
    return value.replace("%", "%%")


def _environment(environment: Mapping[str, str]) -> str:
    for value in environment.values():
        if '"' in value:
            raise ValueError(f"`{value}` cannot be written into supervisord's configuration")
    return ",".join(f'{name}="{value}"' for name, value in environment.items())
