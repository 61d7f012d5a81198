"""Disk space that a file takes: how it is given back, and how it is seen."""

import os
import shutil
from pathlib import Path
from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.undoing import Undoing

_MEGABYTE = 1024 * 1024
_CHUNK = bytes(_MEGABYTE)


def fill(file: Path, size: int) -> None:
    """Make a file of ours that takes up space; the blocks are really taken.

    Args:
        file: a new file.
        size: bytes.

    Raises:
        OSError: there is no such space; the file may be there.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
            return
        left = size
        while left:
            left -= os.write(descriptor, _CHUNK[:left])
    finally:
        os.close(descriptor)


class FileGone(Undoing):
    """Take the file away.

    Args:
        file: the file.
        holder: socket of the supervisord of the lab.
    """

    kind: Literal["file_gone"] = "file_gone"
    file: Path
    holder: str

    @property
    def place(self) -> str:
        """The lab."""
        return self.holder

    def perform(self, patience: float) -> str:
        """Take it away."""
        self.file.unlink(missing_ok=True)
        return f"`{self.file.name}` is gone, and its space is free"

    def ended(self) -> str | None:
        """A file outlives its lab."""
        return self.perform(0)

    def is_over(self) -> bool:
        """It is gone."""
        return not self.file.exists()


class DiskFilled(Showing):
    """The file takes up its space.

    Args:
        file: the file.
        bytes: how much it is to take.
    """

    kind: Literal["disk_filled"] = "disk_filled"
    file: Path
    bytes: int

    def observe(self) -> Observation:
        """Look at the file's blocks and at what is left."""
        try:
            taken = self.file.stat().st_blocks * 512
        except FileNotFoundError:
            return Observation(False, False, f"`{self.file}` is not there")
        free = shutil.disk_usage(self.file.parent).free
        live = taken >= self.bytes
        return Observation(live, live, f"{taken // _MEGABYTE} MiB are taken, {free // _MEGABYTE} MiB are left")
