"""One worker of a load that several processes send. Only in the generator process: it imports Locust."""

import logging
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import gevent
import locust.runners
from locust.env import Environment

from sloproof.errors import Refused
from sloproof.loadtests.arrivals import Schedule
from sloproof.loadtests.distribution import HURRY, REPORT, SHARE, WorkerReport, host_and_port
from sloproof.loadtests.load_files import LoadFiles
from sloproof.loadtests.locust_run import LocustRun
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.second import Second

_MASTER_IS_GONE = 10
"""Seconds without a word of the master after which a worker stops; Locust's own 60 would be load that nobody counts."""
_TIME_TO_SEND = 0.2
_TIME_TO_LEAVE = 0.5
_log = logging.getLogger(__name__)


class WorkerRun(LocustRun):
    """Sends its share of the load, and tells the master each second of it.

    Args:
        plan: of the whole load.
        files: this worker writes none of them.
        master: `host:port`.
    """

    def __init__(self, plan: LoadPlan, files: LoadFiles, master: str) -> None:
        super().__init__(plan, files)
        self._master = master
        self._number = self._of = 0

    def arguments(self, locustfile: str) -> list[str]:
        """What Locust is started with; users and target come from the master."""
        host, port = host_and_port(self._master)
        return ["--worker", "--master-host", host, "--master-port", str(port), "-f", locustfile]

    def finish(self) -> None:
        """Tell the master what is left; a worker writes no result."""
        if self.started_at:
            self._on_test_stopping()
            self._on_test_stop()

    def _times(self, schedule: Schedule) -> Iterator[float]:
        yield from islice(schedule.times(), self._number - 1, None, self._of)

    def _on_init(self, environment: Environment, **_: Any) -> None:
        super()._on_init(environment)
        locust.runners.MASTER_HEARTBEAT_TIMEOUT = _MASTER_IS_GONE
        self._runner.register_message(SHARE, self._on_share)
        self._runner.register_message(HURRY, self._on_hurry)

    def _on_share(self, msg: Any, **_: Any) -> None:
        self._number, self._of = msg.data["number"], msg.data["of"]
        # Locustfiles that deal out accounts or rows of a file need to know which are theirs.
        os.environ.update(SLOPROOF_WORKER=str(self._number), SLOPROOF_WORKERS=str(self._of))

    def _on_hurry(self, msg: Any, **_: Any) -> None:
        if self._environment is not None:
            self._environment.stop_timeout = msg.data

    def _on_test_start(self, **_: Any) -> None:
        if not self._of:
            _log.error("the load has begun without this worker, so nobody would count what it sends")
            os._exit(Refused.exit_code)
        super()._on_test_start()

    def _let_shape_decide(self, environment: Environment) -> None:
        """The master follows the shape."""

    def _end_in_time(self) -> None:
        """The master says when."""

    def _keep(self, seconds: Sequence[Second]) -> None:
        if seconds:
            self._tell(WorkerReport(seconds=list(seconds), clock=self.clock()))

    def _on_test_stop(self, **_: Any) -> None:
        if self.ended_at:
            return
        super()._on_test_stop()
        self._tell(WorkerReport(clock=self.clock(), totals=self._totals()))
        gevent.sleep(_TIME_TO_SEND)
        gevent.spawn_later(_TIME_TO_LEAVE, self._leave)

    @property
    def _runner(self) -> Any:
        """Locust's worker; None before there is one."""
        return self._environment.runner if self._environment else None

    def _tell(self, report: WorkerReport) -> None:
        if self._runner is not None:
            self._runner.send_message(REPORT, report.model_dump_json())

    def _leave(self) -> None:
        if self._runner is not None:
            self._runner.greenlet.kill(block=False)
