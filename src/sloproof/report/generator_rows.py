"""How the load generator fared, as rows of the report."""

from collections.abc import Iterator

from sloproof.chaos.stage import Stage
from sloproof.loadtests.generator import ACHIEVED_SHARE, BUSY_CORE, LATE_SHARE
from sloproof.loadtests.result import LoadResult, WorkerRecord
from sloproof.report.load_rows import HealthRow
from sloproof.report.wording import count

_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def health_rows(stage: Stage) -> Iterator[HealthRow]:
    """One row for a stage, and one for each process that sent its load, where there were several."""
    load = stage.facts.load
    health = load.generator
    told = "; ".join(part for part in (*health.reasons, health.advice) if part) or _in_good_health(load)
    yield HealthRow(
        name=stage.name,
        observed=f"{_rate(load)}; {told}; {_itself(load)}; {_traffic(load)}",
        verdict="UNDECIDED" if health.saturated or not load.started else "PASS",
    )
    for worker in load.workers:
        yield _worker_row(stage, worker)


def _in_good_health(load: LoadResult) -> str:
    asked, achieved = load.generator.asked_rate, load.generator.achieved_rate
    by_the_clock = any(second.asked is not None for second in load.seconds)
    if asked is None or achieved is None or by_the_clock or achieved >= ACHIEVED_SHARE * asked:
        return "on time"
    return "on time; its users waited for slow answers, and so asked less often"


def _rate(load: LoadResult) -> str:
    asked = f"asked {load.asked_rate:g}/s, " if load.asked_rate else ""
    lasted = max(load.drained_from - load.started_at, 1.0)
    return f"{asked}sent {load.started / lasted:.1f}/s"


def _itself(load: LoadResult) -> str:
    health = load.generator
    lag = f"scheduling lag {health.lag_p99 * 1000:.0f} ms at p99, {health.lag_max * 1000:.0f} ms at most"
    return f"{lag}; {health.cpu_mean * 100:.0f} % of a core, {health.cpu_max * 100:.0f} % at most"


def _traffic(load: LoadResult) -> str:
    received = sum(second.received for second in load.seconds)
    sent = sum(second.sent for second in load.seconds)
    opened = sum(second.connections for second in load.seconds)
    return f"{_size(received)} received, {_size(sent)} sent, {count(opened)} connections opened"


def _size(size: int) -> str:
    return next((f"{size / unit:.1f} {name}" for unit, name in _SIZES if size >= unit), f"{size} B")


def _worker_row(stage: Stage, worker: WorkerRecord) -> HealthRow:
    load = stage.facts.load
    lost = "" if worker.lost_at is None else f"lost after {worker.lost_at - load.started_at:.0f} s; "
    fit = worker.lost_at is None and worker.cpu_mean <= BUSY_CORE and worker.late <= LATE_SHARE
    return HealthRow(
        name=f"{stage.name}, process {worker.number} of {len(load.workers)}",
        observed=f"{lost}{count(worker.completed)} requests; {worker.cpu_mean * 100:.0f} % of a core, "
        f"{worker.cpu_max * 100:.0f} % at most; scheduling lag at most {worker.lag_max * 1000:.0f} ms",
        verdict="PASS" if fit else "UNDECIDED",
    )
