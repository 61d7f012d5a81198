"""`sloproof load run | capacity | manifests | worker`."""

from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli.capacity import capacity
from sloproof.cli.distribution import MASTER
from sloproof.cli.report_files import RunReports, run_report_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sloproof.chaos.facts import RunFacts
    from sloproof.chaos.run import Watch
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.cli.load_choice import ChosenLoad
    from sloproof.workspace import Workspace

    Send = Callable[[Path, Watch], RunFacts]

app = typer.Typer(help="Load a system and judge its objectives on what was seen.", no_args_is_help=True)
app.command(short_help="Find the highest rate at which the objectives hold.")(capacity)

ProfileName = Annotated[str | None, typer.Argument(help="A load profile of `loadtests/`, such as `steady`.")]
Locustfile = Annotated[str | None, typer.Option(help="Run any locustfile, as it is, in place of a profile.")]
System = Annotated[str | None, typer.Option(help="With `--locustfile`: the system of the lab that it loads.")]
Users = Annotated[int | None, typer.Option(help="With `--locustfile`: users at once; 1 by default.")]
SpawnRate = Annotated[str | None, typer.Option(help="With `--locustfile`: users started in a second; 1 by default.")]
Length = Annotated[
    str | None,
    typer.Option(help="With `--locustfile`: how long, 1m by default; at most how long with a LoadTestShape, 1h."),
]
Target = Annotated[str | None, typer.Option(help="Load this address; no lab watches it, so no objective is judged.")]
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
Against = Annotated[
    str | None,
    typer.Option(
        metavar="RUN", help="Compare with an earlier run: `baseline`, `last` or a number of `sloproof history`."
    ),
]
StopEarly = Annotated[
    bool | None,
    typer.Option(
        "--stop-early/--to-the-end",
        help="End the load as soon as an objective is missed beyond doubt; as the profile says by default.",
        show_default=False,
    ),
]


@app.command(short_help="Run a load profile, or any locustfile.")
def run(
    name: ProfileName = None,
    locustfile: Locustfile = None,
    system: System = None,
    users: Users = None,
    spawn_rate: SpawnRate = None,
    duration: Length = None,
    target: Target = None,
    report: RunReports = None,
    fraction: Fraction = "1",
    release: Release = None,
    stop_early: StopEarly = None,
    processes: Processes = None,
    expect_workers: ExpectWorkers = None,
    master_bind: MasterBind = MASTER,
    against: Against = None,
) -> None:
    """Run a load profile, or any locustfile; what it must show passes, fails or stays undecided."""
    from sloproof.chaos.stage import Stage
    from sloproof.cli.comparing import compared, find_earlier
    from sloproof.cli.extras import require
    from sloproof.cli.grafana_access import load_marked
    from sloproof.cli.load_choice import Wishes, chosen_load
    from sloproof.cli.outcome import conclude, recorded_in
    from sloproof.cli.progress import live_line
    from sloproof.cli.release import release_of
    from sloproof.cli.remembering import Remembered
    from sloproof.cli.surroundings import history_file, new_run_folder
    from sloproof.workspace import load_workspace

    require("load")
    workspace = load_workspace()
    wishes = Wishes(
        name=name,
        locustfile=locustfile,
        system=system,
        users=users,
        spawn_rate=spawn_rate,
        duration=duration,
        target=target,
        fraction=fraction,
        stop_early=stop_early,
        processes=processes,
        expect_workers=expect_workers,
        master_bind=master_bind,
        against=against,
    )
    reports, load = run_report_files(report), chosen_load(workspace, wishes)
    remembered = Remembered(
        history=history_file(workspace),
        kind="load",
        name=load.profile.name,
        system=load.profile.system,
        release=release_of(workspace.root, release),
        environment="lab" if load.target is None else "target",
    )
    send, surroundings = (_in_lab if load.target is None else _at_target)(workspace, load)
    earlier, folder = find_earlier(remembered, against), new_run_folder(workspace, load.profile.name)
    marked = load_marked(workspace, load.profile.system, load.profile.name)
    with recorded_in(folder, reports, remembered=remembered), marked, live_line() as watch:
        facts = send(folder, watch)
    stage = Stage.of_load(load.profile.name, facts, load.profile.expect)
    stage, difference = compared(stage, remembered, folder, earlier, load.profile.baseline)
    title = f"Load run {load.profile.name}"
    code = conclude(
        [stage], surroundings, folder, title, wishes.command, reports, remembered=remembered, against=difference
    )
    raise typer.Exit(code)


def _in_lab(workspace: "Workspace", load: "ChosenLoad") -> "tuple[Send, Surroundings | None]":
    """How the load is sent to the lab's system, and what surrounds that."""
    from sloproof.chaos.run import run_load
    from sloproof.cli.surroundings import running_lab, surroundings_of

    surroundings = surroundings_of(workspace, running_lab(workspace, load.profile.system))

    def send(folder: "Path", watch: "Watch") -> "RunFacts":
        return run_load(load.profile, surroundings, folder, watch, load.distribution, load.given)

    return send, surroundings


def _at_target(workspace: "Workspace", load: "ChosenLoad") -> "tuple[Send, Surroundings | None]":
    """How the load is sent to an address that no lab watches."""
    from sloproof.chaos.run_without_lab import run_without_lab

    def send(folder: "Path", watch: "Watch") -> "RunFacts":
        return run_without_lab(
            load.profile,
            target=load.target or "",
            workspace=workspace.root,
            run_folder=folder,
            watch=watch,
            allowed=workspace.settings.targets,
            given=load.given,
            distribution=load.distribution,
        )

    return send, None


@app.command(short_help="Print Kubernetes manifests that run a profile.")
def manifests(
    name: Annotated[str, typer.Argument(help="A load profile of `loadtests/`.")],
    target: Annotated[str, typer.Option(help="Address of the system, as the pods reach it.")],
    image: Annotated[str, typer.Option(help="Holds `sloproof[load]`, and the workspace in /workspace; pinned.")],
    workers: Annotated[int, typer.Option(help="How many pods send.")] = 2,
    namespace: Annotated[str, typer.Option(help="Where everything goes; that of the context by default.")] = "",
) -> None:
    """Print Kubernetes manifests that run a profile with a master and workers; nothing is applied."""
    from sloproof.cli import console
    from sloproof.loadtests.manifests import manifests as made
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.workspace import load_workspace

    profile = load_workspace().named(LoadProfile, name)
    console.data(made(profile, target=target, image=image, workers=workers, namespace=namespace))


@app.command(short_help="Send a share of the load of a master.")
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
