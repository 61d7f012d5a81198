"""How commands reach the workspace's Grafana: its address, its token, and what is told of a load run."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli import console
from sloproof.errors import SloproofError, UsageError

if TYPE_CHECKING:
    from sloproof.grafana import Annotation, Grafana
    from sloproof.workspace import Workspace
    from sloproof.workspace.settings import Settings

TOKEN = "SLOPROOF_GRAFANA_TOKEN"
"""Environment variable with Grafana's token, where no file holds it."""
BOUND = timedelta(seconds=5)
"""For each call that only tells of a run, so that a Grafana that hangs holds no run."""
PATIENCE = timedelta(seconds=30)
"""For each call of a command that is about Grafana."""


def opened_grafana(workspace: "Workspace") -> "Grafana":
    """The Grafana that the settings name, to be told of a run; without a token where none is kept."""
    return _opened(workspace.root, workspace.settings)


def _opened(root: Path, settings: "Settings") -> "Grafana":
    from sloproof.grafana import Grafana

    token = _kept(root, settings, None)
    return Grafana(settings.grafana_url, token=token, timeout=BOUND, allowed=settings.targets)


def grafana_for(workspace: "Workspace", url: str | None, token_file: Path | None) -> "Grafana":
    """The Grafana of a command.

    Args:
        workspace: whose settings name it, its token's file and the targets that are allowed.
        url: in place of the settings'.
        token_file: in place of the settings'.

    Raises:
        UsageError: no address, no token, or a token's file that cannot be read.
        Refused: the address is neither loopback nor listed; nothing was sent.
    """
    from sloproof.grafana import Grafana

    address = url or workspace.settings.grafana_url
    if not address:
        raise UsageError(
            "no Grafana is named", hint="give `--url`, or `grafana-url` in `[tool.sloproof]` of `pyproject.toml`"
        )
    token = _kept(workspace.root, workspace.settings, token_file)
    if not token:
        raise UsageError(
            "there is no token for Grafana",
            hint=f"put one of a service account into {TOKEN}, or into a file that `--token-file` or "
            "`grafana-token-file` names; tokens are never arguments, which others can read",
        )
    return Grafana(address, token=token, timeout=PATIENCE, allowed=workspace.settings.targets)


def _kept(root: Path, settings: "Settings", token_file: Path | None) -> str:
    """The token of the file where there is one, else that of the environment; empty without any."""
    file = token_file
    if file is None and settings.grafana_token_file:
        file = root / settings.grafana_token_file
    if file is None:
        where, token = TOKEN, os.environ.get(TOKEN, "").strip()
    else:
        where, token = f"`{file}`", _read(file)
        if not token:
            raise UsageError(f"{where} is empty", hint="put the token of a service account into it")
    if not token.isascii() or any(character <= " " or character == "\x7f" for character in token):
        raise UsageError(
            f"what {where} holds is no token: it is not one word of plain characters",
            hint="put the token alone into it, without its name and without quotes",
        )
    return token


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise UsageError(f"the token's file `{file}` cannot be read: {why}", hint="mend it, or name another") from None


def load_mark(system: str, profile: str, start: float, end: float) -> "Annotation":
    """A load run as dashboards look for it."""
    from sloproof.grafana import Annotation

    return Annotation(start, end, ("sloproof", "load", system, profile), f"load run `{profile}`")


def deploy_mark(system: str, release: str, at: float) -> "Annotation":
    """A deploy as dashboards look for it."""
    from sloproof.grafana import Annotation

    return Annotation(at, at, ("deploy", system), release)


def deploy_marked(root: Path, system: str, release: str, at: float) -> None:
    """Mark a deploy on the dashboards where the settings name a Grafana; that it could not be is said, and no more.

    Args:
        root: the workspace's folder.
        system: the system that got it.
        release: what came into service.
        at: epoch seconds.
    """
    from sloproof.workspace.settings import read_settings

    try:
        settings = read_settings(root)
        if settings.grafana_url:
            with _opened(root, settings) as grafana:
                grafana.annotate(deploy_mark(system, release, at))
            console.say("marked in Grafana")
    except SloproofError as error:
        console.say(f"not marked in Grafana: {error}")


@contextmanager
def load_marked(workspace: "Workspace", system: str, profile: str) -> Iterator[None]:
    """A load run that is marked on the dashboards once it is over, however it ended; that changes no verdict.

    Args:
        workspace: whose settings name Grafana; nothing is told without one.
        system: what is loaded.
        profile: its name.
    """
    started = time.time()
    try:
        yield
    finally:
        if workspace.settings.grafana_url:
            try:
                _mark_load(workspace, started, system, profile)
            except SloproofError as error:
                console.say(f"not told elsewhere: {error}")


def _mark_load(workspace: "Workspace", started: float, system: str, profile: str) -> None:
    with opened_grafana(workspace) as grafana:
        grafana.annotate(load_mark(system, profile, started, time.time()))
