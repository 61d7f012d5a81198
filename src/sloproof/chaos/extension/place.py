"""Where this Chaos Toolkit process breaks things, from the experiment's configuration."""

import functools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sloproof.chaos.injection import Place
from sloproof.chaos.ledger import Entry, Ledger, ledger_beside
from sloproof.errors import UsageError


def place_of(configuration: Mapping[str, Any] | None) -> Place:
    """Read the experiment's configuration.

    Args:
        configuration: `lab_file`, and perhaps `run_folder`, `ledger`, `started_at`, `targets`.

    Returns:
        Where to break things and where to write that down.

    Raises:
        UsageError: no lab file is named.
    """
    settings = {name: str(value) for name, value in (configuration or {}).items() if value}
    if "lab_file" not in settings:
        raise UsageError("the experiment does not say which lab to break", hint="set SLOPROOF_LAB to its lab.json")
    lab_file = Path(settings["lab_file"]).resolve()
    return Place(
        lab_file=lab_file,
        run_folder=Path(settings["run_folder"]).resolve() if "run_folder" in settings else _new_run_folder(),
        ledger=Ledger(Path(settings["ledger"]).resolve() if "ledger" in settings else ledger_beside(lab_file)),
        started_at=float(settings["started_at"]) if "started_at" in settings else _process_began(),
        allowed=tuple(filter(None, settings.get("targets", "").split(","))),
    )


def entry_of(place: Place, fault: str) -> Entry | None:
    """The ledger's entry of one fault of this run, open or not.

    Args:
        place: where the run breaks things.
        fault: what the journal calls it.

    Returns:
        The latest such entry, or None when the fault was never injected.
    """
    entries = place.ledger.read().entries
    return next((e for e in reversed(entries) if (e.run, e.fault) == (place.run_folder, fault)), None)


def wait_until(moment: float) -> None:
    """Sleep until a moment, in naps, so that a changed clock is noticed.

    Args:
        moment: epoch seconds.
    """
    while (left := moment - time.time()) > 0:
        time.sleep(min(left, 0.5))


@functools.cache
def _process_began() -> float:
    return time.time()


@functools.cache
def _new_run_folder() -> Path:
    return Path.cwd() / f"sloproof-run-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
