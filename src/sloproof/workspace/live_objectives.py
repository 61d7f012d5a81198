"""An objective in the live system, judged on the recorded events of the last stretch of time, slice by slice."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from sloproof import names
from sloproof.alerts import Timing
from sloproof.alerts.recording import recorded
from sloproof.errors import PartFailed
from sloproof.prometheus import Prometheus
from sloproof.slo import SLO
from sloproof.verdict.evidence import PROMETHEUS, Counts, Evidence
from sloproof.verdict.judge import Judgement, judge_objective

Group = tuple[str, ...]
Points = Sequence[tuple[float, float]]
_SAMPLES_LATE = 3
"""Evaluations, or scrapes where these are rarer, after which a slice that has no newer sample was not recorded."""


def judge_live(slo: SLO, prometheus: Prometheus, timing: Timing, over: timedelta, now: float) -> list[Judgement]:
    """Judge an objective on what its base rules recorded.

    Args:
        slo: the objective.
        prometheus: the server that its rules run on.
        timing: the clock of those rules.
        over: how far back it is looked, before the scale divides it.
        now: epoch seconds.

    Returns:
        One judgement for each combination of the objective's labels; empty where nothing is recorded. A slice that
        was not recorded makes the evidence partial.

    Raises:
        PartFailed: Prometheus does not answer, or only in part.
    """
    look = _Look(timing, over, now)
    bad = _samples(names.errors(timing.base), slo, prometheus, look)
    total = _samples(names.total(timing.base), slo, prometheus, look)
    return [_judged(slo, look, bad.get(group, ()), points) for group, points in sorted(total.items())]


@dataclass(frozen=True)
class _Look:
    """The last stretch of time in slices as long as the base window, oldest first."""

    timing: Timing
    over: timedelta
    now: float

    @property
    def length(self) -> float:
        """Of a slice, seconds."""
        return self.timing.real(self.timing.base).total_seconds()

    @property
    def ends(self) -> list[float]:
        """When each slice ends, epoch seconds."""
        count = math.floor(self.over / self.timing.base)
        return [self.now - back * self.length for back in range(count - 1, -1, -1)]

    @property
    def patience(self) -> float:
        """How far apart two samples of a slice may lie, seconds."""
        evaluation = self.timing.real(self.timing.evaluation).total_seconds()
        return min(self.length, _SAMPLES_LATE * max(evaluation, self.timing.scrape.total_seconds()))


def _samples(metric: str, slo: SLO, prometheus: Prometheus, look: _Look) -> dict[Group, Points]:
    """The raw samples of a recorded series, by group; they carry the times at which they were recorded."""
    window = timedelta(seconds=look.length * (len(look.ends) + 1))
    answer = prometheus.instant(recorded(metric, slo, look.timing).over(window), look.now)
    if answer.warnings:
        raise PartFailed(f"`{prometheus.url}` answered only in part: {'; '.join(answer.warnings)}")
    return {_group(slo, one.labels): one.points for one in answer.series}


def _group(slo: SLO, labels: Mapping[str, str]) -> Group:
    return tuple(labels.get(label, "") for label in slo.by)


def _judged(slo: SLO, look: _Look, bad: Points, total: Points) -> Judgement:
    slices = list(_slices(look, bad, total))
    known = [one for one in slices if one is not None]
    partial = "" if len(known) == len(slices) else f"{len(known)} of {len(slices)} slices of time were recorded"
    counts = Counts(source=PROMETHEUS, total=sum(all_ for _, all_ in known), bad=sum(bad_ for bad_, _ in known))
    evidence = Evidence(slo=slo.identity, objective=slo.objective, counts=counts, batches=tuple(known), partial=partial)
    return judge_objective(slo.budget, evidence)


def _slices(look: _Look, bad: Points, total: Points) -> Iterator[tuple[int, int] | None]:
    """Bad and all events of each slice, in whole events; None for one that was not recorded."""
    for end in look.ends:
        rates = [_rate(points, end - look.length, end, look.patience) for points in (bad, total)]
        if any(rate is None for rate in rates):
            yield None
        else:
            wrong, all_ = (round((rate or 0.0) * look.length) for rate in rates)
            yield min(wrong, all_), all_


def _rate(points: Points, start: float, end: float, patience: float) -> float | None:
    """The newest rate of a slice, which tells of all of it; None where one is no number, or too many are missing."""
    inside = [(at, rate) for at, rate in points if start < at <= end]
    times = [start, *(at for at, _ in inside), end]
    whole = all(later - earlier <= patience for earlier, later in pairwise(times))
    if not inside or not whole or not all(math.isfinite(rate) and rate >= 0 for _, rate in inside):
        return None
    return inside[-1][1]
