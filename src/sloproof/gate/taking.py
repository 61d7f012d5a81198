"""Which earlier run may stand for a new one: of the same release, asked for the same, whole, and not stale."""

from collections.abc import Sequence
from datetime import timedelta

from sloproof.definition import format_duration
from sloproof.gate.world import NoRun, RunRecord

UNCOMMITTED = "+changes"
"""Ends the name of a release that is a commit and something more; no two of those are known to be the same."""


def fitting(
    candidates: Sequence[RunRecord], *, asked: frozenset[str], release: str, max_age: timedelta, now: float
) -> RunRecord | NoRun:
    """The newest run, if it may be taken.

    Args:
        candidates: runs of the same name against the same system, newest first.
        asked: what a new run would be asked for and would have to show, as `RunRecord.asked` keeps it.
        release: what is judged.
        max_age: how long ago it may have ended.
        now: epoch seconds.

    Returns:
        The newest run of this release, whatever its verdict: an older one that passed never hides a newer one that
        failed. Otherwise why there is none.
    """
    if not release:
        return NoRun(
            "no run can be taken: nobody said which release is judged", "name it: `--release` or `SLOPROOF_RELEASE`"
        )
    if release.endswith(UNCOMMITTED):
        return NoRun(
            f"no run of `{release}` can be taken: what is not committed yet may have changed since",
            "commit it, or name the release: `--release`",
        )
    own = next((run for run in candidates if run.release == release), None)
    if own is None:
        return NoRun(f"no run of release `{release}` is in the history", "run it, or leave `--take` out")
    age = timedelta(seconds=round(max(now - own.ended_at, 0)))
    if age > max_age:
        older = f"the newest run of release `{release}` ended {format_duration(age)} ago"
        return NoRun(f"{older}; at most {format_duration(max_age)} is accepted", "run it again")
    if not asked <= own.asked:
        return NoRun(
            f"the newest run of release `{release}` was asked for something else: "
            "its definition or an objective has changed since, or its records are gone",
            "run it again",
        )
    return own
