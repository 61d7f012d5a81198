"""The process that runs a published experiment: its rollbacks are on disk and a watchdog stands before it begins.

Started as `python -m sloproof.chaos.published_child FILE`; the rest is in the environment.
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from sloproof.chaos import journal, toolkit_json
from sloproof.chaos.injection import Place
from sloproof.chaos.ledger import Entry, Ledger
from sloproof.chaos.process_identity import this_process
from sloproof.chaos.published import SYSTEM, Published, read_published, rollbacks_done
from sloproof.chaos.published_undo import NotLookedFor, ToolkitRollbacks

CONTROL = "sloproof.chaos.extension.published_control"
DEADLINE = "SLOPROOF_DEADLINE"
"""Epoch seconds after which the watchdog plays the rollbacks."""
ROLLBACKS = "rollbacks.json"
_PREPARED = "experiment"


def place() -> Place:
    """Where this process writes down what it does."""
    run = Path(os.environ[toolkit_json.RUN])
    ledger = Ledger(Path(os.environ[toolkit_json.LEDGER]))
    return Place(lab_file=run / "chaos" / ROLLBACKS, run_folder=run, ledger=ledger, started_at=time.time())


def main(arguments: list[str]) -> int:
    """Run the experiment that the argument names; the exit code is the Chaos Toolkit's."""
    from sloproof.chaos.extension.guard import guard_of

    experiment, where = read_published(Path(arguments[0])), place()
    guard = guard_of(where)
    guard.stand()
    entry = _open(experiment, where) if experiment.rollbacks else None
    try:
        return _run_toolkit(experiment, where)
    finally:
        if entry is not None and rollbacks_done(_journal(where), len(experiment.rollbacks)):
            detail = f"{len(experiment.rollbacks)} rollbacks of its own succeeded"
            where.ledger.note(entry, "undone", detail)
            journal.record(where.run_folder, "undone", fault=_PREPARED, detail=detail)
        guard.dismiss()


def _open(experiment: Published, where: Place) -> Entry:
    document = where.run_folder / "chaos" / ROLLBACKS
    document.write_text(json.dumps(experiment.only_rollbacks()), encoding="utf-8")
    entry = Entry(
        id=f"{_PREPARED}-{uuid.uuid4().hex[:12]}",
        run=where.run_folder,
        system=SYSTEM,
        lab_file=where.lab_file,
        fault=_PREPARED,
        description=experiment.title,
        undo=ToolkitRollbacks(document=document, folder=Path.cwd()),
        effect=NotLookedFor(),
        deadline=float(os.environ[DEADLINE]),
        owner=this_process(),
    )
    with where.ledger.turn():
        where.ledger.open(entry)
    journal.record(where.run_folder, "injecting", fault=_PREPARED, detail=experiment.title)
    return entry


def _run_toolkit(experiment: Published, where: Place) -> int:
    from chaostoolkit.cli import cli

    folder = where.run_folder / "chaos"
    controls = folder / "controls.json"
    control = {"sloproof": {"provider": {"type": "python", "module": CONTROL}}}
    controls.write_text(json.dumps(control), encoding="utf-8")
    words = ["--no-version-check", "--log-file", str(folder / "chaostoolkit.log")]
    words += ["run", "--rollback-strategy=always", "--journal-path", str(folder / "journal.json")]
    words += ["--control-file", str(controls), str(experiment.path)]
    try:
        cli.main(words, prog_name="chaos", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _journal(where: Place) -> dict[str, Any]:
    try:
        found = json.loads((where.run_folder / "chaos" / "journal.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
