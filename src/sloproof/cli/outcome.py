"""How a run ends: its table, its report, its exit code."""

import platform
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.chaos.stage import Stage, verdict_of
from sloproof.cli import console
from sloproof.cli.interruption import Interrupted
from sloproof.cli.remembering import Remembered, remember, remember_early_end
from sloproof.cli.report_files import TO_STANDARD_OUTPUT, check_places, write_reports
from sloproof.errors import SloproofError, UndoFailed

if TYPE_CHECKING:
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.history.against import Against
    from sloproof.report.model import Deploy, RunReport

_NO_RECORDS = frozenset({"plan.json", "problem.json", "locust.log"})


def conclude(
    stages: Sequence[Stage],
    surroundings: "Surroundings | None",
    folder: Path,
    title: str,
    command: str,
    reports: Mapping[str, str],
    *,
    remembered: Remembered | None = None,
    against: "Against | None" = None,
) -> int:
    """Print the table, write the report, add the run to the history, and say how the command ends.

    Args:
        stages: the parts of the run, in order.
        surroundings: where it happened; None for a target that no lab watches.
        folder: the run's records.
        title: what was done, for the report's heading.
        command: what was typed.
        reports: path -> format of what was asked for; the page also goes beside the records, or where it was asked for.
        remembered: what the history is told; None for nothing.
        against: how it differs from an earlier run; None where nobody asked.

    Returns:
        The exit code.

    Raises:
        UndoFailed: a fault is still in place.
    """
    from sloproof.report.run_formats import FORMATS

    verdict, environment = verdict_of(stages), environment_of(stages)
    model, file = write_records(
        stages, surroundings, folder, title, command, page_of(reports), against=against, remembered=remembered
    )
    if TO_STANDARD_OUTPUT not in reports:
        _print(model)
    for note in model.notes:
        console.say(f"note: {note}")
    console.say(f"report: {file}")
    write_reports(model, {place: form for place, form in reports.items() if place != str(file)}, FORMATS)
    left = [description for stage in stages for description in stage.facts.chaos.not_undone]
    if remembered is not None:
        code = UndoFailed.exit_code if left else verdict.exit_code
        kept = remember(stages, remembered, folder, exit_code=code, versions=environment)
        if kept is not None and against is not None and against.earlier is None:
            console.say(f"`sloproof history pin {kept.id}` makes it the baseline of the next one")
    if left:
        raise UndoFailed(
            f"still broken: {'; '.join(left)}",
            hint="run `sloproof chaos undo`; the ledger in `.sloproof` names each fault",
        )
    return verdict.exit_code


def write_records(
    stages: Sequence[Stage],
    surroundings: "Surroundings | None",
    folder: Path,
    title: str,
    command: str,
    page: Path | None,
    *,
    against: "Against | None" = None,
    remembered: Remembered | None = None,
) -> "tuple[RunReport, Path]":
    """Write a run's `report.json` beside its records, and its HTML.

    Args:
        stages: as for `conclude`.
        surroundings: as for `conclude`.
        folder: as for `conclude`.
        title: as for `conclude`.
        command: as for `conclude`.
        page: where the HTML goes; None for beside the records.
        against: as for `conclude`.
        remembered: as for `conclude`.

    Returns:
        The report, and where its HTML lies.
    """
    from sloproof.report.curves import run_charts
    from sloproof.report.from_run import run_report
    from sloproof.report.html import render_html
    from sloproof.report.json import render_json
    from sloproof.report.spans import read_spans
    from sloproof.report.traces import shown_traces
    from sloproof.workspace.files import write_file

    traces = surroundings.traces if surroundings else None
    model = run_report(
        stages,
        verdict=verdict_of(stages),
        charts=run_charts(stages, surroundings.prometheus if surroundings else None),
        system=stages[0].facts.load.system,
        scale=stages[0].facts.timing.scale,
        title=title,
        command=command,
        environment=environment_of(stages),
        kind=remembered.kind if remembered else "",
        name=remembered.name if remembered else "",
        release=remembered.release if remembered else "",
        deploys=_deploys(stages, remembered),
        compared_with=against.title if against else "",
        comparisons=against.comparisons if against else (),
        spans=read_spans(traces, shown_traces(stages)) if traces else {},
    )
    file = page or folder / "report.html"
    write_file(folder / "report.json", render_json(model))
    write_file(file, render_html(model))
    return model, file


def _deploys(stages: Sequence[Stage], remembered: Remembered | None) -> "list[Deploy]":
    """What the history was told of deploys in the time of the run; one that cannot be read is told of when it ends."""
    from sloproof.errors import PartFailed
    from sloproof.history import History
    from sloproof.report.model import Deploy

    if remembered is None:
        return []
    loads = [stage.facts.load for stage in stages]
    start, end = loads[0].started_at, max(load.ended_at for load in loads)
    try:
        with History.open(remembered.history) as history:
            found = history.deploys(remembered.system, start, end)
    except PartFailed:
        return []
    return [Deploy(release=one.release, at=one.at) for one in found]


def page_of(reports: Mapping[str, str]) -> Path | None:
    """Where the page was asked to go; None for beside the run's records."""
    places = [place for place, form in reports.items() if form == "html" and place != TO_STANDARD_OUTPUT]
    return Path(places[0]) if places else None


@contextmanager
def recorded_in(folder: Path, reports: Mapping[str, str], *, remembered: Remembered | None = None) -> Iterator[None]:
    """A run: its report's place is tried before it begins, and its record is named when it ends early.

    Args:
        folder: the run's records.
        reports: path -> format of what was asked for.
        remembered: what the history is told of a run that ends early; None for nothing.

    Raises:
        PartFailed: the report could not be written there; nothing was started.
    """
    check_places(reports)
    try:
        yield
    except BaseException as error:
        if _holds_records(folder):
            console.say(f"what was recorded until then lies in `{folder}`")
            if remembered is not None:
                code, reason = _ending(error)
                remember_early_end(remembered, folder, exit_code=code, reason=reason)
        raise


def _holds_records(folder: Path) -> bool:
    """Whether a run left more than what it was told and what its generator said."""
    return any(file.is_file() and file.name not in _NO_RECORDS for file in folder.rglob("*"))


def _ending(error: BaseException) -> tuple[int, str]:
    """What the command ends with, and why, in words."""
    if isinstance(error, Interrupted):
        return 128 + error.signal, f"stopped by {signal.Signals(error.signal).name}"
    if isinstance(error, SloproofError):
        return error.exit_code, error.message
    return SloproofError.exit_code, f"{type(error).__name__}: {error}"


def _print(report: "RunReport") -> None:
    """The table of expected against observed: drawn on a terminal, in plain lines elsewhere."""
    from sloproof.report.terminal import render_plain, render_terminal

    if console.output().is_terminal:
        console.output().print(render_terminal(report))
    else:
        console.lines(render_plain(report, console.output().width) + "\n")


def environment_of(stages: Sequence[Stage]) -> dict[str, str]:
    """Names and versions of what a run was made with."""
    from sloproof import __version__

    locust = next((stage.facts.load.locust_version for stage in stages if stage.facts.load.locust_version), "")
    return {
        "sloproof": __version__,
        "Python": platform.python_version(),
        "Locust": locust,
        **_versions({"Chaos Toolkit": "chaostoolkit"}),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _versions(packages: Mapping[str, str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name, package in packages.items():
        with suppress(PackageNotFoundError):
            found[name] = version(package)
    return found
