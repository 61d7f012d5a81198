"""Runs a load, with or without faults, on a live system, and gathers what every source says of it."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.facts import RunFacts
from sloproof.chaos.gathering import gather
from sloproof.chaos.injection import check_ready
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.monitoring_faults import RestartPrometheus
from sloproof.chaos.outcome import ChaosOutcome
from sloproof.chaos.spend_guard import Limit, Orders, Spans, SpendGuard, within
from sloproof.chaos.surroundings import Surroundings
from sloproof.chaos.target import read_target
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess, reserve
from sloproof.errors import PartFailed, UsageError
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.early_stop import StopWatch, Watched
from sloproof.loadtests.locust_process import GivenLocustfile, LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.progress import Progress

POLL = 0.25
"""Seconds between two looks at the children."""
PROMETHEUS_EVERY = 2.0
PROMETHEUS_MISSES = 3
"""A Prometheus that does not answer so many looks in a row is taken for dead."""
TIME_TO_START = 30.0
LOAD_ONLY = ChaosOutcome(status="completed")


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
    profile = experiment.load.model_copy(update={"duration": experiment.run_length})
    run_folder.mkdir(parents=True, exist_ok=True)
    document = run_folder / "experiment.json"
    document.write_text(experiment_json(experiment), encoding="utf-8")
    with ExitStack() as guarded:
        # Taken before the load begins, which would spoil the run that has the system.
        lock = guarded.enter_context(reserve(surroundings.lab_file, Ledger(surroundings.ledger)))
        load = guarded.enter_context(_load(profile, surroundings, run_folder))
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
            lock=lock,
        )
        try:
            _accompany(load, chaos, surroundings, watch, away=away, guard=guard)
            result = load.wait(profile.drain.total_seconds() + TIME_TO_START)
            outcome = chaos.wait(TIME_TO_START)
        finally:
            chaos.stop()
    return gather(result, outcome, surroundings, also=experiment.other_alerts)


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
        prometheus=surroundings.prometheus.address,
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
