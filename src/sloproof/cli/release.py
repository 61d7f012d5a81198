"""What is tested: the release that somebody names, or the commit of the workspace."""

import os
import subprocess
from pathlib import Path

VARIABLE = "SLOPROOF_RELEASE"
_GIT_MAY_TAKE = 5.0


def release_of(workspace: Path, given: str | None) -> str:
    """The label of the release under test.

    Args:
        workspace: its root; the commit checked out there stands in where nobody names a release.
        given: `--release`.

    Returns:
        `--release`, else SLOPROOF_RELEASE, else a commit such as `3f2c1ab` or `3f2c1ab+changes`; empty without any.
    """
    named = given or os.environ.get(VARIABLE, "")
    return named.strip() or _commit(workspace)


def _commit(workspace: Path) -> str:
    commit = _git(workspace, "rev-parse", "--short", "HEAD")
    if not commit:
        return ""
    return f"{commit}+changes" if _git(workspace, "status", "--porcelain", "--untracked-files=no") else commit


def _git(workspace: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=workspace, capture_output=True, text=True, timeout=_GIT_MAY_TAKE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
