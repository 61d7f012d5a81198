"""`sloproof lab` and `sloproof check --online`, as processes, on a real lab and on machines that lack something."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.lab.parts import PARTS_VARIABLE, find
from sloproof.lab.postgres_cluster import reachable, serving_account
from sloproof.lab.state import load_state
from tests.integration.cli_runs import Workspace, eventually, without_parts

pytestmark = pytest.mark.integration
OTHER = """\
from sloproof import SLO, ErrorRatio, Service

other = Service(name="other", owner="team", job="other")
works = SLO(service=other, name="works", objective="99", sli=ErrorRatio(errors='r{code="503"}', total="r"))
"""
STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(scope="module")
def up(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("cli") / "slos", steady="8s")
    try:
        done = workspace.run("lab", "up", "--for", "5m")
        assert done.returncode == 0, done.stderr
        assert "tasks is up: http://127.0.0.1:" in done.stdout
        yield workspace
    finally:
        first, second = workspace.run("lab", "down"), workspace.run("lab", "down")
        assert (first.returncode, second.returncode) == (0, 0)
        assert "the lab of `tasks` is down" in first.stderr
        assert "the lab of `tasks` was not up" in second.stderr
        assert workspace.marked() == []
        assert load_state(workspace.lab) is None


def test_a_second_lab_is_refused_with_the_reason(up: Workspace) -> None:
    done = up.run("lab", "up")
    assert done.returncode == 5
    assert "a lab of `tasks` is already up" in done.stderr
    assert "`sloproof lab down`" in done.stderr
    assert up.run("lab", "status").returncode == 0


def test_status_names_every_part(up: Workspace) -> None:
    done = up.run("lab", "status")
    for part in ("a1", "a2", "alertmanager", "balancer", "postgres", "prometheus", "webhook"):
        assert f"\n{part} " in f"\n{done.stdout}"
    assert "DOES NOT ANSWER" not in done.stdout


def check_online(up: Workspace, old: str, new: str) -> tuple[int, str]:
    """`check --online` with one change to the definitions."""
    file, prometheus = up.root / "slo" / "tasks.py", up.state.prometheus if up.state else ""
    text = file.read_text()
    assert old in text
    try:
        file.write_text(text.replace(old, new))
        done = up.run("check", "--online", prometheus)
        return done.returncode, done.stderr
    finally:
        file.write_text(text)


def test_the_budgets_of_a_lab_are_asked_of_its_own_prometheus_with_its_scale(up: Workspace) -> None:
    state = load_state(up.lab)
    assert state is not None
    done = up.run("status", "tasks", "--json")
    assert done.returncode in (0, 1, 3), done.stderr
    assert f"asking the Prometheus of the lab of `tasks` at {state.prometheus}, windows divided by " in done.stderr
    objectives = json.loads(done.stdout)["objectives"]
    assert {one["service"] for one in objectives} == {"tasks"}
    assert not any("nothing is recorded" in note for one in objectives for note in one["notes"])


def test_of_a_lab_only_its_own_system_is_shown_and_judged(up: Workspace) -> None:
    other = up.root / "slo" / "other.py"
    other.write_text(OTHER)
    try:
        done, named = up.run("status", "--json"), up.run("status", "other", "--json")
    finally:
        other.unlink()
    assert {one["service"] for one in json.loads(done.stdout)["objectives"]} == {"tasks"}
    assert (named.returncode, named.stdout) == (2, "")
    assert "no lab is up" in named.stderr


def test_a_badge_of_a_labs_budget_is_asked_of_its_own_prometheus(up: Workspace) -> None:
    done = up.run("badge", "budget", "tasks/availability")
    assert done.returncode == 0, done.stderr
    assert "asking the Prometheus of the lab of `tasks`" in done.stderr
    assert done.stdout.startswith("<svg") and "cannot be reached" not in done.stdout
    service = up.run("badge", "budget", "tasks")
    assert (service.returncode, service.stdout) == (2, "")
    assert "`tasks/availability`" in service.stderr and "hint:" in service.stderr


def test_definitions_that_fit_the_live_metrics_have_no_problems(up: Workspace) -> None:
    code, said = check_online(up, "99.9", "99.9")
    assert code == 0
    told = set(re.findall(r" warning: .*\[(\S+)\]$", said, re.MULTILINE))
    # What is not written yet, and a lab that is idle and quick.
    assert told <= {"runbook/unwritten", "slo/too-little-traffic", "server/scrape-interval-differs"}, said


def test_a_threshold_between_two_buckets_is_told_with_its_neighbours(up: Workspace) -> None:
    code, said = check_online(up, '"500ms"', '"320ms"')
    assert code == 1
    assert "latency: `320` milliseconds is no bucket of `envoy_http_downstream_rq_time" in said
    assert "[slo/threshold-no-bucket]" in said
    assert "its nearest buckets are `250` and `300`" in said


def test_an_unknown_label_is_told_with_those_there_are(up: Workspace) -> None:
    code, said = check_online(up, "envoy_response_code_class", "code_class")
    assert code == 1
    assert "`envoy_http_downstream_rq_xx` has no label `code_class` [slo/unknown-label]" in said
    assert "`envoy_response_code_class`" in said


def test_an_unknown_metric_is_told(up: Workspace) -> None:
    code, said = check_online(up, "envoy_http_downstream_rq_completed", "requests_completed")
    assert code == 1
    assert "there is no metric `requests_completed` [slo/selector-matches-nothing]" in said


@pytest.mark.parametrize(
    ("number", "group", "moment"),
    [
        (signal.SIGINT, True, "making a database"),
        (signal.SIGTERM, False, "starting 10 programs"),
        (signal.SIGINT, False, "postgres answers"),
    ],
)
def test_an_interrupted_start_leaves_nothing(
    parts: Path, tmp_path: Path, number: signal.Signals, group: bool, moment: str
) -> None:
    workspace = Workspace(tmp_path / "slos")
    with workspace.started("lab", "up") as command:
        command.wait_until_said(moment)
        command.send(number, group=group)
        assert command.ended() == STOPPED[number], command.said
        assert f"stopped by {number.name}" in command.said
        assert command.runtimes
        assert eventually(lambda: not command.left(), 5), command.left()
        assert not any(runtime.exists() for runtime in command.runtimes)
    assert workspace.state is None


def test_a_second_signal_does_not_cut_the_ending_short(parts: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "slos")
    with workspace.started("lab", "up") as command:
        command.wait_until_said("starting 10 programs")
        command.send(signal.SIGTERM, group=False)
        command.wait_until_said("ending the lab of `tasks`")
        command.send(signal.SIGINT, group=False)
        command.send(signal.SIGTERM, group=True)
        assert command.ended() == 143
        assert eventually(lambda: not command.left(), 5), command.left()
    assert workspace.state is None


def test_a_missing_prometheus_is_named_with_what_to_install(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "slos")
    done = workspace.run("lab", "up", **without_parts(tmp_path / "empty"))
    assert done.returncode == 6
    assert "error: `prometheus` is not on this machine" in done.stderr
    assert "SLOPROOF_PARTS" in done.stderr
    assert workspace.run("lab", "status").returncode == 3


def test_a_postgresql_that_does_not_start_is_told_in_its_own_words(parts: Path, tmp_path: Path) -> None:
    broken = tmp_path / "parts"
    broken.mkdir()
    for name in ("prometheus", "promtool", "alertmanager", "amtool"):
        (broken / name).symlink_to(find(name, parts))
    real = reachable(find("postgres", parts), serving_account(), tmp_path)
    (broken / "initdb").symlink_to(real.with_name("initdb"))
    fake = broken / "postgres"
    fake.write_text("#!/bin/sh\necho 'FATAL:  could not map anonymous shared memory' >&2\nexit 1\n")
    fake.chmod(0o755)
    for folder in (broken, *broken.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o005)
    workspace = Workspace(tmp_path / "slos")
    with workspace.started("lab", "up", **{PARTS_VARIABLE: str(broken)}) as command:
        code = command.ended()
        assert code == 6, command.said
        assert "FATAL:  could not map anonymous shared memory" in command.said
        assert eventually(lambda: not command.left(), 5), command.left()
    assert workspace.state is None
    assert workspace.run("lab", "status").returncode == 3
