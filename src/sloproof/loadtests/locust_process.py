"""A load run as a handle on the process that makes it: Locust, headless, listening nowhere."""

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sloproof.errors import PartFailed, Refused, SloproofError, UsageError
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.early_stop import StopWatch
from sloproof.loadtests.launching import launch, locust_environment
from sloproof.loadtests.load_files import LoadFiles, digest, keep_result, read_result, whole_seconds, write_atomically
from sloproof.loadtests.nothing_sent import did_not_begin, raised_at_once
from sloproof.loadtests.plan import MOST_ARRIVALS, MOST_USERS, STOP_DRAIN, LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.progress import Progress, Tracker
from sloproof.loadtests.result import EarlyMiss, LoadResult
from sloproof.loadtests.second import Second
from sloproof.loadtests.trace import parse_trace
from sloproof.targets import check_load_target, check_target

_TIME_TO_BEGIN = 30.0
_TIME_TO_END = 6.0
_LOOK = 0.25
_STANDS_STILL = 20.0
"""Seconds without a word from a generator that writes one each second: something holds its only thread."""


@dataclass(frozen=True)
class GivenLocustfile:
    """Any locustfile, wherever it lies.

    Args:
        path: the file.
        folder: where it runs, as `locust -f` would have run it.
        longest: how long it may go on where a LoadTestShape of its own decides; the profile's duration holds else.
    """

    path: Path
    folder: Path
    longest: timedelta


class LoadProcess:
    """A running load: a context, ended by `wait` or `stop`; it dies with the process that started it."""

    def __init__(
        self, child: "subprocess.Popen[bytes]", plan: LoadPlan, run_folder: Path, lifeline: int, locustfile: str
    ) -> None:
        self._child = child
        self._locustfile = locustfile
        self._plan = plan
        self._run_folder = run_folder
        self._files = LoadFiles(run_folder)
        self._lifeline = lifeline
        self._tracker = Tracker(plan)
        self._read = 0
        self._started = time.monotonic()
        self._heard: float | None = None
        self._stopped = self._stood_still = False
        self._missed: Sequence[EarlyMiss] = ()

    @classmethod
    def start(
        cls,
        profile: LoadProfile,
        *,
        workspace: Path,
        target: str,
        run_folder: Path,
        thresholds: Sequence[Decimal],
        environment: Mapping[str, str] | None = None,
        allowed: Sequence[str] = (),
        given: GivenLocustfile | None = None,
        distribution: Distribution | None = None,
    ) -> Self:
        """Start to load a target.

        Args:
            profile: what to run.
            workspace: the folder that holds `loadtests/`; the locustfile runs there.
            target: URL of the system; empty for the `host` of a given locustfile's users.
            run_folder: its `load` folder gets the files of this run.
            thresholds: seconds, each gets an exact counter of slower requests.
            environment: variables for the locustfile, beside those of this process.
            allowed: targets beyond loopback, `host` or `host:port`.
            given: a locustfile to run in place of the profile's own.
            distribution: the processes that send; None for one that counts, too.

        Returns:
            The handle; the first user starts within a few seconds.

        Raises:
            Refused: the target or the master's address is not listed, or the folder already holds a run; nothing was
                started.
            UsageError: the target is no HTTP address, the locustfile does not exist, or the trace cannot be replayed.
            PartFailed: Locust is not installed, or the files cannot be written.
        """
        if target or given is None:
            check_load_target(target, allowed)
        if distribution is not None:
            check_target(distribution.address, allowed)
        locustfile = _locustfile(profile, workspace) if given is None else _given(given)
        longest = None if given is None else given.longest
        plan = _plan(
            profile,
            workspace,
            target=target,
            thresholds=thresholds,
            allowed=allowed,
            longest=longest,
            distribution=distribution,
            digest=digest(locustfile),
        )
        _lay_out(run_folder, plan)
        variables = locust_environment(plan, environment or {})
        folder = workspace if given is None else given.folder
        child, lifeline = launch(locustfile, folder, run_folder, variables)
        shown = f"loadtests/{profile.locustfile}" if given is None else str(given.path)
        return cls(child, plan, run_folder, lifeline, shown)

    @property
    def pid(self) -> int:
        """The process id of the generator."""
        return self._child.pid

    @property
    def plan(self) -> LoadPlan:
        """What it was told."""
        return self._plan

    @property
    def running(self) -> bool:
        """Whether the generator still runs."""
        return self.poll() is None

    def poll(self) -> int | None:
        """The generator's exit code, None while it runs."""
        return self._child.poll()

    def progress(self) -> Progress | None:
        """How the load stands; None before its first second is over. Call it as often as you like."""
        try:
            with self._files.seconds.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return None
        text = text[: text.rfind(b"\n") + 1]
        if text and not self._read:
            self._plan = self._files.read_plan()  # the locustfile may bring a shape and a host of its own
            self._tracker = Tracker(self._plan)
        self._read += len(text)
        if text:
            self._heard = time.monotonic()
        self._tracker.add(list(whole_seconds(text)))
        return self._tracker.progress(time.time())

    @property
    def seconds(self) -> Sequence[Second]:
        """What the calls of `progress` have read so far, in order."""
        return self._tracker.seconds

    @property
    def stands_still(self) -> bool:
        """Whether the generator runs and says nothing any more: a task or the locustfile itself spins."""
        self.progress()
        if self._heard is not None:
            return self.running and time.monotonic() - self._heard > _STANDS_STILL
        patience = self._plan.distribution.patience if self._plan.distribution else 0.0
        return self.running and time.monotonic() - self._started > _TIME_TO_BEGIN + patience

    def gave_up(self, stop: StopWatch | None = None) -> bool:
        """Stop a load that says nothing any more, or that surely missed what is watched; whether it was stopped.

        Args:
            stop: the watch over it; None to let it miss what it will.
        """
        self.progress()
        missed = stop.missed(self.seconds, self._plan) if stop is not None else []
        if not missed and not self.stands_still:
            return False
        self.stop(missed)
        return True

    def wait(self, timeout: float | None = None) -> LoadResult:
        """Wait for the run to come to its end.

        Args:
            timeout: seconds from now, after which the run is stopped; as long as it can take, if None.

        Returns:
            The result; partial when the run was stopped or died.

        Raises:
            DefinitionError: the locustfile failed to load, or raised or spun before it sent anything.
            UsageError: its shape was over before its first user.
            PartFailed: nothing was recorded.
        """
        until = time.monotonic() + (self._time_left() if timeout is None else timeout)
        while (left := until - time.monotonic()) > 0 and not self.stands_still:
            try:
                self._child.wait(min(left, _LOOK))
            except subprocess.TimeoutExpired:
                continue
            return self._collect()
        return self.stop()

    def stop(self, missed: Sequence[EarlyMiss] = ()) -> LoadResult:
        """Stop the load now; requests in flight get three more seconds. Safe to repeat.

        Args:
            missed: what is surely missed, where that is why.

        Returns:
            The result so far, partial unless the run was over.

        Raises:
            SloproofError: as for `wait`, where the load had failed before.
        """
        if self.running:
            self._stopped, self._stood_still, self._missed = True, self.stands_still, missed
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(max(self._plan.drain, STOP_DRAIN) + _TIME_TO_END)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait(_TIME_TO_END)
        return self._collect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            try:
                self.stop()
            except SloproofError:
                if error is None:
                    raise
        self._let_go()

    def _time_left(self) -> float:
        plan = self._plan
        load = max(plan.duration, plan.longest or 0.0)
        longest = _TIME_TO_BEGIN + load + plan.drain + plan.request_timeout + _TIME_TO_END
        patience = plan.distribution.patience if plan.distribution else 0.0
        return max(0.0, self._started + patience + longest - time.monotonic())

    def _collect(self) -> LoadResult:
        self._let_go()
        problem = self._files.read_problem()
        if problem is not None:
            raise problem.error()
        code = self._child.returncode
        how = "was stopped" if self._stopped else "ended"
        ending = f" with {f'signal {-code}' if code < 0 else f'exit code {code}'}"
        reason = f"the load generator {how}{'' if self._stopped and not code else ending}"
        if self._stood_still and self._heard is None:
            raise did_not_begin(self._locustfile, self._files.log_text(), _TIME_TO_BEGIN, reason)
        result = self._kept(read_result(self._run_folder, reason=reason, stopped=self._stopped))
        error = raised_at_once(result, self._locustfile, self._files.log_text())
        if error is not None:
            raise error
        return result

    def _kept(self, result: LoadResult) -> LoadResult:
        """The result with what only this process knows, on the disk as it is told."""
        if self._stood_still:
            result = result.of_generator_that_stood_still(_STANDS_STILL)
        if self._missed and result.partial:
            result = result.stopped_because_missed(self._missed)
        return keep_result(self._run_folder, result)

    def _let_go(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def _locustfile(profile: LoadProfile, workspace: Path) -> Path:
    _require_locust()
    path = workspace / "loadtests" / profile.locustfile
    if not path.is_file():
        raise UsageError(
            f"`loadtests/{profile.locustfile}` of load profile `{profile.name}` does not exist",
            hint="`locustfile` is relative to the workspace's loadtests/ folder",
        )
    return path.resolve()


def _plan(profile: LoadProfile, workspace: Path, **others: Any) -> LoadPlan:
    trace = profile.arrivals.trace if profile.arrivals is not None else None
    minutes = [] if trace is None else _trace(workspace / "loadtests" / trace, f"loadtests/{trace}")
    try:
        plan = LoadPlan.of(profile, minutes=minutes, **others)
    except ValueError as error:
        raise UsageError(
            f"load profile `{profile.name}` cannot be run: {error}", hint="change its trace or its duration"
        ) from error
    _require_enough_processes(plan)
    return plan


def _require_enough_processes(plan: LoadPlan) -> None:
    needed, sending = plan.processes_needed, 1 if plan.distribution is None else plan.distribution.workers
    if needed > sending:
        raise UsageError(
            f"`{plan.profile}` asks for more than {sending} generator process{'' if sending == 1 else 'es'} can send: "
            f"it takes {needed} at least",
            hint=f"one process runs at most {MOST_USERS:,} users and {MOST_ARRIVALS:,} arrivals a second; "
            f"add `--processes {needed}`",
        )


def _trace(file: Path, shown: str) -> list[Decimal]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"`{shown}` cannot be read: {error.strerror}",
            hint="`trace` is relative to the workspace's loadtests/ folder",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"`{shown}` is no text in UTF-8", hint="save it as CSV in UTF-8") from error
    return parse_trace(text, shown)


def _given(given: GivenLocustfile) -> Path:
    _require_locust()
    if not given.path.is_file():
        raise UsageError(f"there is no locustfile `{given.path}`", hint="give the path of a Python file")
    return given.path.resolve()


def _require_locust() -> None:
    if importlib.util.find_spec("locust") is None:
        raise PartFailed("Locust is not installed", hint='install it with `pip install "sloproof[load]"`')


def _lay_out(run_folder: Path, plan: LoadPlan) -> None:
    files = LoadFiles(run_folder)
    if files.plan.exists():
        raise Refused(f"`{files.folder}` already holds a load run", hint="give each run a folder of its own")
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(files.plan, plan.model_dump_json(indent=2))
    except OSError as error:
        raise PartFailed(f"`{files.folder}` cannot be written: {error}", hint="free the disk or its rights") from error
