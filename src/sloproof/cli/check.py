"""`sloproof check`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.errors import Problem


class Format(StrEnum):
    """How problems are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


Online = Annotated[
    str | None, typer.Option(metavar="URL", help="Also ask this Prometheus whether metrics, labels and buckets exist.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Let warnings fail too.")]
Written = Annotated[
    Format, typer.Option("--format", help="For people; for programs; for code scanning; as annotations of GitHub.")
]


def check(online: Online = None, strict: Strict = False, form: Written = Format.TEXT) -> None:
    """Say what is wrong or unwise in the definitions: tiers that never fire, names that collide, unknown buckets."""
    from sloproof.errors import DefinitionError

    try:
        found, count = _found(online)
    except DefinitionError as error:
        if form is Format.TEXT:
            raise
        _write(error.problems, form)
        raise typer.Exit(error.exit_code) from None
    if form is not Format.TEXT:
        _write(found, form)
    elif found:
        console.problems(found)
    else:
        console.say(f"no problems in {count} definitions")
    if any(strict or problem.severity == "problem" for problem in found):
        raise typer.Exit(1)


def _found(online: str | None) -> "tuple[list[Problem], int]":
    """What the checks find, and how many definitions they looked at."""
    from sloproof.checks import in_order, run_offline
    from sloproof.lab.systems import known_parts
    from sloproof.workspace import load_workspace
    from sloproof.workspace.checking import subject_of
    from sloproof.workspace.collection import no_collection

    workspace = load_workspace()
    with no_collection():
        subject = subject_of(workspace, parts=known_parts())
        found = run_offline(subject)
    if online is not None:
        from sloproof.checks.online import run_online
        from sloproof.prometheus import Prometheus

        with Prometheus(online, allowed=workspace.settings.targets) as prometheus:
            found = in_order([*found, *run_online(subject, prometheus)])
    return found, len(workspace.definitions)


def _write(found: "Sequence[Problem]", form: Format) -> None:
    from sloproof import __version__
    from sloproof.checks import output

    if form is Format.SARIF:
        console.data(output.as_sarif(found, __version__))
    else:
        console.data(output.as_json(found) if form is Format.JSON else output.as_github(found))
