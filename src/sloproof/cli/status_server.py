"""Which Prometheus `sloproof status` asks: the one that is named, else that of the lab that is up."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from sloproof.cli import console
from sloproof.errors import UsageError

if TYPE_CHECKING:
    from sloproof.lab.state import LabState
    from sloproof.workspace import Workspace


class Server(NamedTuple):
    """A Prometheus to ask.

    Args:
        url: its base.
        scale: what the windows of its rules were divided by.
        system: the one that it knows, where it is that of a lab.
    """

    url: str
    scale: int
    system: str | None = None


def server_of(workspace: "Workspace", url: str | None, scale: int | None = None) -> Server:
    """A Prometheus; one that nobody named is told.

    Args:
        workspace: the objectives to be shown.
        url: as it was given; None for the lab's own.
        scale: as it was given; None for that of the lab, or for real windows.

    Raises:
        UsageError: none was named, and not exactly one lab is up.
        PartFailed: the state of a lab cannot be read.
    """
    if url is not None:
        return Server(url, scale or 1)
    state = _only(list(_labs(workspace)))
    windows = "" if state.scale == 1 else f", windows divided by {state.scale}"
    console.say(f"asking the Prometheus of the lab of `{state.system}` at {state.prometheus}{windows}")
    return Server(state.prometheus, scale or state.scale, state.system)


def _only(up: "list[LabState]") -> "LabState":
    if not up:
        raise UsageError(
            "there is no Prometheus to ask: none was named, and no lab is up",
            hint="name one with `--prometheus URL`, or start a lab with `sloproof lab up`",
        )
    if len(up) > 1:
        raise UsageError(
            f"the labs of {' and '.join(f'`{state.system}`' for state in up)} are up, each with its own Prometheus",
            hint=f"name a service, such as `sloproof status {up[0].system}`, or `--prometheus URL`",
        )
    return up[0]


def _labs(workspace: "Workspace") -> "Iterator[LabState]":
    from sloproof.cli.surroundings import running_lab

    for service in workspace.services:
        with suppress(UsageError):  # the lab has no such system, or it is not up
            yield running_lab(workspace, service.name)
