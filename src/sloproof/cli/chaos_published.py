"""`sloproof chaos run FILE.json`: an experiment of the Chaos Toolkit, unchanged, under our safety."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sloproof.chaos.published import SYSTEM, Published, check_targets, read_published
from sloproof.cli import console
from sloproof.cli.admission import confirm
from sloproof.cli.chaos_telling import told_elsewhere
from sloproof.cli.extras import require
from sloproof.cli.options import duration
from sloproof.cli.surroundings import new_run_folder
from sloproof.definition import format_duration
from sloproof.errors import Refused, UndoFailed

if TYPE_CHECKING:
    from sloproof.workspace import Workspace


def see_published(name: str, workspace: "Workspace", *, longest: str, yes: bool, dry_run: bool) -> int:
    """Run a file of the Chaos Toolkit.

    Args:
        name: the file.
        workspace: whose targets, limits and ledger hold.
        longest: after this it is stopped.
        yes: nobody is asked.
        dry_run: print what it would do, and do nothing.

    Returns:
        The exit code.

    Raises:
        Refused: a target is not listed, it is not the hour for it, or nobody said yes; nothing was sent.
        UndoFailed: its rollbacks failed.
    """
    experiment, limit = read_published(Path(name)), duration(longest, "--longest")
    check_targets(experiment, workspace.settings.targets)
    if why := workspace.settings.safety.why_not_now(datetime.now(UTC), limit):
        raise Refused(f"{why}; nothing was sent", hint="the limits stand in `[tool.sloproof.safety]`")
    if dry_run:
        _show(experiment)
        return 0
    require("chaos")
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"nobody is there to confirm `{name}`, which may break anything; nothing was sent",
            hint="`--yes` answers beforehand",
        )
    confirm(f"Run `{experiment.title}`, for {format_duration(limit)} at most?", yes=yes)
    if not experiment.rollbacks:
        console.say("it has no rollbacks: whatever it breaks stays broken until somebody puts it back")
    return _run(experiment, workspace, limit)


def _run(experiment: Published, workspace: "Workspace", limit: Any) -> int:
    from sloproof.chaos.published_process import run_published

    folder = new_run_folder(workspace, experiment.path.stem)
    ledger = workspace.state / "ledger.jsonl"
    with told_elsewhere(workspace, folder, SYSTEM, experiment.path.stem):
        ended = run_published(experiment, run_folder=folder, ledger=ledger, longest=limit)
    left = "; NOT PUT BACK" if ended.not_undone else ""
    console.show(f"{experiment.title}: {ended.verdict} ({ended.reason}){left}")
    console.say(f"journal: {folder / 'events.jsonl'}; the Chaos Toolkit's: {folder / 'chaos' / 'journal.json'}")
    if ended.not_undone:
        raise UndoFailed(
            f"still broken: {'; '.join(ended.not_undone)}",
            hint="run `sloproof chaos undo`, which plays its rollbacks again; see `chaos/output.log` of the run",
        )
    return ended.verdict.exit_code


def _show(experiment: Published) -> None:
    hypothesis = experiment.document.get("steady-state-hypothesis") or {}
    console.show(f"{experiment.title}: {experiment.document.get('description', '')}")
    for heading, activities in (
        ("expected", hypothesis.get("probes") or []),
        ("method", experiment.document["method"]),
        ("put back", experiment.rollbacks),
    ):
        for activity in activities:
            console.show(f"{heading:9}{_activity(activity)}")
    console.show("what it spends of an error budget nobody can say before")


def _activity(activity: Mapping[str, Any]) -> str:
    if "ref" in activity:
        return f"`{activity['ref']}` once more"
    return f"{activity.get('type')} `{activity.get('name')}` ({(activity.get('provider') or {}).get('type')})"
