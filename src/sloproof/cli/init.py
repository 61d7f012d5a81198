"""`sloproof init`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sloproof.cli import console
from sloproof.errors import Refused

Folder = Annotated[
    Path, typer.Argument(help="The new workspace's folder; it may exist, but must not hold a workspace's files.")
]


def init(folder: Folder) -> None:
    """Make a workspace: the folders, a first service with its objectives, and everything generated from them."""
    from sloproof.workspace import artifacts, files, load_workspace, template

    _refuse_generated(folder, files.GENERATED_FOLDERS)
    written = template.copy_to(folder)
    workspace = load_workspace(folder)
    written += [
        c.path
        for c in files.write(workspace.root, artifacts.all_artifacts(workspace, artifacts.read_page(workspace.root)))
    ]
    console.say(f"{len(set(written))} files in `{folder}`")
    there = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    console.say(f"next: {there}sloproof check && sloproof demo")


def _refuse_generated(folder: Path, generated: Sequence[str]) -> None:
    """What lies where generated files go would be replaced or removed as out of date."""
    for name in generated:
        found = sorted((folder / name).glob("*"))
        if found:
            raise Refused(
                f"`{found[0]}` lies where generated files go; nothing was written",
                hint="choose an empty folder, or move it away first",
            )
