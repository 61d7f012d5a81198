"""`sloproof load run | capacity`."""

from typing import Annotated

import typer

from sloproof.cli.capacity import capacity

app = typer.Typer(help="Load a system and judge its objectives on what was seen.", no_args_is_help=True)
app.command()(capacity)

ProfileName = Annotated[str, typer.Argument(help="A load profile of `loadtests/`, such as `steady`.")]
Report = Annotated[
    str | None, typer.Option(help="Where the HTML report goes; `report.html` in the run's folder by default.")
]
Fraction = Annotated[
    str, typer.Option(help="Run the profile in a part of its length, such as 0.1; users and rates stay as they are.")
]
Release = Annotated[
    str | None,
    typer.Option(help="What is tested, for the history; SLOPROOF_RELEASE or the workspace's commit by default."),
]
Processes = Annotated[
    int | None, typer.Option(help="How many processes of this machine send the load; the profile's own by default.")
]
ExpectWorkers = Annotated[
    int | None, typer.Option(help="Wait for so many workers started elsewhere with `sloproof load worker`.")
]
MasterBind = Annotated[str, typer.Option(help="Where those workers connect to, as `host:port`.")]


StopEarly = Annotated[
    bool | None,
    typer.Option(
        "--stop-early/--to-the-end",
        help="End the load as soon as an objective is missed beyond doubt; as the profile says by default.",
        show_default=False,
    ),
]


@app.command()
def run(
    name: ProfileName,
    report: Report = None,
    fraction: Fraction = "1",
    release: Release = None,
    stop_early: StopEarly = None,
    processes: Processes = None,
    expect_workers: ExpectWorkers = None,
    master_bind: MasterBind = "127.0.0.1:5557",
) -> None:
    """Run a load profile against the lab; each objective passes, fails or stays undecided."""
    from sloproof.chaos.run import run_load
    from sloproof.chaos.stage import Stage
    from sloproof.cli.distribution import distribution_of
    from sloproof.cli.extras import require
    from sloproof.cli.numbers import share_of
    from sloproof.cli.outcome import conclude, recorded_in
    from sloproof.cli.progress import live_line
    from sloproof.cli.release import release_of
    from sloproof.cli.remembering import Remembered
    from sloproof.cli.surroundings import history_file, new_run_folder, running_lab, surroundings_of
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.workspace import load_workspace

    require("load")
    workspace = load_workspace()
    profile = workspace.named(LoadProfile, name).shortened(share_of(fraction))
    if stop_early is not None:
        profile = profile.model_copy(update={"stop_early": stop_early})
    distribution = distribution_of(processes or profile.processes, expect_workers, master_bind)
    surroundings = surroundings_of(workspace, running_lab(workspace, profile.system))
    folder = new_run_folder(workspace, name)
    remembered = Remembered(
        history=history_file(workspace),
        kind="load",
        name=name,
        system=profile.system,
        release=release_of(workspace.root, release),
    )
    with recorded_in(folder, report, remembered=remembered), live_line() as watch:
        facts = run_load(profile, surroundings, folder, watch, distribution)
    stage = Stage.of_load(name, facts)
    title, command = f"Load run {name}", f"sloproof load run {name}"
    raise typer.Exit(conclude([stage], surroundings, folder, title, command, report, remembered=remembered))


@app.command()
def worker(
    master: Annotated[str, typer.Option(help="Address of the master, as `host:port`.")],
    patience: Annotated[str, typer.Option(help="How long the master may take to come up.")] = "5m",
) -> None:
    """Send a share of the load of a master that waits for workers, then end."""
    from sloproof.cli import console
    from sloproof.cli.extras import require
    from sloproof.cli.options import duration
    from sloproof.loadtests.worker_process import work_for
    from sloproof.workspace import load_workspace

    require("load")
    workspace = load_workspace()
    wait = duration(patience, "--patience").total_seconds()
    console.say(f"asking the master at {master} for its plan")
    work_for(master, workspace.root, workspace.settings.targets, wait)
