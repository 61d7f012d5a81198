"""What an experiment will probably spend of each error budget: arithmetic before anything is sent, no promise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus

from sloproof.alerts import Timing
from sloproof.chaos.experiment import Experiment
from sloproof.chaos.faults import AbortRequests, DelayRequests, Fault
from sloproof.slo import SLO

ASSUMPTIONS = (
    "traffic is as heavy during the rest of the budget window as during this load",
    "a fault spoils the stated share of the requests for its whole length, and nothing besides",
    "an instance that is broken loses its fair share of the requests for the whole fault: no retry saves any, "
    "so this is an upper bound",
    "an answer that is aborted at once is an error and not slow; one that is delayed is slow and no error, "
    "and only where the delay alone reaches the objective's threshold",
)


@dataclass(frozen=True)
class Spend:
    """What a run is expected to spend of one error budget.

    Args:
        slo: the objective.
        share: of the whole budget, ratio of 1; None where nobody can say it before.
        unknown: descriptions of the faults whose effect on it nobody can say before.
    """

    slo: SLO
    share: Decimal | None
    unknown: tuple[str, ...] = ()


def predict(experiment: Experiment, slos: Sequence[SLO], instances: int, timing: Timing) -> list[Spend]:
    """The spend of each objective.

    Args:
        experiment: the definition.
        slos: the objectives of its system.
        instances: how many share the load.
        timing: the clock of the rules that run; the scale divides the budget's window.

    Returns:
        One for each objective, in their order. Spoilt seconds, over the budgeted seconds of the window.
    """
    return [_spend(slo, experiment.faults, instances, timing) for slo in slos]


def spoilt_share(fault: Fault, slo: SLO, instances: int) -> Decimal | None:
    """The share of the requests that a fault makes bad in the eyes of an objective.

    Args:
        fault: what is broken.
        slo: the objective.
        instances: how many share the load.

    Returns:
        Ratio of 1; None when nobody can know before.
    """
    threshold = slo.sli.client_threshold
    if isinstance(fault, DelayRequests):
        late = Decimal(0) if threshold is None else _late_share(fault, Decimal(threshold))
        return fault.bad_ratio * late if fault.bad_ratio is not None else None if late else Decimal(0)
    if fault.bad_ratio is not None:
        return fault.bad_ratio if threshold is None else Decimal(0)
    if isinstance(fault, AbortRequests):  # below 500 nobody promised anything; of one route's share nobody knows
        unknown = threshold is None and fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return None if unknown else Decimal(0)
    if getattr(fault, "instance", None) is not None and instances:
        return 1 / Decimal(instances)
    return None


def _late_share(fault: DelayRequests, threshold: Decimal) -> Decimal:
    """The share of the delayed requests that wait for the threshold or longer, ratio of 1; a jitter spreads evenly."""
    delay, jitter = (Decimal(str(part.total_seconds())) for part in (fault.delay, fault.jitter or timedelta()))
    if not jitter:
        return Decimal(delay >= threshold)
    return min(max((delay + jitter - threshold) / (2 * jitter), Decimal(0)), Decimal(1))


def _spend(slo: SLO, faults: Sequence[Fault], instances: int, timing: Timing) -> Spend:
    shares = [(fault, spoilt_share(fault, slo, instances)) for fault in faults]
    unknown = tuple(fault.describe() for fault, share in shares if share is None)
    if slo.sli.counters() is None:
        return Spend(slo, None, ("its events are not counted one by one",))
    window = Decimal(str(timing.real(slo.window).total_seconds())) * slo.budget
    spoilt = sum(_spoilt_seconds(shares), Decimal(0))
    return Spend(slo, None if unknown else spoilt / window, unknown)


def _spoilt_seconds(shares: Sequence[tuple[Fault, Decimal | None]]) -> Iterator[Decimal]:
    for fault, share in shares:
        yield (share or Decimal(0)) * Decimal(str(fault.length.total_seconds()))
