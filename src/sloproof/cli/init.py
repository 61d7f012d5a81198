"""`sloproof init`."""

from pathlib import Path
from typing import Annotated

import typer

from sloproof.cli import console

Folder = Annotated[
    Path, typer.Argument(help="The new workspace's folder; it may exist, but must not hold a workspace's files.")
]


def init(folder: Folder) -> None:
    """Make a workspace: the folders, a first service with its objectives, and everything generated from them."""
    from sloproof.workspace import artifacts, files, load_workspace, template

    written = template.copy_to(folder)
    workspace = load_workspace(folder)
    written += [
        c.path
        for c in files.write(workspace.root, artifacts.all_artifacts(workspace, artifacts.read_page(workspace.root)))
    ]
    console.say(f"{len(written)} files in `{folder}`")
    console.say(f"next: cd {folder} && sloproof check && sloproof demo")
