"""From what a run showed to what is remembered of it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sloproof.chaos.stage import Stage
from sloproof.errors import PartFailed
from sloproof.history.past_run import MOST_WINDOWS, PastObjective, PastQuantile, PastRun, Windows
from sloproof.history.seen_alerts import seen_alerts
from sloproof.loadtests.doubts import doubts
from sloproof.loadtests.evaluation import ObjectiveResult
from sloproof.loadtests.load_files import LoadFiles, read_result
from sloproof.loadtests.outcome import FAILURES
from sloproof.loadtests.quantiles import load_quantiles
from sloproof.loadtests.result import LoadResult
from sloproof.verdict.judge import Verdict

_NOT_OF_THE_LOAD = ("target", "allowed", "thresholds")
"""What the plan of a load says beside how hard it loads; the target is remembered apart."""


def past_run(
    stages: Sequence[Stage],
    *,
    kind: str,
    name: str,
    verdict: Verdict,
    exit_code: int,
    folder: Path,
    release: str = "",
    environment: str = "",
    versions: Mapping[str, str] | None = None,
) -> tuple[PastRun, Windows | None]:
    """What is remembered of a run that came to its end.

    Args:
        stages: its parts, in order; at least one.
        kind: `load`, `chaos`, ...
        name: the profile's, experiment's or gate's name.
        verdict: of all parts.
        exit_code: what the command ends with.
        folder: its records.
        release: what was tested.
        environment: where it ran.
        versions: names and versions.

    Returns:
        The run, and its windows where it was one load; several loads after one another have no common time.
    """
    loads = [stage.facts.load for stage in stages]
    only = loads[0] if len(loads) == 1 else None
    evaluated = [load.evaluated() for load in loads]
    run = PastRun(
        kind=kind,
        name=name,
        system=loads[0].system,
        started_at=loads[0].started_at,
        ended_at=max(load.ended_at for load in loads),
        verdict=verdict,
        exit_code=exit_code,
        release=release,
        environment=environment,
        partial=any(load.partial for load in loads) or any(s.facts.chaos.status != "completed" for s in stages),
        folder=str(folder),
        target=loads[0].target,
        load=load_asked(folder) if only else {},
        objectives=tuple(_objective(stage.name, result) for stage in stages for result in stage.facts.objectives),
        alerts=seen_alerts(stages, kind),
        quantiles=_quantiles(only) if only else (),
        completed=sum(load.completed for load in evaluated),
        failed=sum(load.failed for load in evaluated),
        versions=dict(versions or {}),
        notes=tuple(note for load in loads for note in load.notes),
        unfit=tuple(why for load in loads for why in _unfit(load)),
    )
    return run, windows_of(only) if only else None


def ended_early(
    folder: Path,
    *,
    kind: str,
    name: str,
    system: str,
    exit_code: int,
    reason: str,
    release: str = "",
    environment: str = "",
) -> tuple[PastRun, Windows | None] | None:
    """What is remembered of a run that was ended or failed before it could be judged: it decides nothing.

    Args:
        folder: what it left.
        kind: as for `past_run`.
        name: as for `past_run`.
        system: the system under test.
        exit_code: what the command ends with.
        reason: why it ended, in words.
        release: what was tested.
        environment: where it ran.

    Returns:
        An undecided, partial run; None where nothing was sent.
    """
    try:
        load = read_result(folder)
    except PartFailed:
        return None
    run = PastRun(
        kind=kind,
        name=name,
        system=system,
        started_at=load.started_at,
        ended_at=load.ended_at,
        verdict=Verdict.UNDECIDED,
        exit_code=exit_code,
        release=release,
        environment=environment,
        partial=True,
        folder=str(folder),
        target=load.target,
        load=load_asked(folder),
        quantiles=_quantiles(load),
        completed=load.evaluated().completed,
        failed=load.evaluated().failed,
        notes=(*load.notes, reason),
        unfit=_unfit(load),
    )
    return run, windows_of(load)


def windows_of(load: LoadResult) -> Windows:
    """The seconds of a run without its warm-up; a long run's in windows of several seconds."""
    part = load.evaluated()
    seconds = sorted(part.seconds, key=lambda second: second.at)
    each = Windows(
        asked=sum(second.at + 1 <= load.drained_from for second in seconds),
        completed=tuple(second.completed for second in seconds),
        failed=tuple(sum(n for kind, n in second.errors.items() if kind in FAILURES) for second in seconds),
        latency=tuple(second.latency for second in seconds),
        open=part.in_flight_at_end,
    )
    planned = load.drained_from - load.started_at - load.warm_up
    return each.widened(max(1, math.ceil(planned / MOST_WINDOWS)))


def load_asked(folder: Path) -> dict[str, Any]:
    """What the generator was told, from its plan; empty where there is none."""
    try:
        plan = LoadFiles(folder).read_plan()
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in plan.model_dump(mode="json").items() if key not in _NOT_OF_THE_LOAD}


def _unfit(load: LoadResult) -> tuple[str, ...]:
    """Why latencies of this load say nothing of the system: answers that turn users away are fast, too."""
    health = load.generator
    saturated = [f"its load generator was not fit to measure: {why}" for why in health.reasons if health.saturated]
    return (*saturated, *doubts(load))


def _objective(stage: str, result: ObjectiveResult) -> PastObjective:
    judged = result.judgement
    return PastObjective(
        stage=stage,
        slo=result.slo.identity,
        verdict=judged.verdict,
        reason=judged.reason,
        bad=_known(judged.counts.possibly_bad),
        total=_known(judged.counts.total),
        ratio=judged.ratio,
        lower=judged.lower,
        upper=judged.upper,
        confidence=judged.confidence,
        effective_size=judged.effective_size,
    )


def _quantiles(load: LoadResult) -> tuple[PastQuantile, ...]:
    return tuple(
        PastQuantile(q=one.q, value=one.value, lower=one.lower, upper=one.upper) for one in load_quantiles(load)
    )


def _known(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None
