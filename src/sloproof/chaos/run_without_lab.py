"""A load against a target that no lab of ours watches: only its users tell how it fared."""

import time
from collections.abc import Sequence
from pathlib import Path

from sloproof.alerts.timing import REAL
from sloproof.chaos.facts import RunFacts
from sloproof.chaos.run import LOAD_ONLY, POLL, TIME_TO_START, Watch
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.early_stop import StopWatch, Watched
from sloproof.loadtests.locust_process import GivenLocustfile, LoadProcess
from sloproof.loadtests.profile import LoadProfile

NOT_WATCHED = "no lab watched the target, so the objectives of its system are not judged"


def run_without_lab(
    profile: LoadProfile,
    *,
    target: str,
    workspace: Path,
    run_folder: Path,
    watch: Watch,
    allowed: Sequence[str] = (),
    given: GivenLocustfile | None = None,
    distribution: Distribution | None = None,
) -> RunFacts:
    """Run a load against a target, and know of it what the load's users saw.

    Args:
        profile: the load.
        target: URL; empty for the hosts of the given locustfile.
        workspace: root of the workspace, whose `loadtests/` holds the locustfiles.
        run_folder: a new folder for its records.
        watch: told how it stands.
        allowed: targets beyond loopback that the workspace lists.
        given: a locustfile in place of the profile's own.
        distribution: the processes that send it; None for as many as the profile says, here.

    Returns:
        The load's record, without objectives.

    Raises:
        PartFailed: the load generator died and left nothing.
        Refused: the target is not allowed; nothing was sent.
        DefinitionError: the locustfile does not load; nothing was sent.
    """
    with LoadProcess.start(
        profile,
        workspace=workspace,
        target=target,
        run_folder=run_folder,
        thresholds=(),
        allowed=allowed,
        given=given,
        distribution=distribution or Distribution.here(profile.processes),
    ) as load:
        stop = StopWatch([Watched.of(promise) for promise in profile.expect]) if profile.stop_early else None
        while load.running and not load.gave_up(stop):
            watch(load.progress())
            time.sleep(POLL)
        result = load.wait(profile.drain.total_seconds() + TIME_TO_START)
    result.notes.append(NOT_WATCHED)
    return RunFacts(load=result, chaos=LOAD_ONLY, objectives=(), alerts={}, before={}, policies={}, timing=REAL)
