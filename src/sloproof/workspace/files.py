"""The one place that writes what is generated: everything is ready in memory first, and each file appears whole."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sloproof import names
from sloproof.errors import PartFailed

GENERATED_FOLDERS = ("alerts/generated", "alerts/tests", "dashboards/generated", "chaos/generated")
"""Folders that hold nothing but what is generated; files that no definition implies any more are removed."""


FLUSHED_AT_A_TIME = 16


@dataclass(frozen=True)
class Artifact:
    """A file that the definitions imply.

    Args:
        path: relative to the workspace's root, with `/`.
        text: its whole content.
    """

    path: str
    text: str


@dataclass(frozen=True)
class Change:
    """How a file differs from what the definitions imply."""

    path: str
    kind: Literal["new", "changed", "stale"]


def compare(root: Path, artifacts: Sequence[Artifact]) -> list[Change]:
    """What writing would change.

    Args:
        root: the workspace.
        artifacts: every generated file.

    Returns:
        Changes by path; empty when the files are as the definitions imply.
    """
    changes = [
        Change(a.path, "changed" if (root / a.path).exists() else "new")
        for a in artifacts
        if _current(root / a.path) != a.text
    ]
    changes += [Change(path, "stale") for path in _stale(root, artifacts)]
    return sorted(changes, key=lambda change: change.path)


def write(root: Path, artifacts: Sequence[Artifact]) -> list[Change]:
    """Bring the files up to date.

    Every new text is on the disk under a temporary name before the first file is replaced, so that
    a full disk or a folder that cannot be written leaves all files as they were.

    Args:
        root: the workspace.
        artifacts: every generated file.

    Returns:
        What was changed.

    Raises:
        PartFailed: a file could not be written; nothing was changed.
    """
    changes = compare(root, artifacts)
    texts = {artifact.path: artifact.text for artifact in artifacts}
    with _temporaries() as prepared:
        try:
            for change in changes:
                if change.kind != "stale":
                    _prepare(root / change.path, texts[change.path], prepared)
            _flush(prepared)
        except OSError as error:
            raise _unwritable(error.filename, error, "; no file was changed") from error
        _put_in_place(prepared)
    for change in changes:
        if change.kind == "stale":
            _remove(root / change.path)
    return changes


def check_writable(file: Path) -> None:
    """Make sure that a file can be written later.

    Raises:
        PartFailed: its folder cannot be made or written.
    """
    with _temporaries() as prepared:
        try:
            _prepare(file, "", prepared)
            _flush(prepared)
        except OSError as error:
            raise _unwritable(file, error, "; nothing was started") from error


def write_file(file: Path, text: str) -> None:
    """Write one file whole: under a temporary name, flushed, then renamed.

    Raises:
        PartFailed: it could not be written; an older file stays as it was.
    """
    with _temporaries() as prepared:
        try:
            _prepare(file, text, prepared)
            _flush(prepared)
        except OSError as error:
            raise _unwritable(file, error) from error
        _put_in_place(prepared)


def _current(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PartFailed(
            f"`{file}` cannot be read: {error.strerror}; no file was changed",
            hint="a generated file goes there; move away what is in its place, or mend its permissions",
        ) from error


@contextmanager
def _temporaries() -> Iterator[dict[Path, Path]]:
    """Final names by temporary ones; what has not found its place when the block ends is removed."""
    prepared: dict[Path, Path] = {}
    try:
        yield prepared
    finally:
        for temporary in prepared:
            temporary.unlink(missing_ok=True)


def _prepare(file: Path, text: str, prepared: dict[Path, Path]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        prepared[Path(name)] = file
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
        Path(name).chmod(0o644)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error


def _flush(prepared: Mapping[Path, Path]) -> None:
    """Wait until the disk has every temporary file; many at a time, as a disk takes them together."""
    with ThreadPoolExecutor(FLUSHED_AT_A_TIME) as threads:
        for _ in threads.map(_flush_one, prepared, prepared.values()):
            pass


def _flush_one(temporary: Path, file: Path) -> None:
    try:
        handle = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error


def _put_in_place(prepared: Mapping[Path, Path]) -> None:
    for number, (temporary, final) in enumerate(prepared.items()):
        try:
            temporary.replace(final)
        except OSError as error:
            raise _unwritable(final, error, f"; {number} of {len(prepared)} files are written") from error


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        raise _unwritable(file, error, "; the other files are up to date") from error


def _unwritable(file: Path | str, error: OSError, state: str = "") -> PartFailed:
    return PartFailed(
        f"`{file}` cannot be written: {error.strerror}{state}",
        hint="free some space or mend the folder's permissions, then run it again",
    )


def _stale(root: Path, artifacts: Sequence[Artifact]) -> list[str]:
    implied = {artifact.path for artifact in artifacts}
    found = [
        file.relative_to(root).as_posix()
        for folder in GENERATED_FOLDERS
        for file in sorted((root / folder).glob("*"))
        if file.is_file() and not file.name.startswith(".")
    ]
    return [path for path in found if path not in implied and _ours(root / path)]


def _ours(file: Path) -> bool:
    """In `alerts/tests` people keep cases of their own; ours begin with the header."""
    return file.parent.name == names.GENERATED or file.read_text(encoding="utf-8", errors="replace").startswith(
        names.RULES_HEADER
    )
