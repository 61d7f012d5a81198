"""What a straining program is told, and what it says."""

import json
import os
import time
from pathlib import Path
from typing import Any


class Orders:
    """One fault's orders, and the report beside them.

    Args:
        file: `<strain folder>/<program>.json`, which holds `until` (epoch seconds) and the fault's own fields.
    """

    def __init__(self, file: Path) -> None:
        self._read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self._report = file.with_suffix(".report.json")

    def __getitem__(self, name: str) -> Any:
        return self._read[name]

    @property
    def last(self) -> bool:
        """Whether the time is up, or nobody is left to end this program."""
        return time.time() >= float(self._read["until"]) or os.getppid() == 1

    def report(self, *, holds: int, felt: int, evidence: str) -> None:
        """Say what is held.

        Args:
            holds: how much is held; 0 for nothing yet.
            felt: how often somebody was refused or had to wait.
            evidence: the same in plain words.
        """
        said = {"pid": os.getpid(), "holds": holds, "felt": felt, "evidence": evidence}
        beside = self._report.with_name(f".{self._report.name}.{os.getpid()}")
        beside.write_text(json.dumps(said), encoding="utf-8")
        beside.replace(self._report)
