"""The live system that runs happen in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sloproof.alerts import BurnPolicy, Timing
from sloproof.prometheus import Prometheus
from sloproof.slo import SLO


@dataclass(frozen=True)
class Surroundings:
    """The live system that a run happens in.

    Args:
        workspace: root of the workspace, whose `loadtests/` holds the locustfiles.
        state: the tool's own folder; the ledger lies in it.
        lab_file: state file of the lab.
        target: base URL that users call.
        instances: names of the instances that share the load.
        notifications: JSON lines of what the notification receiver got.
        timing: the clock of the rules that run.
        prometheus: the adapter of its Prometheus.
        policies: burn policies by objective identity.
        slos: the objectives of the system.
        allowed: targets beyond loopback that the workspace lists.
        environment: variables for the locustfile.
        traces: a folder of OTLP JSON lines that the system writes its spans to; None without one.
    """

    workspace: Path
    state: Path
    lab_file: Path
    target: str
    instances: tuple[str, ...]
    notifications: Path
    timing: Timing
    prometheus: Prometheus
    policies: Mapping[str, BurnPolicy]
    slos: Sequence[SLO]
    allowed: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    traces: Path | None = None

    @property
    def ledger(self) -> Path:
        """The undo ledger of the workspace."""
        return self.state / "ledger.jsonl"
