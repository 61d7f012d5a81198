"""One chaos run at a time on one system: a lock file that names its holder."""

import os
from pathlib import Path
from typing import IO

from sloproof.chaos.file_lock import lock
from sloproof.errors import Refused


def hold(folder: Path, system: str) -> IO[str]:
    """Take the right to break a system; it is given back when the file is closed or its holders die.

    Args:
        folder: `.sloproof` of the workspace.
        system: the system's name.

    Returns:
        The open lock file; keep it, and hand its descriptor to children that inject.

    Raises:
        Refused: another run has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = _lock_file(folder, system).open("a+", encoding="utf-8")
    if not lock(file, timeout=0):
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise Refused(
            f"a chaos run on `{system}` is already going on (process {holder})",
            hint="wait for it, or stop that process",
        )
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def holder(folder: Path, system: str) -> int | None:
    """The process that breaks a system at this moment.

    Args:
        folder: `.sloproof` of the workspace.
        system: the system's name.

    Returns:
        Its number, 0 when it has not said it yet; None when nobody holds the lock, whatever the file says.
    """
    try:
        file = _lock_file(folder, system).open("r", encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        if lock(file, timeout=0):
            return None
        told = file.read().strip()
        return int(told) if told.isdecimal() else 0


def _lock_file(folder: Path, system: str) -> Path:
    return folder / f"chaos-{system}.lock"
