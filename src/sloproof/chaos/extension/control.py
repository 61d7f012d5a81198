"""The Chaos Toolkit control: stands the guard before the experiment, and writes our journal."""

from typing import Any

from sloproof.chaos import journal
from sloproof.chaos.extension.guard import guard_of
from sloproof.chaos.extension.place import place_of

__all__ = ["after_experiment_control", "before_experiment_control", "configure_control"]


def configure_control(configuration: dict[str, Any] | None = None) -> None:
    """Stand the guard early, so that the first injection is not delayed by it.

    Args:
        configuration: the experiment's configuration.
    """
    guard_of(place_of(configuration)).stand()


def before_experiment_control(context: dict[str, Any], configuration: dict[str, Any] | None = None) -> None:
    """Open the journal.

    Args:
        context: the experiment.
        configuration: its configuration.
    """
    journal.record(place_of(configuration).run_folder, "started", detail=str(context.get("title", "")))


def after_experiment_control(
    context: dict[str, Any], state: dict[str, Any] | None = None, configuration: dict[str, Any] | None = None
) -> None:
    """Close the journal with the Chaos Toolkit's own word, and the run.

    Args:
        context: the experiment.
        state: the Chaos Toolkit's journal.
        configuration: the experiment's configuration.
    """
    place = place_of(configuration)
    guard_of(place).dismiss()
    journal.record(place.run_folder, "finished", detail=str((state or {}).get("status", "unknown")))
