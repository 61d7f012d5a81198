"""Several processes send one load: every request is counted once, and a process that is lost is told."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sloproof.errors import Refused
from sloproof.lab.ports import free_ports
from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.locust_process import LoadProcess
from tests.integration.test_loadtests_locust_process import THRESHOLDS, USERS, Target, profile, wait_until

pytestmark = pytest.mark.integration

GET = 'self.client.get("/visit?q=1", name="/visit")'


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    server.start()
    yield server
    server.end()


def start(folder: Path, target: str, processes: int = 2, visit: str = GET, **changes: Any) -> LoadProcess:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True, exist_ok=True)
    (users / "visitors.py").write_text(USERS.format(base=changes.pop("base", "FastHttpUser"), visit=visit))
    return LoadProcess.start(
        profile(**changes),
        workspace=folder,
        target=target,
        run_folder=folder / "run",
        thresholds=THRESHOLDS,
        distribution=Distribution.here(processes),
    )


def when_loaded(load: LoadProcess, seconds: float) -> None:
    wait_until(lambda: (now := load.progress()) and now.elapsed > seconds, 60)


def workers_of(load: LoadProcess) -> list[psutil.Process]:
    return psutil.Process(load.pid).children()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(("processes", "base"), [(1, "FastHttpUser"), (2, "FastHttpUser"), (3, "HttpUser")])
def test_the_counts_equal_the_targets_own(tmp_path: Path, target: Target, processes: int, base: str) -> None:
    with start(tmp_path, target.url, processes, base=base, duration="3s") as load:
        result = load.wait(90)
    assert result.completed == result.started == len(target.paths) > 100
    assert result.by_name["GET /visit"].completed == result.completed
    assert sum(result.served_by.values()) == result.completed
    assert result.in_flight_at_end == 0 and not result.partial and not result.generator.lost
    assert len(result.workers) == (processes if processes > 1 else 0)
    if processes > 1:
        assert sum(worker.completed for worker in result.workers) == result.completed
        assert all(worker.completed for worker in result.workers)
    starts = [second.at for second in result.seconds]
    assert starts == list(range(int(starts[0]), int(starts[0]) + len(starts)))


@pytest.mark.alone  # a machine that has no time leaves some out
def test_arrivals_are_dealt_out_so_that_none_is_left_and_none_comes_twice(tmp_path: Path, target: Target) -> None:
    arrivals = Arrivals(rate=60, spacing="poisson", seed=7)
    with start(tmp_path, target.url, 3, rate=None, users=60, arrivals=arrivals, duration="4s") as load:
        result = load.wait(90)
    from sloproof.loadtests.arrivals import Schedule
    from sloproof.loadtests.profile import LoadProfile

    due = len(list(Schedule.of(arrivals, LoadProfile(**fields()).duration).times()))
    assert result.started == result.completed == len(target.paths)
    assert result.started == pytest.approx(due, abs=3)
    assert result.asked_rate == pytest.approx(60)


def fields() -> dict[str, Any]:
    return {"name": "open", "system": "test", "locustfile": "users/visitors.py", "users": 60, "duration": "4s"}


def test_what_is_never_answered_is_counted_by_every_process(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="4s", drain="1s", request_timeout="30s") as load:
        when_loaded(load, 2)
        target.stalled = True
        result = load.wait(90)
    assert result.in_flight_at_end == len(result.censored) == 8
    assert result.started == len(target.paths) == result.completed + 8


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_process_leaves_the_run_undecided(tmp_path: Path, target: Target, how: signal.Signals) -> None:
    with start(tmp_path, target.url, 2, duration="12s") as load:
        when_loaded(load, 2)
        os.kill(workers_of(load)[0].pid, how)
        result = load.wait(90)
    assert result.generator.lost == 1 and result.generator.saturated
    assert "lost 1 process" in result.generator.reasons[0] and result.generator.advice
    assert [worker.lost_at is not None for worker in result.workers].count(True) == 1
    assert result.completed <= len(target.paths)
    assert result.seconds[-1].lost == 1 and result.seconds[0].lost == 0
    assert result.between(result.started_at, result.started_at + 1).generator.lost == 0
    assert not [line for line in subprocess.check_output(["ps", "-eo", "args"], text=True).splitlines()
                if str(tmp_path) in line and "locust_child" in line]  # fmt: skip


def test_a_process_that_is_lost_in_the_drain_is_noticed(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, 2, duration="4s", drain="8s", request_timeout="30s") as load:
        when_loaded(load, 2)
        target.stalled = True
        when_loaded(load, 3.9)
        wait_until(lambda: (now := load.progress()) and now.in_flight == 8, 6)
        os.kill(workers_of(load)[0].pid, signal.SIGKILL)
        result = load.wait(90)
    assert result.generator.lost == 1
    assert 4 < result.in_flight_at_end <= 8


def test_when_all_processes_are_lost_the_run_ends(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, 2, duration="10m") as load:
        when_loaded(load, 2)
        for worker in workers_of(load):
            worker.kill()
        result = load.wait(60)
    assert result.generator.lost == 2 and result.partial


def test_a_stop_saves_what_all_processes_counted(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, 2, duration="10m") as load:
        when_loaded(load, 2)
        result = load.stop()
    assert result.partial and result.completed == len(target.paths) > 0
    assert not result.generator.lost


def test_a_stop_before_the_workers_are_there_ends_everything(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, 2, duration="10m") as load:
        wait_until(lambda: len(workers_of(load)) == 2, 60)
        workers = workers_of(load)
        result = load.stop()
    assert result.partial and not target.paths
    assert not [note for note in result.notes if "exit code 0" in note]
    wait_until(lambda: all(gone(worker) for worker in workers), 20)


def test_everything_dies_with_the_process_that_started_it(tmp_path: Path, target: Target) -> None:
    users = tmp_path / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS.format(base="FastHttpUser", visit=GET))
    owner = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from sloproof.loadtests.distribution import Distribution
        from sloproof.loadtests.locust_process import LoadProcess
        from sloproof.loadtests.profile import LoadProfile
        folder = Path({str(tmp_path)!r})
        profile = LoadProfile(name="short", system="test", locustfile="users/visitors.py", users=4, duration="10m")
        load = LoadProcess.start(
            profile, workspace=folder, target="{target.url}", run_folder=folder / "run", thresholds=[],
            distribution=Distribution.here(2),
        )
        print(load.pid, flush=True)
        time.sleep(120)
    """)
    with subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        master = psutil.Process(int(parent.stdout.readline()))
        wait_until(lambda: len(target.paths) > 10, 60)
        processes = [master, *master.children()]
        parent.kill()
    wait_until(lambda: all(gone(process) for process in processes), 30)
    assert len(processes) == 3


def test_workers_die_with_a_master_that_is_killed(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, 2, duration="10m") as load:
        when_loaded(load, 2)
        workers = workers_of(load)
        os.kill(load.pid, signal.SIGKILL)
        result = load.wait(20)
    assert result.partial and result.completed
    wait_until(lambda: all(gone(worker) for worker in workers), 20)


def test_only_loopback_is_listened_on(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, 2, duration="10m") as load:
        when_loaded(load, 1)
        everybody = [psutil.Process(load.pid), *workers_of(load)]
        listening = [c.laddr.ip for p in everybody for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
        load.stop()
    assert listening == ["127.0.0.1"]


def test_a_master_listens_beyond_loopback_only_where_that_is_listed(tmp_path: Path, target: Target) -> None:
    (tmp_path / "loadtests" / "users").mkdir(parents=True)
    (tmp_path / "loadtests" / "users" / "visitors.py").write_text("")
    with pytest.raises(Refused, match=r"192\.0\.2\.7:5557"):
        LoadProcess.start(
            profile(), workspace=tmp_path, target=target.url, run_folder=tmp_path / "run", thresholds=THRESHOLDS,
            distribution=Distribution.elsewhere(1, "192.0.2.7:5557"),
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def free_port() -> int:
    return free_ports(["one"])["one"]


def lay_out_workspace(folder: Path) -> None:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS.format(base="FastHttpUser", visit=GET))
    (folder / "pyproject.toml").write_text("[tool.sloproof]\n")


def worker_command(folder: Path, port: int) -> "subprocess.Popen[str]":
    command = [str(Path(sys.executable).with_name("sloproof")), "load", "worker", "--master", f"127.0.0.1:{port}"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("changes", [{}, {"rate": None, "users": 30, "arrivals": Arrivals(rate=60)}])
def test_workers_that_are_started_elsewhere_are_counted_to_the_request(
    tmp_path: Path, target: Target, changes: dict[str, Any]
) -> None:
    lay_out_workspace(tmp_path)
    port = free_port()
    with LoadProcess.start(
        profile(duration="4s", **changes), workspace=tmp_path, target=target.url, run_folder=tmp_path / "run",
        thresholds=THRESHOLDS, distribution=Distribution.elsewhere(2, f"127.0.0.1:{port}"),
    ) as load:  # fmt: skip
        workers = [worker_command(tmp_path, port) for _ in range(2)]
        result = load.wait(60)
    said = [worker.communicate(timeout=30)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert result.completed == result.started == len(target.paths) > 100
    assert len(result.workers) == 2 and not result.generator.lost


def test_a_worker_with_another_text_of_the_locustfile_sends_nothing(tmp_path: Path, target: Target) -> None:
    lay_out_workspace(tmp_path / "here")
    lay_out_workspace(tmp_path / "there")
    (tmp_path / "there" / "loadtests" / "users" / "visitors.py").write_text(USERS.format(base="HttpUser", visit=GET))
    port = free_port()
    with LoadProcess.start(
        profile(duration="10m"), workspace=tmp_path / "here", target=target.url, run_folder=tmp_path / "run",
        thresholds=THRESHOLDS, distribution=Distribution.elsewhere(1, f"127.0.0.1:{port}"),
    ) as load:  # fmt: skip
        worker = worker_command(tmp_path / "there", port)
        said = worker.communicate(timeout=60)[0]
        load.stop()
    assert worker.returncode == 2 and "its text is another" in " ".join(said.split())
    assert not target.paths


def test_a_worker_that_comes_too_late_is_sent_away(tmp_path: Path, target: Target) -> None:
    lay_out_workspace(tmp_path)
    port = free_port()
    with LoadProcess.start(
        profile(duration="10m"), workspace=tmp_path, target=target.url, run_folder=tmp_path / "run",
        thresholds=THRESHOLDS, distribution=Distribution.elsewhere(1, f"127.0.0.1:{port}"),
    ) as load:  # fmt: skip
        first = worker_command(tmp_path, port)
        when_loaded(load, 1)
        second = worker_command(tmp_path, port)
        said = second.communicate(timeout=60)[0]
        result = load.stop()
    first.communicate(timeout=30)
    assert second.returncode == 5 and "takes no more workers" in said
    assert result.completed == result.started == len(target.paths)


def test_a_worker_that_leaves_early_was_lost(tmp_path: Path, target: Target) -> None:
    lay_out_workspace(tmp_path)
    port = free_port()
    with LoadProcess.start(
        profile(duration="12s"), workspace=tmp_path, target=target.url, run_folder=tmp_path / "run",
        thresholds=THRESHOLDS, distribution=Distribution.elsewhere(2, f"127.0.0.1:{port}"),
    ) as load:  # fmt: skip
        workers = [worker_command(tmp_path, port) for _ in range(2)]
        when_loaded(load, 2)
        workers[0].send_signal(signal.SIGINT)
        result = load.wait(60)
    for worker in workers:
        worker.communicate(timeout=30)
    assert result.generator.lost == 1
    assert result.completed == len(target.paths)


def test_a_worker_trusts_its_own_list_of_targets_not_its_masters(tmp_path: Path) -> None:
    lay_out_workspace(tmp_path)
    port = free_port()
    with LoadProcess.start(
        profile(duration="10m"), workspace=tmp_path, target="http://192.0.2.1:80", run_folder=tmp_path / "run",
        thresholds=THRESHOLDS, distribution=Distribution.elsewhere(1, f"127.0.0.1:{port}"), allowed=["192.0.2.1"],
    ) as load:  # fmt: skip
        worker = worker_command(tmp_path, port)
        said = worker.communicate(timeout=60)[0]
        load.stop()
    assert worker.returncode == 5 and "192.0.2.1" in said
