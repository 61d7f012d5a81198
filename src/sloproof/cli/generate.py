"""`sloproof generate`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from sloproof.cli import console

Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 and name the files that differ.")]
Scale = Annotated[int, typer.Option(min=1, help="Divide every window by this factor; needs --out.")]
Out = Annotated[Path | None, typer.Option(help="Write only the rules, to this folder, for a lab.")]
ScrapeEvery = Annotated[
    str | None, typer.Option(help="Scrape interval of the lab that runs scaled rules, such as `500ms`.")
]


def generate(check: Check = False, scale: Scale = 1, out: Out = None, scrape_interval: ScrapeEvery = None) -> None:
    """Write the rules, dashboards, runbooks, rule tests and experiments that the definitions imply."""
    from sloproof.errors import UsageError
    from sloproof.workspace import artifacts, files, load_workspace

    workspace = load_workspace()
    if out is not None:
        _write_rules(out, scale, scrape_interval, check)
        return
    if scale != 1:
        raise UsageError(
            "rules with divided windows do not belong among the real ones",
            hint=f"give a folder of their own: `sloproof generate --scale {scale} --out FOLDER`",
        )
    found = artifacts.all_artifacts(workspace, artifacts.read_page(workspace.root))
    changes = files.compare(workspace.root, found) if check else files.write(workspace.root, found)
    for change in changes:
        console.show(f"{change.kind:8} {change.path}")
    if check and changes:
        console.failure(
            f"{len(changes)} of {len(found)} generated files differ from the definitions", "run `sloproof generate`"
        )
        raise typer.Exit(1)
    console.say(
        f"{len(found)} generated files are up to date"
        if not changes
        else f"{len(changes)} of {len(found)} files changed"
    )


def _write_rules(out: Path, scale: int, scrape_interval: str | None, check: bool) -> None:
    from sloproof.cli.options import duration
    from sloproof.definition import format_duration
    from sloproof.errors import UsageError
    from sloproof.workspace import artifacts, files, load_workspace, scaling

    if check:
        raise UsageError(
            "`--check` compares the workspace's own files", hint="leave out `--out`, or leave out `--check`"
        )
    workspace = load_workspace()
    scrape = duration(scrape_interval, "--scrape-interval") if scrape_interval else workspace.settings.scrape_interval
    timing = scaling.timing(scale, scrape, workspace.settings.evaluation_interval)
    scaling.refuse_mixture(out, scale)
    flat = [
        files.Artifact(Path(artifact.path).name, artifact.text)
        for artifact in artifacts.rule_artifacts(workspace, timing)
    ]
    for artifact in flat:
        files.write_file(out / artifact.path, artifact.text)
        console.show(str(out / artifact.path))
    if scale != 1:
        console.say(
            f"windows are divided by {scale}: `1h` is `{format_duration(timing.real(timedelta(hours=1)))}` here"
        )
