"""Runs a load, with or without faults, on a live system, and gathers what every source says of it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sloproof import names
from sloproof.alerts import BurnPolicy, Timing
from sloproof.alerts.promise import Events
from sloproof.alerts.recording import recorded
from sloproof.chaos.alert_watch import timelines
from sloproof.chaos.experiment import Experiment
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.injection import check_ready
from sloproof.chaos.monitoring_faults import RestartPrometheus
from sloproof.chaos.outcome import ChaosOutcome
from sloproof.chaos.spend_guard import Limit, Orders, Spans, SpendGuard, within
from sloproof.chaos.target import read_target
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.errors import PartFailed, UsageError
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.early_stop import StopWatch, Watched
from sloproof.loadtests.evaluation import judge_load
from sloproof.loadtests.locust_process import GivenLocustfile, LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.progress import Progress
from sloproof.loadtests.prometheus_counts import count_events
from sloproof.loadtests.promises import LoadPromise
from sloproof.loadtests.result import LoadResult
from sloproof.prometheus import Prometheus
from sloproof.promql import Matcher, Selector
from sloproof.slo import SLO

POLL = 0.25
"""Seconds between two looks at the children."""
PROMETHEUS_EVERY = 2.0
PROMETHEUS_MISSES = 3
"""A Prometheus that does not answer so many looks in a row is taken for dead."""
TIME_TO_START = 30.0
MOST_POINTS = 10_000
"""Prometheus answers at most 11,000 points a series."""
LOAD_ONLY = ChaosOutcome(status="completed")


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


Watch = Callable[[Progress | None], None]
"""Told how the load stands, several times a second."""


def run_load(
    profile: LoadProfile,
    surroundings: Surroundings,
    run_folder: Path,
    watch: Watch,
    distribution: Distribution | None = None,
    given: GivenLocustfile | None = None,
) -> RunFacts:
    """Run a load without faults.

    Args:
        profile: the load.
        surroundings: where it runs.
        run_folder: a new folder for its records.
        watch: told how it stands.
        distribution: the processes that send it; None for as many as the profile says, here.
        given: a locustfile in place of the profile's own.

    Returns:
        What every source says of it.

    Raises:
        PartFailed: Prometheus or the load generator died; the partial record stays in the folder.
        Refused: the target is not allowed; nothing was sent.
    """
    _check_prometheus(surroundings)
    with _load(profile, surroundings, run_folder, distribution, given) as load:
        seen = [slo for slo in surroundings.slos if slo.sli.seen_by_clients]
        kept = [Watched.of(one) for one in (*seen, *profile.expect)]
        stop = StopWatch(kept) if profile.stop_early else None
        _accompany(load, None, surroundings, watch, stop)
        result = load.wait(profile.drain.total_seconds() + TIME_TO_START)
    return gather(result, LOAD_ONLY, surroundings, profile.expect)


def run_experiment(
    experiment: Experiment,
    surroundings: Surroundings,
    run_folder: Path,
    watch: Watch,
    limits: Sequence[Limit] = (),
) -> RunFacts:
    """Run an experiment: its load, its faults, and the watching afterwards.

    Args:
        experiment: what to do; the load lasts as long as the experiment, or longer where its profile says so.
        surroundings: where it runs.
        run_folder: a new folder for its records.
        watch: told how the load stands.
        limits: what it may spend of each error budget; none for a run that no guard watches.

    Returns:
        What every source says of it. Every fault is undone, or `chaos.not_undone` names it.

    Raises:
        GuardStopped: it spent too much, or nobody could tell; faults are undone first.
        PartFailed: a part died; faults are undone first.
        Refused: another run has the system, or a target is not allowed; nothing was sent.
        UsageError: a fault names an instance or dependency that the system does not have; nothing was sent.
    """
    _check_instances(experiment, surroundings)
    _check_dependencies(experiment, surroundings)
    _check_prometheus(surroundings)
    check_ready(experiment.faults, surroundings.lab_file, surroundings.allowed)
    profile = experiment.load.model_copy(update={"duration": max(experiment.load.duration, experiment.length)})
    run_folder.mkdir(parents=True, exist_ok=True)
    document = run_folder / "experiment.json"
    document.write_text(experiment_json(experiment), encoding="utf-8")
    with _load(profile, surroundings, run_folder) as load, ExitStack() as guarded:
        started_at = _first_second(load)
        away = _silences_of_prometheus(experiment)
        guard = _guard(limits, surroundings, run_folder, started_at, away)
        if guard is not None:
            guarded.callback(guard.dismiss)
        chaos = ChaosProcess.start(
            document,
            lab_file=surroundings.lab_file,
            run_folder=run_folder,
            ledger=surroundings.ledger,
            started_at=started_at,
            allowed=surroundings.allowed,
        )
        try:
            _accompany(load, chaos, surroundings, watch, away=away, guard=guard)
            result = load.wait(profile.drain.total_seconds() + TIME_TO_START)
            outcome = chaos.wait(TIME_TO_START)
        finally:
            chaos.stop()
    return gather(result, outcome, surroundings, also=experiment.other_alerts)


def gather(
    load: LoadResult,
    chaos: ChaosOutcome,
    surroundings: Surroundings,
    promises: Sequence[LoadPromise] = (),
    also: Sequence[str] = (),
) -> RunFacts:
    """Wait for the last scrapes, then ask every source about a run that is over.

    Args:
        load: the load generator's record.
        chaos: what was broken.
        surroundings: where it ran.
        promises: what is judged beside the objectives.
        also: alerts to watch beside the burn alerts; those that no rule makes are left out.
    """
    timing, prometheus = surroundings.timing, surroundings.prometheus
    settle = 3 * timing.scrape.total_seconds() + 2 * timing.real(timing.slow_evaluation).total_seconds()
    settle = min(settle, 3 * timing.scrape.total_seconds() + 2)
    time.sleep(max(0.0, load.ended_at + settle - time.time()))
    counted = {
        slo.identity: count_events(prometheus, slo, load.started_at - timing.scrape.total_seconds(), time.time())
        for slo in surroundings.slos
    }
    return RunFacts(
        load=load,
        chaos=chaos,
        objectives=judge_load(load, surroundings.slos, counted, promises),
        alerts=_alerts(surroundings, load.started_at, time.time(), also),
        before={slo.identity: _history(slo, surroundings, load.started_at) for slo in surroundings.slos},
        policies=surroundings.policies,
        timing=timing,
        instances=surroundings.instances,
    )


def _guard(
    limits: Sequence[Limit],
    surroundings: Surroundings,
    run_folder: Path,
    started_at: float,
    away: Spans,
) -> SpendGuard | None:
    if not limits:
        return None
    orders = Orders(
        prometheus=surroundings.prometheus.url,
        allowed=tuple(surroundings.allowed),
        limits=tuple(limits),
        away=away,
        started_at=started_at,
        run=run_folder.resolve(),
        ledger=surroundings.ledger.resolve(),
    )
    return SpendGuard.start(orders)


def _check_instances(experiment: Experiment, surroundings: Surroundings) -> None:
    for fault in experiment.faults:
        instance = getattr(fault, "instance", None)
        if instance is not None and instance not in surroundings.instances:
            raise UsageError(
                f"`{experiment.name}` breaks `{instance}`, which `{experiment.system}` does not have; nothing was sent",
                hint=f"its instances are {', '.join(f'`{name}`' for name in surroundings.instances)}",
            )


def _check_dependencies(experiment: Experiment, surroundings: Surroundings) -> None:
    wanted = {name for fault in experiment.faults if (name := getattr(fault, "dependency", None)) is not None}
    known = read_target(surroundings.lab_file).dependencies if wanted else {}
    for name in sorted(wanted - known.keys()):
        raise UsageError(
            f"`{experiment.name}` breaks `{name}`, which this `{experiment.system}` does not have; nothing was sent",
            hint=f"its dependencies are {', '.join(f'`{each}`' for each in known) or 'none'}",
        )


def _check_prometheus(surroundings: Surroundings) -> None:
    if not surroundings.prometheus.ready():
        raise PartFailed(
            f"Prometheus at `{surroundings.prometheus.url}` does not answer",
            hint="`sloproof lab status` shows what runs",
        )


def _load(
    profile: LoadProfile,
    surroundings: Surroundings,
    run_folder: Path,
    distribution: Distribution | None = None,
    given: GivenLocustfile | None = None,
) -> LoadProcess:
    thresholds = {slo.sli.client_threshold for slo in surroundings.slos} - {None}
    return LoadProcess.start(
        profile,
        workspace=surroundings.workspace,
        target=surroundings.target,
        run_folder=run_folder,
        thresholds=sorted(Decimal(threshold) for threshold in thresholds if threshold is not None),
        environment=surroundings.environment,
        allowed=surroundings.allowed,
        distribution=distribution or Distribution.here(profile.processes),
        given=given,
    )


def _first_second(load: LoadProcess) -> float:
    """Wait for the load to begin; faults are scheduled from then on."""
    deadline = time.monotonic() + TIME_TO_START
    while time.monotonic() < deadline and load.running:
        progress = load.progress()
        if progress is not None:
            return time.time() - progress.elapsed
        time.sleep(POLL)
    return time.time()


def _accompany(
    load: LoadProcess,
    chaos: ChaosProcess | None,
    surroundings: Surroundings,
    watch: Watch,
    stop: StopWatch | None = None,
    away: Spans = (),
    guard: SpendGuard | None = None,
) -> None:
    misses, looked = 0, time.monotonic()
    while load.running:
        watch(load.progress())
        if guard is not None:
            guard.check()
        if load.gave_up(stop):
            return
        outcome = chaos.poll() if chaos is not None else None
        if outcome is not None and outcome.status != "completed":
            load.stop()
            return
        # A guard has its own, stricter look at Prometheus.
        if guard is None and time.monotonic() - looked >= PROMETHEUS_EVERY:
            looked = time.monotonic()
            missed = not surroundings.prometheus.ready() and not within(away, _elapsed(load))
            misses = misses + 1 if missed else 0
        if misses >= PROMETHEUS_MISSES:
            raise PartFailed(
                f"Prometheus at `{surroundings.prometheus.url}` stopped answering in the middle of the run",
                hint="faults are undone and the partial record is kept; look at its log in the lab's folder",
            )
        time.sleep(POLL)


def _elapsed(load: LoadProcess) -> float:
    progress = load.progress()
    return 0.0 if progress is None else progress.elapsed


def _silences_of_prometheus(experiment: Experiment) -> Spans:
    """When a fault of the experiment keeps Prometheus away, or may still do so, in seconds after its start."""
    return tuple(
        (fault.at.total_seconds(), (fault.end + fault.grace).total_seconds())
        for fault in experiment.faults
        if isinstance(fault, RestartPrometheus)
    )


def _alerts(surroundings: Surroundings, start: float, end: float, also: Sequence[str] = ()) -> dict[str, AlertTimeline]:
    wanted = _intervals(surroundings, also) | {
        names.burn_alert(slo.service.name, slo.name, tier.name): surroundings.timing.real(
            surroundings.timing.slow_evaluation if tier.long.days else surroundings.timing.evaluation
        ).total_seconds()
        for slo in surroundings.slos
        for tier in surroundings.policies[slo.identity].tiers
    }
    if not wanted:
        return {}
    found = alert_states(surroundings, sorted(wanted), start, end)
    return timelines(wanted, found, notifications(surroundings.notifications), start=start, end=end)


def alert_states(
    surroundings: Surroundings, alerts: Sequence[str], start: float, end: float
) -> list[tuple[Mapping[str, str], Sequence[tuple[float, float]]]]:
    """The raw `ALERTS` samples of a stretch of time: labels, and (epoch seconds, value) of each evaluation.

    Args:
        surroundings: where its Prometheus is.
        alerts: names.
        start: epoch seconds.
        end: epoch seconds.
    """
    states = Selector("ALERTS", (Matcher(names.ALERT_NAME, "=~", "|".join(alerts)),))
    # Raw samples carry the time of each evaluation; a grid would be off by up to a step.
    answer = surroundings.prometheus.instant(states.over(timedelta(seconds=end - start)), end)
    return [(series.labels, series.points) for series in answer.series]


def _intervals(surroundings: Surroundings, alerts: Sequence[str]) -> dict[str, float]:
    """The seconds between two evaluations of alerts by name, of those that a loaded rule makes."""
    if not alerts:
        return {}
    groups = surroundings.prometheus.rules()
    found = {rule.name: group.interval for group in groups for rule in group.rules if rule.kind == "alerting"}
    return {alert: found[alert] for alert in alerts if alert in found}


def notifications(file: Path) -> list[dict[str, Any]]:
    """What the receiver recorded; a last line that is still being written is left out.

    Args:
        file: JSON lines; may not exist.
    """
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def _history(slo: SLO, surroundings: Surroundings, start: float) -> list[Events]:
    """The recorded events of the longest window before the run, oldest first, at the rules' own step."""
    timing = surroundings.timing
    longest = max(timing.real(tier.long) for tier in surroundings.policies[slo.identity].tiers).total_seconds()
    step = max(timing.real(timing.evaluation).total_seconds(), longest / MOST_POINTS)
    found: list[dict[float, float]] = []
    for name in (names.errors(timing.base), names.total(timing.base)):
        answer = surroundings.prometheus.range(str(recorded(name, slo, timing)), start - longest, start, step)
        found.append({at: value for series in answer.series for at, value in series.points})
    bad, total = found
    return [Events(at=at, bad=bad.get(at, 0.0) * step, total=total[at] * step) for at in sorted(total)]
