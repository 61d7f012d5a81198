"""The progress line says how the load stands."""

import subprocess
import sys
from dataclasses import replace

from sloproof.loadtests import histogram
from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.progress import Progress, Tracker
from sloproof.loadtests.progress_line import progress_line
from sloproof.loadtests.second import Second

SNAPSHOT = Progress(
    profile="steady",
    elapsed=12,
    left=18,
    asked_rate=40.0,
    achieved_rate=39.8,
    completed=478,
    failed=0,
    users=40,
    in_flight=1,
    p50=0.0121,
    p95=0.031,
    p99=0.048,
)


def test_the_line_reads_as_promised() -> None:
    assert progress_line(SNAPSHOT) == ("steady  00:12/00:30  39.8 of 40.0/s  errors 0  p50 12 ms  p95 31 ms  p99 48 ms")


def test_hours_seconds_and_gaps_are_shown_as_such() -> None:
    line = progress_line(replace(SNAPSHOT, elapsed=3725, left=0, asked_rate=None, p50=None, p99=12.34))
    assert line == "steady  1:02:05/1:02:05  39.8/s  errors 0  p50 -  p95 31 ms  p99 12.3 s"


def test_a_tracker_looks_back_a_few_seconds_only() -> None:
    profile = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=4, rate=4, duration="30s")
    tracker = Tracker(LoadPlan.of(profile, target="http://127.0.0.1", thresholds=[], allowed=[]))
    assert tracker.progress(0) is None
    for at in range(10):
        slow = 1.0 if at < 5 else 0.01
        errors = {"5xx": 1, "429": 2} if at == 0 else {}
        tracker.add([Second(at=at, completed=4, latency={histogram.bucket(slow): 4}, users=4, errors=errors)])
    now = tracker.progress(10.5)
    assert now is not None
    assert (now.elapsed, now.left, now.completed, now.failed, now.achieved_rate) == (10.5, 19.5, 40, 1, 4.0)
    assert now.p99 is not None and now.p99 < 0.011


def test_the_room_imports_no_locust() -> None:
    code = (
        "import sys; from sloproof import LoadProfile; import sloproof.loadtests.locust_process; "
        "sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_by_the_clock_the_rate_of_the_moment_is_shown_and_lost_processes_are() -> None:
    profile = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=4, duration="30s")
    tracker = Tracker(LoadPlan.of(profile, target="http://127.0.0.1", thresholds=[], allowed=[]))
    tracker.add([Second(at=0, asked=10.0), Second(at=1, asked=20.0, lost=1)])
    now = tracker.progress(2)
    assert now is not None and now.asked_rate == 20.0
    assert "of 20.0/s" in progress_line(now) and "LOST 1" in progress_line(now)


def test_by_the_clock_the_time_counts_from_the_first_arrival() -> None:
    plan = LoadPlan.of(
        LoadProfile(name="s", system="tasks", locustfile="f.py", users=4, arrivals=Arrivals(rate=5), duration="30s"),
        target="http://127.0.0.1", thresholds=[], allowed=[],
    )  # fmt: skip
    tracker = Tracker(plan)
    tracker.add([Second(at=at, asked=0.0) for at in range(10)])
    starting = tracker.progress(10)
    tracker.add([Second(at=at, asked=5.0) for at in range(10, 14)])
    loading = tracker.progress(14)
    assert starting is not None and (starting.elapsed, starting.left) == (0, 30)
    assert loading is not None and (loading.elapsed, loading.left) == (4, 26)
