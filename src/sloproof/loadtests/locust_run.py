"""One run of Locust in this process, recorded by us. Only in the generator process: it imports Locust."""

import gc
import logging
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gevent
import locust
from locust import events
from locust import main as locust_main
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from sloproof.errors import SloproofError, UsageError
from sloproof.loadtests import child_problem
from sloproof.loadtests.arrivals import Schedule, rate_at
from sloproof.loadtests.load_files import LoadFiles, write_atomically
from sloproof.loadtests.locust_arrivals import Pool, take_due
from sloproof.loadtests.locust_configuration import leave_configuration_out
from sloproof.loadtests.locust_cookies import spare_cookies
from sloproof.loadtests.locust_sessions import LATE, TRACE, request_name, watch_sessions
from sloproof.loadtests.locust_shape import FollowedShape, Stages
from sloproof.loadtests.outcome import NOT_SENT, outcome
from sloproof.loadtests.phases import PhaseCounter
from sloproof.loadtests.plan import STOP_DRAIN, LoadPlan
from sloproof.loadtests.recorder import Recorder
from sloproof.loadtests.reported import bytes_of, context_of, seconds_of, served_by, status_of
from sloproof.loadtests.result import LoadResult, RunTotals
from sloproof.loadtests.second import Second
from sloproof.targets import check_target

TICK = 0.05
"""Seconds between two looks at the clock."""
_KINDS_OF_EXCEPTION = 50
_EXCEPTION_LENGTH = 300
_OTHER_EXCEPTIONS = "(other exceptions)"
_ALLOCATIONS = 20_000
_log = logging.getLogger(__name__)


def run(run_folder: Path, locustfile: str, master: str = "") -> None:
    """Run the plan in a folder and write its result.

    Args:
        run_folder: holds `load/plan.json`; gets `load/seconds.jsonl` and `load/result.json`.
        locustfile: path of an ordinary locustfile.
        master: `host:port` of the master that this process works for; it then writes no result.
    """
    files = LoadFiles(run_folder)
    locust_run = _role(files.read_plan(), files, master)
    locust_run.listen()
    locust_run.notes.extend(leave_configuration_out())
    sys.argv = ["locust", *locust_run.arguments(locustfile)]
    try:
        locust_main.main()
    except SystemExit:
        if not locust_run.started_at and not _defines_users(locustfile):
            locust_run.begin_and_end()
            locust_run.notes.append(f"`{locust_run.plan.locustfile}` defines no Locust user: nothing was sent")
    except Exception as error:
        if not locust_run.started_at:
            write_atomically(files.problem, child_problem.of_locustfile(error, locustfile).model_dump_json())
        raise
    finally:
        locust_run.finish()


def _role(plan: LoadPlan, files: LoadFiles, master: str) -> "LocustRun":
    if master:
        from sloproof.loadtests.locust_worker import WorkerRun

        return WorkerRun(plan, files, master)
    if plan.distribution is not None:
        from sloproof.loadtests.locust_master import MasterRun

        return MasterRun(plan, files)
    return LocustRun(plan, files)


def _spare_collections() -> None:
    """Leave the modules out of every search for garbage, and search less often: each search holds up all requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])


def _defines_users(locustfile: str) -> bool:
    users, _ = load_locustfile(locustfile)
    return bool(users)


class LocustRun:
    """Follows one Locust test through its events, from its first user to the end of its drain.

    Args:
        plan: what to run.
        files: where to write what happens.
    """

    def __init__(self, plan: LoadPlan, files: LoadFiles) -> None:
        self.plan = plan
        self.files = files
        self.recorder: Recorder | None = None
        self.started_at = self.drained_from = self.ended_at = 0.0
        self.notes: list[str] = []
        self.uncounted = 0
        self._counted: Recorder | None = None
        self._phases = PhaseCounter(plan.phases, plan.thresholds, 0.0)
        self._exceptions: dict[str, int] = {}
        self._environment: Environment | None = None
        self._ticker: gevent.Greenlet | None = None
        self._unwritable = self._interrupted = False
        self._pool = None if plan.schedule is None else Pool(self._times(plan.schedule), self)
        self._begun = 0.0
        self._shape: FollowedShape | None = None
        # A wall clock that is set while the run goes on must not move its seconds.
        self._epoch = time.time() - time.perf_counter()

    def _times(self, schedule: Schedule) -> Iterator[float]:
        """The arrivals that this process works off."""
        return schedule.times()

    def clock(self) -> float:
        """The epoch second, steady and unrounded."""
        return self._epoch + time.perf_counter()

    def arguments(self, locustfile: str) -> list[str]:
        """What Locust is started with."""
        return [
            *("--headless", "--only-summary", "--exit-code-on-error", "0"),
            *("-f", locustfile),
            *(("--host", self.plan.target) if self.plan.target else ()),
            *("--users", str(self.plan.users), "--spawn-rate", str(self.plan.spawn_rate)),
        ]

    def listen(self) -> None:
        """Hear of everything that Locust does from now on."""
        spare_cookies()
        watch_sessions(self, self.plan)
        if self._pool is not None:
            self._pool.install()
            events.spawning_complete.add_listener(self._on_spawning_complete)
        events.init.add_listener(self._on_init)
        events.test_start.add_listener(self._on_test_start)
        events.request.add_listener(self.count)
        events.user_error.add_listener(self._on_user_error)
        events.test_stopping.add_listener(self._on_test_stopping)
        events.test_stop.add_listener(self._on_test_stop)

    def begin_and_end(self) -> None:
        """A run in which nothing was to be done."""
        self.started_at = self.drained_from = self._phases.begun = self.clock()

    def finish(self) -> None:
        """Write the result; nothing when no test ever began."""
        if not self.started_at:
            self._tell_shape_that_ended_at_once()
            return
        self._on_test_stopping()
        self._on_test_stop()
        write_atomically(self.files.result, self._result().to_json())

    def _tell_shape_that_ended_at_once(self) -> None:
        if self._shape is not None and self._shape.over:
            error = UsageError(
                f"the shape `{self._shape.name}` of `{self.plan.locustfile}` was over before its first user: "
                "nothing was sent",
                hint="its first `tick` must return users and a spawn rate; None ends the load",
            )
            write_atomically(self.files.problem, child_problem.of_error(error).model_dump_json())

    def _on_init(self, environment: Environment, **_: Any) -> None:
        self._environment = environment
        environment.stop_timeout = self.plan.drain
        try:
            self._aim(environment)
        except SloproofError as error:
            write_atomically(self.files.problem, child_problem.of_error(error).model_dump_json())
            raise SystemExit(error.exit_code) from error
        self._let_shape_decide(environment)
        gevent.signal_handler(signal.SIGINT, self._interrupt)

    def _aim(self, environment: Environment) -> None:
        """Without a target of ours the locustfile's own decides: it is checked before anything is sent."""
        if self.plan.target:
            return
        hosts = {str(user.host or "") for user in environment.user_classes}
        for host in sorted(hosts):
            if not host:
                raise UsageError(
                    f"`{self.plan.locustfile}` has a user without a `host`, so nothing was sent",
                    hint="give the address of a system that runs: `--target URL`",
                )
            check_target(host, self.plan.allowed)
        self._plan_anew(target=", ".join(sorted(hosts)))

    def _let_shape_decide(self, environment: Environment) -> None:
        own = environment.shape_class
        by_the_clock = self.plan.schedule is not None
        if self.plan.stages or by_the_clock:
            environment.shape_class = Stages(self.plan) if self.plan.stages else None
            if own is not None:
                self.notes.append(f"the shape `{type(own).__name__}` was left out: the profile says how the load moves")
            if by_the_clock:
                return
        elif own is not None:
            self._plan_anew(duration=self.plan.longest or self.plan.duration)
            if own.use_common_options and environment.parsed_options is not None:
                environment.parsed_options.run_time = math.ceil(self.plan.duration)
            self.notes.append(f"the shape `{type(own).__name__}` of the locustfile decided how many users ran")
        if environment.shape_class is not None:
            self._shape = FollowedShape(environment.shape_class, self.clock)

    def _plan_anew(self, **changes: Any) -> None:
        """What only the locustfile knows; the process that waits for us reads it too."""
        self.plan = self.plan.model_copy(update=changes)
        write_atomically(self.files.plan, self.plan.model_dump_json(indent=2))

    def _on_test_start(self, **_: Any) -> None:
        if self.started_at:
            return
        _spare_collections()
        self.started_at = self.clock()
        self._phases.begun = self.started_at
        self.recorder = self._counted = Recorder(
            self.plan.thresholds,
            self.started_at,
            time.process_time(),
            warm_up=self.plan.warm_up,
            phases=self._phases,
        )
        self._ticker = gevent.spawn(self._tick)
        if self._pool is None:
            self._end_in_time()

    def _on_spawning_complete(self, **_: Any) -> None:
        if self._pool is None or self._begun:
            return
        self._begun = self._phases.begun = self.clock()
        self._pool.begin(self._begun)
        self._end_in_time()

    def _end_in_time(self) -> None:
        gevent.spawn_later(self.plan.duration, self._quit)

    def count(
        self,
        request_type: str = "",
        name: str = "",
        response_time: float | None = None,
        response_length: int | None = 0,
        response: Any = None,
        exception: BaseException | None = None,
        context: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Count a request that was reported as Locust's `request` event reports them."""
        if self.recorder is None:
            return
        try:
            about, seconds, now = context_of(context), seconds_of(response_time), self.clock()
            late, status = about.get(LATE, 0.0), status_of(response)
            if TRACE not in about and (due := take_due()) is not None:
                late = now - seconds - due  # a client of the locustfile's own, which nobody has asked when it began
            self.recorder.complete(
                request_name(str(request_type), str(name)),
                seconds + late,
                outcome(status, exception),
                served_by(response),
                now,
                bytes_of(response_length),
                status,
                about.get(TRACE, ()),
                late,
            )
        except Exception:
            self.uncounted += 1
            _log.exception("a request was reported with values that cannot be counted")

    def _on_user_error(self, exception: BaseException, **_: Any) -> None:
        text = f"{type(exception).__name__}: {exception}"[:_EXCEPTION_LENGTH]
        if text not in self._exceptions and len(self._exceptions) >= _KINDS_OF_EXCEPTION:
            text = _OTHER_EXCEPTIONS
        self._exceptions[text] = self._exceptions.get(text, 0) + 1

    def _on_test_stopping(self, **_: Any) -> None:
        self.drained_from = self.drained_from or self.clock()

    def _on_test_stop(self, **_: Any) -> None:
        if self.ended_at:
            return
        self.ended_at = self.clock()
        if self._ticker is not None:
            self._ticker.kill()
        if self.recorder is not None:
            for due in self._pool.drop(self.drained_from) if self._pool else ():
                self.recorder.begin(NOT_SENT, due)
            self.recorder.censor_open(self.ended_at)
            self._write_seconds(math.ceil(self.ended_at))
        self.recorder = None

    def _tick(self) -> None:
        while self.recorder is not None:
            due = self.clock() + TICK
            gevent.sleep(TICK)
            now = self.clock()
            self.recorder.lag(due, now)
            self._write_seconds(math.floor(now))

    def _write_seconds(self, end: int) -> None:
        if self.recorder is None or self._unwritable:
            return
        runner = self._environment.runner if self._environment else None
        users = runner.user_count if runner else 0
        waiting = self._pool.unserved if self._pool else 0
        seconds = self.recorder.close_until(
            end, self.clock(), users, time.process_time(), waiting=waiting, asked=self._asked()
        )
        self._keep(list(seconds))

    def _keep(self, seconds: Sequence[Second]) -> None:
        """Put seconds on record that are over."""
        lines = "".join(self._shaped(second).model_dump_json() + "\n" for second in seconds)
        if not lines:
            return
        try:
            with self.files.seconds.open("a", encoding="utf-8") as file:
                file.write(lines)
        except OSError as error:
            # Load without a record proves nothing; and a line after half a line could not be read.
            _log.error("the seconds cannot be written, so the load ends: %s", error)
            self._unwritable = True
            gevent.spawn(self._quit)

    def _shaped(self, second: Second) -> Second:
        if self._shape is not None:
            second.users_asked = self._shape.asked.at(second.at + 1)
        return second

    def _asked(self) -> Callable[[float], float] | None:
        schedule = self.plan.schedule
        if schedule is None:
            return None
        return lambda at: rate_at(schedule.stretches, at - self._begun) if self._begun else 0.0

    def _interrupt(self) -> None:
        self._interrupted = True
        if self._environment is not None and not self.drained_from:
            self._environment.stop_timeout = min(self.plan.drain, STOP_DRAIN)
            self._quit()

    def _quit(self) -> None:
        runner = self._environment.runner if self._environment else None
        if runner and not self.drained_from:
            runner.quit()

    def _result(self) -> LoadResult:
        result = self.plan.finished(
            self.files.read_seconds(),
            self._totals(),
            started_at=self.started_at,
            drained_from=self.drained_from,
            ended_at=self.ended_at,
            whole=self._shape is not None and self._shape.over,
        )
        if self._shape is not None and self._shape.failure:
            self.notes.append(self._shape.failure)
        if self._interrupted and not result.partial:
            result.partial = True
            result.notes.append("interrupted while requests in flight were waited for: this result is partial")
        result.locust_version = locust.__version__
        result.notes.extend(self.notes)
        return result

    def _totals(self) -> RunTotals:
        counted = self._counted.totals if self._counted is not None else RunTotals()
        phases = self._phases.over((one.started_at for one in counted.censored), self.drained_from)
        known = {"exceptions": self._exceptions, "phases": phases, "uncounted": max(self.uncounted, 0)}
        return counted.model_copy(update=known)
