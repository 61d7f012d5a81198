"""`sloproof chaos run | undo | doctor | daemon`."""

import time
from contextlib import ExitStack
from typing import Annotated

import typer

from sloproof.cli import console
from sloproof.cli.report_files import RunReports, run_report_files

app = typer.Typer(help="Break a system on purpose, and put it back.", no_args_is_help=True)

ExperimentName = Annotated[
    str,
    typer.Argument(
        help="An experiment of `chaos/`, such as `lose-one-instance`, or a file of the Chaos Toolkit, `FILE.json`."
    ),
]
Longest = Annotated[str, typer.Option(metavar="DURATION", help="After this an experiment from a file is stopped.")]
Silent = Annotated[
    bool,
    typer.Option("--silence", help="Silence the service's alerts that the experiment does not expect while it runs."),
]
Release = Annotated[
    str | None,
    typer.Option(help="What is tested, for the history; SLOPROOF_RELEASE or the workspace's commit by default."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the plan and what it will probably spend; send nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before something is broken.")]
OverBudget = Annotated[
    bool, typer.Option("--over-budget", help="Run although the error budget cannot pay for it, and spend beyond it.")
]


@app.command(short_help="Run an experiment and judge what was expected of it.")
def run(
    name: ExperimentName,
    report: RunReports = None,
    silence: Silent = False,
    release: Release = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    over_budget: OverBudget = False,
    longest: Longest = "15m",
) -> None:
    """Run an experiment against the lab: its load, its faults, and what must be seen.

    Exit 4: a guard stopped it. Exit 5: a limit of `[tool.sloproof.safety]` or the error budget forbids it.
    """
    from sloproof.alertmanager import Alertmanager
    from sloproof.chaos.experiment import Experiment
    from sloproof.chaos.published import is_published
    from sloproof.chaos.run import run_experiment
    from sloproof.chaos.run_silence import expected_alerts, run_silence, silenced
    from sloproof.chaos.stage import Stage
    from sloproof.cli.admission import admitted
    from sloproof.cli.chaos_plan import show_plan
    from sloproof.cli.chaos_published import see_published
    from sloproof.cli.chaos_telling import told_elsewhere
    from sloproof.cli.extras import require
    from sloproof.cli.outcome import conclude, recorded_in
    from sloproof.cli.progress import live_line
    from sloproof.cli.release import release_of
    from sloproof.cli.remembering import Remembered
    from sloproof.cli.surroundings import history_file, new_run_folder, running_lab, surroundings_of
    from sloproof.workspace import load_workspace

    workspace, reports = load_workspace(), run_report_files(report)
    if is_published(name):
        raise typer.Exit(see_published(name, workspace, longest=longest, yes=yes, dry_run=dry_run))
    experiment = workspace.named(Experiment, name)
    if dry_run:
        raise typer.Exit(show_plan(experiment, workspace))
    require("load", "chaos")
    lab = running_lab(workspace, experiment.system)
    surroundings = surroundings_of(workspace, lab)
    for fault in experiment.faults:
        console.say(f"planned: {fault.describe()}")
    limits = admitted(experiment, workspace, surroundings, yes=yes, over_budget=over_budget)
    planned = run_silence(experiment, time.time()) if silence else None
    folder = new_run_folder(workspace, name)
    remembered = Remembered(
        history=history_file(workspace),
        kind="chaos",
        name=name,
        system=experiment.system,
        release=release_of(workspace.root, release),
    )
    with ExitStack() as during:
        during.enter_context(recorded_in(folder, reports, remembered=remembered))
        during.enter_context(told_elsewhere(workspace, folder, experiment.system, name))
        if planned is not None:
            alertmanager = during.enter_context(Alertmanager(lab.alertmanager))
            during.enter_context(silenced(alertmanager, planned, console.say))
            console.say(
                f"silenced, until the run is over: alerts of `{experiment.system}`{_but(expected_alerts(experiment))}"
            )
        watch = during.enter_context(live_line())
        facts = run_experiment(experiment, surroundings, folder, watch, limits)
    stage = Stage.of_experiment(experiment, facts)
    command = f"sloproof chaos run {name}" + (" --silence" if silence else "")
    title = f"Chaos experiment {name}"
    raise typer.Exit(conclude([stage], surroundings, folder, title, command, reports, remembered=remembered))


def _but(alerts: tuple[str, ...]) -> str:
    return f", but {', '.join(f'`{alert}`' for alert in alerts)}" if alerts else ""


@app.command(short_help="Put back whatever a run has left broken.")
def undo() -> None:
    """Put back whatever a run has left broken, also after `kill -9`; safe to repeat."""
    from sloproof.chaos.ledger import Ledger
    from sloproof.chaos.undo import undo_all
    from sloproof.cli.interruption import uninterrupted
    from sloproof.workspace import load_workspace

    ledger = load_workspace().state / "ledger.jsonl"
    unreadable = Ledger(ledger).read().unreadable
    if unreadable:
        lines = "1 line" if unreadable == 1 else f"{unreadable} lines"
        console.say(f"`{ledger}`: {lines} cannot be read and had to be passed over")
        console.say("if a fault is still there, it ends with its lab: `sloproof lab down`")
    with uninterrupted():
        undone = undo_all(ledger, console.say)
    console.say(
        f"{len(undone)} fault{'s' if len(undone) != 1 else ''} put back" if undone else "nothing was left broken"
    )


@app.command()
def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Put back what is surely left by a run of this workspace.")
    ] = False,
) -> None:
    """Find what runs have left broken, also where no ledger names it.

    Exit 0: nothing is left. Exit 1: something was found, and nothing was changed. Exit 7: something could not be put
    back.
    """
    from sloproof.cli.chaos_doctor import see_doctor

    raise typer.Exit(see_doctor(fix=fix))


@app.command(short_help="Run the workspace's schedules in this process.")
def daemon(
    prometheus: Annotated[
        str | None,
        typer.Option(metavar="URL", help="That knows the error budgets: nothing begins while one of them is spent."),
    ] = None,
) -> None:
    """Run the workspace's schedules in this process until it is stopped; SIGTERM ends what runs, and waits for it."""
    from sloproof.chaos.daemon import Daemon
    from sloproof.chaos.scheduled_process import ScheduledProcess
    from sloproof.cli.schedule import held_back, schedules_of
    from sloproof.workspace import load_workspace

    workspace = load_workspace()
    schedules = schedules_of(workspace)
    workspace.state.mkdir(parents=True, exist_ok=True)
    if prometheus is None:
        console.say("no `--prometheus`: nothing is postponed for a spent budget")
    Daemon(
        schedules,
        workspace.state,
        start=lambda one, errand: ScheduledProcess.of(one, errand, workspace.root, workspace.state),
        held_back=held_back(workspace, prometheus),
        say=console.say,
    ).run()
