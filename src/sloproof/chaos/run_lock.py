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
    file = (folder / f"chaos-{system}.lock").open("a+", encoding="utf-8")
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
