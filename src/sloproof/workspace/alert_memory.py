"""Which alerts fired in runs, kept beside the definitions so that runbooks can tell it, and what is still untried."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from sloproof import names
from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.experiment import Experiment, Fires
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.errors import UsageError
from sloproof.runbooks.evidence import Evidence, SeenAlert
from sloproof.workspace.files import write_file
from sloproof.workspace.loading import Workspace

SEEN = "alerts/seen.json"
"""Relative to the workspace; committed with it."""
MOST_KEPT = 20
"""Times that one alert fired; the newest are kept."""
_OUTSIDE = (PauseProcess, KillProcess, CallEndpoint)
"""Faults of systems that are no lab's: nobody can say which of them a system could have."""
_Kept = TypeAdapter(tuple[SeenAlert, ...])


class AlertMemory:
    """What is known of each alert of a workspace.

    Args:
        workspace: the definitions.
        text: the kept file; None where there is none.

    Raises:
        UsageError: the file is not what `sloproof runbook --record` writes.
    """

    def __init__(self, workspace: Workspace, text: str | None) -> None:
        self._workspace = workspace
        self._seen: dict[str, list[SeenAlert]] = defaultdict(list)
        for one in seen_in(text):
            self._seen[one.alert].append(one)

    def evidence(self, alert: str, system: str) -> Evidence:
        """What is known of an alert of a system."""
        own = [one for one in self._workspace.all_of(Experiment) if one.system == system]
        used = {type(fault) for experiment in own for fault in experiment.faults}
        return Evidence(
            system=system,
            seen=tuple(self._seen.get(alert, ())),
            expecting=self._expecting.get(alert, ()),
            experiments=len(own),
            untried=tuple(fault.__name__ for fault in FAULTS if fault not in used),
        )

    @cached_property
    def _expecting(self) -> Mapping[str, tuple[str, ...]]:
        """The experiments that expect an alert, by its name."""
        found: dict[str, tuple[str, ...]] = {}
        for experiment in self._workspace.all_of(Experiment):
            for expectation in experiment.expect:
                if isinstance(expectation, Fires):
                    slo = expectation.slo
                    alert = names.burn_alert(slo.service.name, slo.name, expectation.tier)
                    found[alert] = (*found.get(alert, ()), experiment.name)
        return found


FAULTS: tuple[type, ...] = tuple(fault for fault in get_args(get_args(AnyFault)[0]) if fault not in _OUTSIDE)
"""The faults that a lab's system can have."""


def seen_in(text: str | None) -> tuple[SeenAlert, ...]:
    """The kept alerts.

    Args:
        text: the kept file; None where there is none.

    Raises:
        UsageError: the file is not what `sloproof runbook --record` writes.
    """
    if text is None:
        return ()
    try:
        return _Kept.validate_json(text)
    except ValidationError:
        raise UsageError(
            f"`{SEEN}` cannot be read as alerts that fired in runs",
            hint="delete it; `sloproof runbook --record` writes it again",
        ) from None


def keep_seen(root: Path, known: Iterable[SeenAlert], seen: Iterable[SeenAlert]) -> tuple[Path, int]:
    """Remember alerts that fired; what is known already stays, each once.

    Args:
        root: of the workspace.
        known: what is kept already.
        seen: what may be new.

    Returns:
        The file, and how many were new.
    """
    before = set(known)
    by_alert: dict[str, list[SeenAlert]] = defaultdict(list)
    for one in sorted({*before, *seen}, key=lambda one: (-one.at, one.run)):
        by_alert[one.alert].append(one)
    kept = [one for alert in sorted(by_alert) for one in by_alert[alert][:MOST_KEPT]]
    text = json.dumps([one.model_dump(mode="json") for one in kept], indent=2, ensure_ascii=False) + "\n"
    file = root / SEEN
    write_file(file, text)
    return file, len(set(kept) - before)
