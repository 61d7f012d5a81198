"""What was counted, before anybody judges it."""

from decimal import Decimal

from pydantic import ConfigDict, Field, field_validator

from sloproof.definition import Definition
from sloproof.verdict.statistics import Slice

LOAD_GENERATOR = "load generator"
PROMETHEUS = "Prometheus"


class Counts(Definition):
    """Events that one source counted. A measurement may be NaN: it is then judged undecided, not refused.

    Args:
        source: who counted: `load generator` or `Prometheus`.
        total: all events, those of `censored` among them.
        bad: events known to be bad.
        censored: events still open at the end: bad in the upper bound, good in the lower one.
    """

    model_config = ConfigDict(allow_inf_nan=True)

    source: str
    total: float
    bad: float
    censored: int = Field(default=0, ge=0)

    @property
    def possibly_bad(self) -> float:
        """The bad events, and those that may still turn out bad."""
        return self.bad + self.censored


class Evidence(Definition):
    """All that is known about one objective after a run.

    Args:
        slo: the objective's identity, `service/slo`.
        objective: good events of all events that were promised, per cent.
        counts: the events of the whole run.
        batches: bad and all events of equally long, successive slices of the run, such as its seconds; they show
            how bad events cluster. Events still open at the end belong to no slice.
        looser: the same slices counted against a looser limit, one that about the slowest tenth exceeds. Where bad
            events are rare, their few clusters do not show how large a cluster gets; these do.
        rate: events per second of the run, so that what is missing can be told as a time; None when not known.
        partial: why the evidence is incomplete, such as `interrupted after 12 s`; empty when it is complete.
            Partial evidence never passes, and may fail.
    """

    slo: str
    objective: Decimal
    counts: Counts
    batches: tuple[Slice, ...] = ()
    looser: tuple[Slice, ...] = ()
    rate: float | None = None
    partial: str = ""

    @field_validator("batches", "looser")
    @classmethod
    def _possible(cls, slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
        for bad, total in slices:
            if not 0 <= bad <= total:
                raise ValueError(f"a slice counts `{bad}` bad of `{total}` events")
        return slices
