"""The file that tells an instance's launcher how long to sleep before the instance serves."""

import os
from pathlib import Path


def read_delay(file: Path) -> str | None:
    """What the file holds, or None when there is none."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_delay(file: Path, text: str | None) -> None:
    """Put a text into the file in one step, or take the file away.

    Args:
        file: the instance's file; a folder that is gone is left gone.
        text: seconds; None removes the file.

    Raises:
        OSError: it could not be written.
    """
    if text is None:
        file.unlink(missing_ok=True)
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
