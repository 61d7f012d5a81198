"""What a published experiment breaks: its own rollbacks put it back, and its own probes look for it."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from sloproof.chaos.child_environment import child_environment
from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.toolkit_journal import failed_activities
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed

LONGEST = 55.0
"""Seconds; shorter than the turn of an undo."""


class ToolkitRollbacks(Undoing):
    """Play the rollbacks of a published experiment; its author says that they may be played twice.

    Args:
        document: an experiment whose method they are.
        folder: where it runs.
    """

    kind: Literal["toolkit_rollbacks"] = "toolkit_rollbacks"
    document: Path
    folder: Path

    @property
    def place(self) -> str:
        """The document; no lab is known."""
        return str(self.document)

    def perform(self, patience: float) -> str:
        """Play them."""
        return play_rollbacks(self.document, self.folder)

    def ended(self) -> str | None:
        """Only the rollbacks can tell."""
        return None

    def is_over(self) -> bool:
        """Nobody but its author knows."""
        return False


class NotLookedFor(Showing):
    """What a published experiment breaks is its author's business; its own probes look for it."""

    kind: Literal["not_looked_for"] = "not_looked_for"

    def observe(self) -> Observation:
        """Nothing to look at, and nothing to wait for."""
        return Observation(False, True, "its own probes look for its effect")


def play_rollbacks(document: Path, folder: Path) -> str:
    """Run an experiment whose method is somebody's rollbacks in a Chaos Toolkit, and believe only its journal.

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
