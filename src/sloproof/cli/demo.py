"""`sloproof demo`: the whole story on a live system, in minutes."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console
from sloproof.cli.lab import DEFAULT_SCALE

if TYPE_CHECKING:
    from sloproof.chaos.experiment import Experiment
    from sloproof.chaos.run import Watch
    from sloproof.chaos.stage import Stage
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.workspace import Workspace

LIFETIME = "15m"
"""The lab of a demo ends by itself after this, whatever becomes of the demo."""
TITLE = "A live system, loaded and broken twice"
SYSTEM = "tasks"
LOAD = "steady"
EXPERIMENTS = ("lose-one-instance", "slow-backend")

Report = Annotated[
    Path | None, typer.Option(help="Where the HTML report goes; `report.html` in the run's folder by default.")
]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the report in a browser when there is one.")]


def demo(report: Report = None, open_report: Open = True) -> None:
    """Bring a system up, load it, break it twice, and show what was expected and what was observed."""
    from sloproof.cli.admission import admitted_in_own_lab
    from sloproof.cli.extras import require
    from sloproof.cli.outcome import conclude, recorded_in
    from sloproof.cli.release import release_of
    from sloproof.cli.remembering import Remembered
    from sloproof.cli.surroundings import history_file, new_run_folder

    require("load", "chaos", "lab")
    started = time.monotonic()
    workspace = _workspace()
    profile, experiments = _content(workspace)
    lasts = sum((one.run_length for one in experiments), profile.duration)
    admitted_in_own_lab(experiments, workspace, lasts=lasts)
    folder = new_run_folder(workspace, "demo")
    plan = _Plan(
        ["start the system and load its rules", "steady load", *EXPERIMENTS, "write the report, end the system"]
    )
    reports = {str(report): "html"} if report else {}
    with recorded_in(folder, reports), _lab(workspace, plan) as surroundings:
        stages = list(_stages(profile, experiments, surroundings, folder, plan))
        plan.next()
        file = report or folder / "report.html"
        remembered = Remembered(
            history=history_file(workspace),
            kind="demo",
            name="demo",
            system=SYSTEM,
            release=release_of(workspace.root, None),
        )
        code = conclude(stages, surroundings, folder, TITLE, "sloproof demo", reports, remembered=remembered)
    console.say(f"done in {time.monotonic() - started:.0f} s")
    if open_report and _has_a_display():
        typer.launch(file.resolve().as_uri())
    raise typer.Exit(code)


class _Plan:
    """Says what happens now and what comes next."""

    def __init__(self, steps: list[str]) -> None:
        self._steps = steps
        self._now = -1

    def next(self) -> str:
        """Go to the next step and announce it; returns the prefix of its live line."""
        self._now += 1
        upcoming = "".join(f"  [dim](next: {step})[/]" for step in self._steps[self._now + 1 : self._now + 2])
        console.talk().print(f"\n[bold]{self._now + 1}/{len(self._steps)} {self._steps[self._now]}[/]{upcoming}")
        return "  "


def _content(workspace: "Workspace") -> "tuple[LoadProfile, list[Experiment]]":
    """What the demo runs; asked for first, so that a workspace without it starts nothing."""
    from sloproof.chaos.experiment import Experiment
    from sloproof.loadtests.profile import LoadProfile

    return workspace.named(LoadProfile, LOAD), [workspace.named(Experiment, name) for name in EXPERIMENTS]


def _stages(
    profile: "LoadProfile",
    experiments: "list[Experiment]",
    surroundings: "Surroundings",
    folder: Path,
    plan: _Plan,
) -> "Iterator[Stage]":
    from sloproof.chaos.run import run_load
    from sloproof.chaos.stage import Stage
    from sloproof.cli.progress import live_line
    from sloproof.verdict.judge import Verdict

    def watched(run: "Callable[[Watch], Stage]") -> "Stage":
        with live_line(plan.next()) as watch:
            stage = run(watch)
        for finding in stage.findings:
            reason = f" ({finding.detail})" if finding.verdict is not Verdict.PASS else ""
            told = f" {finding.expected}: {finding.observed}{reason}"
            console.talk().print("  ", console.verdict(finding.verdict.value), told, markup=False)
        return stage

    yield watched(lambda watch: Stage.of_load(LOAD, run_load(profile, surroundings, folder / LOAD, watch)))
    for experiment in experiments:
        yield watched(_experiment_run(experiment, surroundings, folder / experiment.name))


def _experiment_run(experiment: "Experiment", surroundings: "Surroundings", folder: Path) -> "Callable[[Watch], Stage]":
    from sloproof.chaos.run import run_experiment
    from sloproof.chaos.stage import Stage

    def run(watch: "Watch") -> "Stage":
        for fault in experiment.faults:
            console.say(f"  {fault.describe()}")
        return Stage.of_experiment(experiment, run_experiment(experiment, surroundings, folder, watch))

    return run


@contextmanager
def _lab(workspace: "Workspace", plan: _Plan) -> "Iterator[Surroundings]":
    """The demo's own lab; it dies with the demo, whatever ends that."""
    from sloproof import lab
    from sloproof.cli.interruption import uninterrupted
    from sloproof.cli.options import duration
    from sloproof.cli.surroundings import lab_folder, parts_folder, surroundings_of
    from sloproof.lab import parts_apt
    from sloproof.workspace.lab_files import lab_files, lab_timing

    timing, folder = lab_timing(workspace, DEFAULT_SCALE), lab_folder(workspace, SYSTEM)
    prefix = plan.next()

    def say(message: str) -> None:
        console.say(prefix + message)

    parts_apt.install(parts_folder(workspace), say)
    state = lab.up(
        SYSTEM,
        folder=folder,
        generated=lab_files(workspace, SYSTEM, timing),
        scale=DEFAULT_SCALE,
        scrape_interval=timing.scrape,
        evaluation_interval=timing.real(timing.evaluation),
        lifetime=duration(LIFETIME, "lifetime"),
        owner_pid=os.getpid(),
        parts=parts_folder(workspace),
        say=say,
    )
    try:
        yield surroundings_of(workspace, state)
    finally:
        with uninterrupted():
            lab.down(folder, say=say)


def _workspace() -> "Workspace":
    """The workspace around the working directory, or one made for the demo where there is none."""
    from sloproof.errors import UsageError
    from sloproof.workspace import load_workspace, template

    try:
        return load_workspace()
    except UsageError as error:
        if "no sloproof workspace" not in error.message:
            raise
    folder = Path("sloproof-demo")
    if not folder.exists():
        template.copy_to(folder)
        console.say(f"no workspace here: made one in `{folder}`")
    return load_workspace(folder)


def _has_a_display() -> bool:
    return console.talk().is_terminal and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
