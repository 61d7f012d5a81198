"""Plays the rollbacks of a published experiment in a Chaos Toolkit of their own, and believes only its journal."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sloproof.chaos.child_environment import child_environment
from sloproof.chaos.toolkit_journal import failed_activities
from sloproof.errors import PartFailed

LONGEST = 55.0
"""Seconds; shorter than the turn of an undo."""


def play_rollbacks(document: Path, folder: Path) -> str:
    """Run an experiment whose method is somebody's rollbacks.

    Args:
        document: the file.
        folder: where it runs, as the experiment did.

    Returns:
        How that was verified.

    Raises:
        PartFailed: a rollback failed, or did not end.
    """
    with tempfile.TemporaryDirectory(prefix="sloproof-rollbacks-") as place:
        journal = Path(place) / "journal.json"
        command = [sys.executable, "-m", "chaostoolkit", "--no-version-check", "--log-file", f"{place}/log"]
        command += ["run", "--journal-path", str(journal), str(document)]
        try:
            ended = subprocess.run(
                command,
                cwd=folder,
                env=child_environment({}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
            runs = json.loads(journal.read_bytes())["run"]
            planned = len(json.loads(document.read_bytes())["method"])
        except subprocess.TimeoutExpired:
            raise PartFailed(f"the rollbacks did not end within {LONGEST:g} s") from None
        except (OSError, ValueError, KeyError) as error:
            raise PartFailed(f"the rollbacks could not be played: {error}") from None
    failed = failed_activities(runs)
    if failed or len(runs) != planned:
        raise PartFailed(f"rollbacks failed: {'; '.join(failed) or ended.stdout[-200:]}")
    return f"{planned} rollbacks succeeded"
