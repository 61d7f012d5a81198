"""What the Chaos Toolkit's journal tells of its activities."""

from collections.abc import Mapping, Sequence
from typing import Any


def failed_activities(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Activities that did not do what they should, whatever the Chaos Toolkit makes of them.

    Args:
        runs: the entries of its journal.

    Returns:
        The name of each, with the reason.
    """
    return [f"`{run['activity'].get('name', '?')}`: {why}" for run in runs if (why := _why_failed(run))]


def _why_failed(run: Mapping[str, Any]) -> str:
    output = run.get("output")
    if run.get("status") != "succeeded":
        words = run.get("exception") or []
        return str(words[-1]).strip() if words else str(run.get("status", "it has no status"))
    activity = run["activity"]
    # The Chaos Toolkit calls a process that failed an action that succeeded.
    if activity.get("type") == "action" and activity.get("provider", {}).get("type") == "process":
        status = output.get("status") if isinstance(output, dict) else None
        return f"exit code {status}" if status not in (0, None) else ""
    return ""
