"""The one place that writes what is generated: everything is ready in memory first, and each file appears whole."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sloproof import names
from sloproof.errors import PartFailed

GENERATED_FOLDERS = ("alerts/generated", "alerts/tests", "dashboards/generated", "chaos/generated")
"""Folders that hold nothing but what is generated; files that no definition implies any more are removed."""


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
    prepared: list[tuple[Path, Path]] = []
    try:
        for change in changes:
            if change.kind != "stale":
                prepared.append((_prepare(root / change.path, texts[change.path]), root / change.path))
    except OSError as error:
        for temporary, _ in prepared:
            temporary.unlink(missing_ok=True)
        raise PartFailed(
            f"`{error.filename}` cannot be written: {error.strerror}; no file was changed",
            hint="free some space or mend the folder's permissions, then run it again",
        ) from error
    for temporary, final in prepared:
        temporary.replace(final)
    for change in changes:
        if change.kind == "stale":
            (root / change.path).unlink()
    return changes


def write_file(file: Path, text: str) -> None:
    """Write one file whole: under a temporary name, flushed, then renamed.

    Raises:
        PartFailed: it could not be written; an older file stays as it was.
    """
    try:
        _prepare(file, text).replace(file)
    except OSError as error:
        raise PartFailed(
            f"`{file}` cannot be written: {error.strerror}", hint="free some space or mend the folder's permissions"
        ) from error


def _current(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None


def _prepare(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(file)) from error
    return temporary


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
