"""How a dashboard that Grafana keeps differs from the one that the definitions imply."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from sloproof.dashboards.finish import to_json

_GRAFANAS_OWN = frozenset({"id", "version"})
"""What Grafana counts itself; it says nothing about what a dashboard shows."""

_Panels = dict[Any, tuple[str, Any]]


def difference(stored: Mapping[str, Any], implied: Mapping[str, Any]) -> list[str]:
    """The lines that a push would change: of the dashboard as a whole, then panel by panel.

    Args:
        stored: what Grafana keeps.
        implied: what the definitions imply.

    Returns:
        Lines that begin with `-` or `+`, and headings that name a panel; nothing when both show the same.
    """
    before, after = _panels(stored), _panels(implied)
    lines = [*_changed(_frame(stored), _frame(implied))]
    for key in {**after, **before}:
        if key not in after:
            lines.append(f"- panel `{before[key][0]}`")
        elif key not in before:
            lines.append(f"+ panel `{after[key][0]}`")
        elif before[key][1] != after[key][1]:
            lines += [f"panel `{after[key][0]}`", *_changed(before[key][1], after[key][1])]
    return lines


def panels_told(stored: Mapping[str, Any], implied: Mapping[str, Any]) -> str:
    """What happens to the panels, in words: `2 panels changed, 1 panel new`."""
    before, after = _panels(stored), _panels(implied)
    counts = {
        "changed": sum(key in before and before[key][1] != panel for key, (_, panel) in after.items()),
        "new": len(after.keys() - before.keys()),
        "gone": len(before.keys() - after.keys()),
    }
    told = [f"{count} panel{'' if count == 1 else 's'} {what}" for what, count in counts.items() if count]
    return ", ".join(told) or "nothing in its panels"


def _frame(dashboard: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in dashboard.items() if key not in _GRAFANAS_OWN | {"panels"}}


def _panels(dashboard: Mapping[str, Any]) -> _Panels:
    panels = [panel for panel in dashboard.get("panels") or [] if isinstance(panel, Mapping)]
    return {panel.get("id"): (str(panel.get("title", "")), panel) for panel in panels}


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old != new:
        before, after = to_json(old).splitlines(), to_json(new).splitlines()
        lines = difflib.unified_diff(before, after, n=0, lineterm="")
        yield from (line for line in lines if not line.startswith(("---", "+++", "@@")))
