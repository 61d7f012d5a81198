"""The Chaos Toolkit control of published experiments: keeps the guard's ears open, and writes our journal."""

from typing import Any

from chaoslib import substitute
from chaoslib.hypothesis import within_tolerance

from sloproof.chaos import journal
from sloproof.chaos.extension.guard import guard_of
from sloproof.chaos.published_child import place

__all__ = ["after_activity_control", "after_experiment_control", "before_experiment_control"]


def before_experiment_control(context: dict[str, Any], **others: Any) -> None:
    """Open the journal; the Chaos Toolkit has put handlers of its own in place of the guard's.

    Args:
        context: the experiment.
        others: what else the Chaos Toolkit tells.
    """
    where = place()
    guard_of(where).listen()
    journal.record(where.run_folder, "started", detail=str(context.get("title", "")))


def after_activity_control(context: dict[str, Any], state: dict[str, Any] | None = None, **others: Any) -> None:
    """Tell what became of an activity, and whether a probe kept the tolerance that its author gave it.

    Args:
        context: the activity.
        state: the Chaos Toolkit's entry of it.
        others: what else the Chaos Toolkit tells.
    """
    name, found = str(context.get("name", "")), state or {}
    journal.record(place().run_folder, "activity", fault=name, detail=str(found.get("status", "unknown")))
    if "tolerance" in context and found.get("status") == "succeeded":
        known = others.get("configuration"), others.get("secrets")
        tolerance = context["tolerance"]
        try:
            wanted = substitute(tolerance, *known) if isinstance(tolerance, str) else tolerance
            held = within_tolerance(wanted, found.get("output"), *known)
        except Exception as error:  # the Chaos Toolkit drops whatever a control raises, and the probe would pass
            journal.record(place().run_folder, "tolerance_unclear", fault=name, detail=f"`{name}`: {error}")
            return
        if not held:
            journal.record(place().run_folder, "tolerance_missed", fault=name)


def after_experiment_control(context: dict[str, Any], state: dict[str, Any] | None = None, **others: Any) -> None:
    """Close the journal with the Chaos Toolkit's own word.

    Args:
        context: the experiment.
        state: its journal.
        others: what else the Chaos Toolkit tells.
    """
    journal.record(place().run_folder, "finished", detail=str((state or {}).get("status", "unknown")))
