"""`sloproof check`."""

from typing import Annotated

import typer

from sloproof.cli import console

Online = Annotated[
    str | None, typer.Option(metavar="URL", help="Also ask this Prometheus whether metrics, labels and buckets exist.")
]


def check(online: Online = None) -> None:
    """Say what is unwise in the definitions: tiers that never fire, names that collide, unknown buckets."""
    from sloproof.checks import run_offline
    from sloproof.workspace import load_workspace
    from sloproof.workspace.checking import subject_of

    workspace = load_workspace()
    subject = subject_of(workspace)
    found = run_offline(subject)
    if online is not None:
        from sloproof.checks.online import run_online
        from sloproof.prometheus import Prometheus

        found += run_online(subject, Prometheus(online, allowed=workspace.settings.targets))
    if found:
        console.problems(found)
        raise typer.Exit(1)
    console.say(f"no problems in {len(workspace.definitions)} definitions")
