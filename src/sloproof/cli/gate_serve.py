"""`sloproof gate serve`."""

import os
import socket
import time
from pathlib import Path
from typing import Annotated

import typer

from sloproof.cli import console

TOKEN = "SLOPROOF_GATE_TOKEN"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_GRACE = 5

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for a free one.")]
Url = Annotated[
    str | None,
    typer.Option("--prometheus", metavar="URL", help="Ask this Prometheus for the live status; the lab's by default."),
]
Take = Annotated[
    str | None, typer.Option(metavar="AGE", help="Run nothing: take runs that ended not longer ago, such as 2h.")
]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help=f"Callers must send the token in this file; {TOKEN} by default.")
]
WithoutToken = Annotated[
    bool, typer.Option("--without-token", help="Answer everybody, also beyond loopback: the network decides who calls.")
]
Wait = Annotated[str, typer.Option(help="How long a caller waits for a decision who does not say.")]
Keep = Annotated[str, typer.Option(help="For so long after its end a decision answers for the same gate and release.")]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 9095,
    prometheus: Url = None,
    take: Take = None,
    token_file: TokenFile = None,
    without_token: WithoutToken = False,
    wait: Wait = "8s",
    keep: Keep = "2m",
) -> None:
    """Answer for gates over HTTP: `GET /gates/NAME` for Argo Rollouts, `POST /webhook/NAME` for Flagger.

    One gate runs at a time, each in a process of its own. Ends with SIGINT or SIGTERM, once everything is put back.
    """
    from sloproof.cli.extras import require
    from sloproof.cli.options import duration
    from sloproof.gate.definition import Gate
    from sloproof.workspace import load_workspace

    require("web")
    workspace = load_workspace()
    names = sorted(gate.name for gate in workspace.all_of(Gate))
    token = "" if without_token else _token(token_file)
    _refuse_open_door(host, bool(token) or without_token)
    options = [f"--prometheus={prometheus}"] if prometheus else []
    if take is not None:
        duration(take, "--take")
        options.append(f"--take={take}")
    limits = duration(wait, "--wait").total_seconds(), duration(keep, "--keep").total_seconds()
    with _listening(host, port) as listener:
        address, number = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        console.say(f"serving {', '.join(f'`{name}`' for name in names) or 'no gates'} at http://{shown}:{number}")
        _run(listener, workspace.root, names, options, limits, token, host in _LOOPBACK)


def _run(
    listener: socket.socket,
    root: Path,
    names: list[str],
    options: list[str],
    limits: tuple[float, float],
    token: str,
    only_loopback: bool,
) -> None:
    import asyncio

    import uvicorn

    from sloproof.gate.child_run import GateCommand, decide
    from sloproof.gate.desk import Desk
    from sloproof.gate.service import application

    wait, keep = limits
    command = GateCommand(root, options)
    desk = Desk(lambda gate, release: decide(command, gate, release), keep=keep, clock=time.monotonic)
    service = application(desk, names, wait=wait, token=token, only_loopback=only_loopback)
    config = uvicorn.Config(
        service, log_level="warning", server_header=False, lifespan="on", timeout_graceful_shutdown=_GRACE
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def _token(file: Path | None) -> str:
    """The token that callers must send; empty for none.

    Raises:
        UsageError: the file holds none.
    """
    from sloproof.errors import UsageError

    if file is None:
        return os.environ.get(TOKEN, "").strip()
    token = file.read_text(encoding="utf-8").strip()
    if not token:
        raise UsageError(f"`{file}` holds no token", hint="write a long random text into it")
    return token


def _refuse_open_door(host: str, guarded: bool) -> None:
    """Whoever reaches the service can load and break the system.

    Raises:
        Refused: it would listen beyond loopback to everybody.
    """
    from sloproof.errors import Refused

    if host not in _LOOPBACK and not guarded:
        raise Refused(
            f"`{host}` can be reached from other machines, and nobody would have to send a token",
            hint=f"give `--token-file`, or {TOKEN}, or listen on 127.0.0.1; `--without-token` lets everybody in",
        )


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PartFailed: the address cannot be used.
    """
    from sloproof.errors import PartFailed

    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        raise PartFailed(
            f"`{host}:{port}` cannot be listened on: {error}", hint="choose another port; `--port 0` takes a free one"
        ) from error
