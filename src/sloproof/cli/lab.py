"""`sloproof lab up | status | down`."""

import json
from typing import Annotated

import typer

from sloproof.cli import console

DEFAULT_SCALE = 120
"""One hour becomes 30 seconds: an alert's whole life fits into minutes."""

app = typer.Typer(help="Start, inspect and end a reference system as real processes on loopback.", no_args_is_help=True)

System = Annotated[str, typer.Argument(help="The reference system, such as `tasks`.")]
Scale = Annotated[int, typer.Option(min=1, help="Divide the rules' windows by this factor; 1 for real windows.")]
Lifetime = Annotated[str, typer.Option("--for", help="The lab ends by itself after this long.")]
Traces = Annotated[bool, typer.Option("--traces", help="Write OpenTelemetry spans as OTLP JSON lines.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(short_help="Start the system with its Prometheus and Alertmanager.")
def up(
    system: System = "tasks", scale: Scale = DEFAULT_SCALE, lifetime: Lifetime = "2h", traces: Traces = False
) -> None:
    """Start the system, its Prometheus and its Alertmanager, with exactly the generated rules."""
    from sloproof import lab
    from sloproof.cli.extras import require
    from sloproof.cli.options import duration
    from sloproof.cli.surroundings import lab_folder, parts_folder
    from sloproof.workspace import load_workspace
    from sloproof.workspace.lab_files import lab_files, lab_timing

    require("lab")
    workspace = load_workspace()
    timing = lab_timing(workspace, scale)
    state = lab.up(
        system,
        folder=lab_folder(workspace, system),
        generated=lab_files(workspace, system, timing),
        scale=scale,
        scrape_interval=timing.scrape,
        evaluation_interval=timing.real(timing.evaluation),
        lifetime=duration(lifetime, "--for"),
        traces=traces,
        parts=parts_folder(workspace),
        say=console.say,
    )
    console.show(f"{system} is up: {state.balancer}")
    for name, url in (
        ("Prometheus", state.prometheus),
        ("Alertmanager", state.alertmanager),
        ("balancer's admin", state.envoy_admin),
    ):
        console.show(f"  {name:17} {url}")
    if scale != 1:
        console.say(f"windows are divided by {scale}; `--scale 1` runs the real ones")
    console.say(f"it ends by itself after {lifetime}, or with `sloproof lab down {system}`")


@app.command(short_help="Show each part of the system.")
def status(system: System = "tasks", as_json: Json = False) -> None:
    """Show each part of the system: its process, since when, and whether it answers."""
    from sloproof import lab
    from sloproof.cli.surroundings import lab_folder
    from sloproof.workspace import load_workspace

    found = lab.status(lab_folder(load_workspace(), system))
    if as_json:
        console.data(json.dumps(found.model_dump(mode="json") if found else None, indent=2) + "\n")
    elif found is None:
        console.show(f"the lab of `{system}` is not up")
    else:
        if found.stale:
            console.say(f"the lab was killed; `sloproof lab down {system}` cleans up after it")
        for part in found.parts:
            health = "answers" if part.healthy else "DOES NOT ANSWER"
            console.output().print(
                f"{part.name:14} {part.state:9} {part.pid or '-':>8} {part.uptime:7.0f} s  {health:16} {part.url}",
                markup=False,
            )
    raise typer.Exit(0 if found is not None and found.healthy else 3)


@app.command(short_help="End the system and all that was started with it.")
def down(system: System = "tasks") -> None:
    """End the system and everything that was started with it; safe to repeat."""
    from sloproof import lab
    from sloproof.cli.interruption import uninterrupted
    from sloproof.cli.surroundings import lab_folder
    from sloproof.workspace import load_workspace

    folder = lab_folder(load_workspace(), system)
    with uninterrupted():
        ended = lab.down(folder, say=console.say)
    console.say(f"the lab of `{system}` is down" if ended else f"the lab of `{system}` was not up")
