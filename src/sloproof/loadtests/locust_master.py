"""The master of a load that several processes send. Only in the generator process: it imports Locust."""

import logging
import os
import subprocess
import sys
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.rpc import Message

from sloproof.loadtests.distribution import HURRY, PLAN, REPORT, SHARE, Distribution, WorkerReport
from sloproof.loadtests.load_files import LoadFiles
from sloproof.loadtests.locust_run import TICK, LocustRun
from sloproof.loadtests.merging import Merger
from sloproof.loadtests.plan import STOP_DRAIN, LoadPlan
from sloproof.loadtests.result import LoadResult, RunTotals

_TIME_TO_END = 5.0
_log = logging.getLogger(__name__)


class MasterRun(LocustRun):
    """Sends nothing itself: starts workers or waits for them, counts what they report, and notices who is lost.

    Args:
        plan: with a distribution.
        files: where to write what happens.
    """

    def __init__(self, plan: LoadPlan, files: LoadFiles) -> None:
        super().__init__(plan, files)
        self._pool = None
        self._distribution = plan.distribution or Distribution(workers=1)
        self._merger: Merger | None = None
        self._started: list[subprocess.Popen[bytes]] = []
        self._lifelines: list[int] = []
        self._locustfile = ""
        self._main = gevent.getcurrent()

    def arguments(self, locustfile: str) -> list[str]:
        """What Locust is started with."""
        self._locustfile = locustfile
        at = self._distribution
        return [
            *super().arguments(locustfile),
            *("--master", "--master-bind-host", at.host, "--master-bind-port", str(at.port)),
            *("--expect-workers", str(at.workers), "--expect-workers-max-wait", f"{at.patience:.0f}"),
        ]

    def listen(self) -> None:
        """Hear of what Locust's master does from now on."""
        events.init.add_listener(self._on_init)
        events.test_start.add_listener(self._on_test_start)
        events.spawning_complete.add_listener(self._on_spawning_complete)
        events.test_stopping.add_listener(self._on_test_stopping)
        events.test_stop.add_listener(self._on_test_stop)

    def finish(self) -> None:
        """Write the result, and end the workers that were started here."""
        try:
            super().finish()
        finally:
            self._end_workers()

    def _on_init(self, environment: Environment, **_: Any) -> None:
        super()._on_init(environment)
        runner = self._runner
        runner.register_message(PLAN, self._on_plan_request)
        runner.register_message(REPORT, self._on_report)
        if not self._distribution.outside:
            for number in range(1, self._distribution.workers + 1):
                self._start_worker(number, f"{self._distribution.host}:{runner.server.port}")

    def _start_worker(self, number: int, master: str) -> None:
        childs_end, lifeline = os.pipe()
        folder = self.files.folder.parent
        command = [sys.executable, "-P", "-m", "sloproof.loadtests.locust_child"]
        with (self.files.folder / f"worker-{number}.log").open("wb") as log:
            worker = subprocess.Popen(
                [*command, str(folder), self._locustfile, str(childs_end), master],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(childs_end,),
            )
        os.close(childs_end)
        self._started.append(worker)
        self._lifelines.append(lifeline)

    @property
    def _runner(self) -> Any:
        """Locust's master; None before there is one."""
        return self._environment.runner if self._environment else None

    def _on_plan_request(self, msg: Any, **_: Any) -> None:
        refused = "it has begun" if self.started_at else ""
        plan = "" if refused else self.plan.model_dump_json()
        self._runner.server.send_to_client(Message(PLAN, {"plan": plan, "refused": refused}, msg.node_id))

    def _on_test_start(self, **_: Any) -> None:
        if self.started_at:
            return
        self.started_at = self.clock()
        self._merger = Merger(self.started_at, self._asked_at)
        present = [client.id for client in self._runner.clients.ready]
        for name in present:
            self._runner.send_message(SHARE, {"number": self._merger.join(name), "of": len(present)}, name)
        self._ticker = gevent.spawn(self._tick)
        if self.plan.schedule is None:
            self._end_in_time()

    def _on_spawning_complete(self, **_: Any) -> None:
        if self.plan.schedule is not None and not self._begun:
            self._begun = self.clock()
            self._end_in_time()

    def _on_report(self, msg: Any, **_: Any) -> None:
        if self._merger is not None:
            self._merger.take(msg.node_id, WorkerReport.model_validate_json(msg.data), self.clock())

    def _on_test_stopping(self, **_: Any) -> None:
        super()._on_test_stopping()
        if self._merger is not None:
            self._merger.drained_from = self.drained_from

    def _on_test_stop(self, **_: Any) -> None:
        if self.ended_at or self._merger is None:
            return
        self.ended_at = self.clock()
        if self._ticker is not None:
            self._ticker.kill()
        for name in self._merger.awaited:
            self._merger.lose(name, self.ended_at)
        self._keep(list(self._merger.rest(self.ended_at)))
        # Locust ends a load whose last worker is lost, but not itself.
        gevent.spawn(self._quit_now)

    def _tick(self) -> None:
        while self._merger is not None:
            gevent.sleep(TICK)
            self._look_for_lost(self._merger)
            self._keep(list(self._merger.ready()))

    def _look_for_lost(self, merger: Merger) -> None:
        for name in merger.awaited:
            client = self._runner.clients.get(name)
            if client is None or client.state == "missing":
                _log.error("worker %s was lost: its part of the load is missing from now on", name)
                merger.lose(name, self.clock())

    def _asked_at(self, second: float) -> float | None:
        asked = self._asked()
        return None if asked is None else asked(second)

    def _interrupt(self) -> None:
        if self._environment is None or self.drained_from:
            return
        if not self.started_at:
            gevent.kill(self._main, SystemExit(0))
            return
        self._environment.stop_timeout = min(self.plan.drain, STOP_DRAIN)
        self._runner.send_message(HURRY, self._environment.stop_timeout)
        self._quit()

    def _quit(self) -> None:
        if self._runner is not None and not self.drained_from:
            # Its `quit` alone would not wait for the workers' last reports.
            self._runner.stop()
            self._quit_now()

    def _quit_now(self) -> None:
        if self._runner is not None:
            self._runner.quit()

    def _totals(self) -> RunTotals:
        return self._merger.totals if self._merger is not None else RunTotals()

    def _result(self) -> LoadResult:
        result = super()._result()
        if self._merger is not None:
            result.workers = self._merger.records()
            result.in_flight_at_end += self._merger.in_flight_of_lost
            result.notes.extend(self._merger.notes())
        return result

    def _end_workers(self) -> None:
        for lifeline in self._lifelines:
            os.close(lifeline)
        self._lifelines = []
        for worker in self._started:
            try:
                worker.wait(_TIME_TO_END)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
