"""Experiments in the style in which they are published run unchanged, and are judged by what they really did."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from tests.integration.chaos_system import wait_for
from tests.integration.small_workspace import runs, sloproof, started, workspace_of

PROGRAM = str(Path(sys.executable).with_name("sloproof"))
pytestmark = pytest.mark.integration


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *parts: object) -> None:
        pass


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = workspace_of(tmp_path)
    (root / "conf").write_text("whole")
    return root


def exists(name: str, file: str) -> dict[str, Any]:
    provider = {"type": "python", "module": "os.path", "func": "exists", "arguments": {"path": file}}
    return {"type": "probe", "name": name, "tolerance": True, "provider": provider}


def process(name: str, path: str, *arguments: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "action",
        "name": name,
        "provider": {"type": "process", "path": path, "arguments": arguments},
    } | more


def experiment(**changes: Any) -> dict[str, Any]:
    """Move a file away and back: a process breaks, a process puts back, a function looks."""
    return {
        "version": "1.0.0",
        "title": "we survive without a configuration file",
        "description": "The service has read it already.",
        "tags": ["file"],
        "steady-state-hypothesis": {"title": "it is there", "probes": [exists("the file is there", "conf")]},
        "method": [process("touch another", "touch", "other")],
        "rollbacks": [process("remove the other", "rm", "-f", "other")],
    } | changes


def run(workspace: Path, document: dict[str, Any], *words: str, name: str = "experiment.json") -> Any:
    file = workspace / name
    file.write_text(json.dumps(document) if name.endswith("json") else yaml.safe_dump(json.loads(json.dumps(document))))
    before = file.read_bytes()
    done = sloproof(workspace, "chaos", "run", name, "--yes", *words)
    assert file.read_bytes() == before
    assert not list(workspace.glob("chaostoolkit.log")), "no litter in the working directory"
    return done


def ledger(workspace: Path) -> Ledger:
    return Ledger(workspace / ".sloproof" / "ledger.jsonl")


@pytest.mark.parametrize("name", ["experiment.json", "experiment.yaml"])
def test_processes_and_functions_pass_and_leave_a_journal_and_a_clean_ledger(workspace: Path, name: str) -> None:
    done = run(workspace, experiment(), name=name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("we survive without a configuration file: PASS")
    (folder,) = runs(workspace)
    kinds = [event.kind for event in read_events(folder)]
    assert kinds[:2] == ["injecting", "started"]
    assert kinds[-2:] == ["finished", "undone"]
    assert kinds.count("activity") == 4
    assert ledger(workspace).open_entries() == []
    assert not (workspace / "other").exists()


def test_a_module_that_is_not_installed_is_named(workspace: Path) -> None:
    provider = {"type": "python", "module": "chaosnowhere.pod.actions", "func": "terminate_pods"}
    done = run(workspace, experiment(method=[{"type": "action", "name": "kill pods", "provider": provider}]))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "could not find Python module 'chaosnowhere.pod.actions' in activity 'kill pods'" in done.stdout
    assert "install the extension that has `chaosnowhere.pod.actions`" in done.stdout


def test_http_probes_with_configuration_and_pauses_pass(workspace: Path, service: str) -> None:
    probe = {
        "type": "probe",
        "name": "it answers",
        "tolerance": {"type": "jsonpath", "path": "$.status", "expect": ["ok"], "target": "body"},
        "provider": {"type": "http", "url": "${service_url}", "timeout": 3},
    }
    plain = {**probe, "tolerance": 200}
    document = experiment(
        configuration={"service_url": service},
        **{"steady-state-hypothesis": {"title": "it answers", "probes": [plain, exists("the file is there", "conf")]}},
        method=[process("nothing", "true", pauses={"after": 1}), plain],
    )
    done = run(workspace, document)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_hypothesis_that_breaks_fails(workspace: Path) -> None:
    method = [process("move it", "mv", "conf", "gone")]
    done = run(workspace, experiment(method=method, rollbacks=[process("move it back", "mv", "gone", "conf")]))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL (the steady state did not hold after the method)" in done.stdout
    assert (workspace / "conf").exists(), "its rollbacks were played"


def test_a_hypothesis_that_does_not_hold_before_is_undecided_and_nothing_is_tried(workspace: Path) -> None:
    (workspace / "conf").unlink()
    done = run(workspace, experiment())
    assert done.returncode == 3, done.stdout + done.stderr
    assert "nothing was tried" in done.stdout
    assert not (workspace / "other").exists()


def test_a_process_that_fails_is_no_fault_that_was_survived(workspace: Path) -> None:
    done = run(workspace, experiment(method=[process("break it", "false")]))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "UNDECIDED (an activity failed: `break it`: exit code 1)" in done.stdout


def test_a_probe_of_the_method_is_held_to_its_tolerance(workspace: Path) -> None:
    done = run(workspace, experiment(method=[exists("another file", "nowhere")]))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not within its tolerance: another file" in done.stdout


def test_a_tolerance_that_cannot_be_asked_is_no_pass(workspace: Path) -> None:
    look = exists("another file", "conf") | {"tolerance": {"type": "regex", "pattern": "(", "target": "stdout"}}
    done = run(workspace, experiment(method=[look]))
    assert done.returncode == 3, done.stdout + done.stderr


def test_rollbacks_that_name_an_activity_of_the_method_can_be_played_again(workspace: Path) -> None:
    put_back = process("put it back", "sh", "-c", "test -e conf || mv gone conf")
    sleep = process("wait", "sleep", "60")
    method = [put_back, process("break it", "mv", "conf", "gone"), sleep]
    (workspace / "long.json").write_text(json.dumps(experiment(method=method, rollbacks=[{"ref": "put it back"}])))
    tool = started(workspace, "chaos", "run", "long.json", "--yes")
    try:
        assert wait_for((workspace / "gone").exists, 60)
        (child,) = [one for one in psutil.Process(tool.pid).children() if "published_child" in str(one.cmdline())]
        child.kill()
        assert wait_for((workspace / "conf").exists, 100)
        assert wait_for(lambda: not ledger(workspace).open_entries(), 100)
    finally:
        tool.kill()
        tool.communicate(timeout=10)


def test_an_experiment_that_expects_nothing_is_undecided(workspace: Path) -> None:
    document = experiment()
    del document["steady-state-hypothesis"]
    done = run(workspace, document)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "nothing was expected" in done.stdout


def test_rollbacks_that_fail_end_with_7_until_they_succeed(workspace: Path) -> None:
    rollbacks = [process("put it back", "mv", "missing", "conf")]
    done = run(workspace, experiment(rollbacks=rollbacks))
    assert done.returncode == 7, done.stdout + done.stderr
    assert "still broken: we survive without a configuration file" in done.stderr
    refused = run(workspace, experiment())
    assert refused.returncode == 5
    assert "sloproof chaos undo" in refused.stderr
    assert sloproof(workspace, "chaos", "undo").returncode == 7
    (workspace / "missing").write_text("found")
    assert sloproof(workspace, "chaos", "undo").returncode == 0
    assert run(workspace, experiment()).returncode == 0


def sleeping(workspace: Path) -> dict[str, Any]:
    method = [process("break it", "mv", "conf", "gone"), process("wait", "sleep", "60")]
    return experiment(method=method, rollbacks=[process("put it back", "sh", "-c", "test -e conf || mv gone conf")])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("victim", ["tool", "child"])
def test_whoever_is_ended_its_rollbacks_are_played(workspace: Path, victim: str, number: signal.Signals) -> None:
    (workspace / "long.json").write_text(json.dumps(sleeping(workspace)))
    tool = started(workspace, "chaos", "run", "long.json", "--yes")
    try:
        assert wait_for((workspace / "gone").exists, 40)
        if victim == "tool":
            tool.send_signal(number)
        else:
            (child,) = [one for one in psutil.Process(tool.pid).children() if "published_child" in str(one.cmdline())]
            os.kill(child.pid, number)
        assert wait_for((workspace / "conf").exists, 60)
        assert wait_for(lambda: not ledger(workspace).open_entries(), 60)
        said = tool.communicate(timeout=60)
        if victim == "child":
            assert tool.returncode == 3, said
    finally:
        tool.kill()
        tool.wait(timeout=10)


def test_an_experiment_that_takes_too_long_is_stopped_and_put_back(workspace: Path) -> None:
    done = run(workspace, sleeping(workspace), "--longest", "6s")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "ended early" in done.stdout
    assert (workspace / "conf").exists()


@pytest.mark.parametrize("host", ["${host}", "192.0.2.1"])
def test_a_target_off_the_list_is_refused_before_anything_runs(workspace: Path, host: str) -> None:
    probe = {"type": "probe", "name": "far away", "provider": {"type": "http", "url": f"http://{host}:80/"}}
    configuration = {"host": {"type": "env", "key": "NO_SUCH_HOST"}}
    done = run(workspace, experiment(configuration=configuration, method=[probe]))
    assert done.returncode == 5, done.stdout + done.stderr
    assert runs(workspace) == []


def test_without_a_terminal_and_without_yes_it_is_refused(workspace: Path) -> None:
    (workspace / "one.json").write_text(json.dumps(experiment()))
    done = subprocess.run(
        [PROGRAM, "chaos", "run", "one.json"], cwd=workspace, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "`--yes`" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "has no `method`"),
        ('{"title": "x"}', "has no `method`"),
        ('{"method": ["x"]}', "its `method` is no list of objects"),
        ('{"method": [], "rollbacks": {"a": 1}}', "its `rollbacks` is no list of objects"),
        ('{"method": [], "extensions": 3}', "its `extensions` is no list of objects"),
        ('{"method": [], "configuration": ["x"]}', "its `configuration` is no object"),
    ],
)
def test_what_is_no_experiment_is_said(workspace: Path, text: str, said: str) -> None:
    (workspace / "bad.json").write_text(text)
    done = sloproof(workspace, "chaos", "run", "bad.json", "--yes")
    assert done.returncode == 2
    assert said in done.stderr
    assert sloproof(workspace, "chaos", "run", "missing.yaml", "--yes").returncode == 2


def test_an_experiment_that_the_toolkit_refuses_is_undecided(workspace: Path) -> None:
    broken = {"type": "action", "name": "nobody", "provider": {"type": "python", "module": "no_such", "func": "f"}}
    done = run(workspace, experiment(method=[broken]))
    assert done.returncode == 3, done.stdout + done.stderr


def test_a_dry_run_shows_the_activities_and_does_nothing(workspace: Path) -> None:
    done = run(workspace, experiment(), "--dry-run")
    assert done.returncode == 0
    assert "method   action `touch another` (process)" in done.stdout
    assert not (workspace / "other").exists()
    assert runs(workspace) == []


class Listener(BaseHTTPRequestHandler):
    """Takes what Grafana and an OpenTelemetry collector take, and refuses annotations without the token."""

    heard: list[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = self.path != "/api/annotations" or self.headers["authorization"] == "Bearer s3cret"
        self.heard.append((self.path, body))
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *parts: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    heard: list[tuple[str, dict[str, Any]]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Listener,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", heard
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def test_a_run_is_told_to_grafana_and_to_a_collector(
    workspace: Path, listener: tuple[str, list[tuple[str, dict[str, Any]]]]
) -> None:
    url, heard = listener
    (workspace / "token").write_text("s3cret\n")
    told = f'[tool.sloproof]\ngrafana-url = "{url}"\ngrafana-token-file = "token"\notlp-endpoint = "{url}"\n'
    (workspace / "pyproject.toml").write_text(told)
    done = run(workspace, experiment())
    assert done.returncode == 0, done.stderr
    assert "not told" not in done.stderr
    annotated = [body for path, body in heard if path == "/api/annotations"]
    (spans,) = [body["resourceSpans"][0]["scopeSpans"][0]["spans"] for path, body in heard if path == "/v1/traces"]
    assert annotated[0]["tags"] == ["sloproof", "chaos", "published", "experiment"]
    assert annotated[0]["time"] < annotated[0]["timeEnd"]
    assert spans[0]["name"] == "chaos run experiment"
    assert {span["parentSpanId"] for span in spans[1:]} == {spans[0]["spanId"]}
    (folder,) = runs(workspace)
    assert [event["name"] for event in spans[0]["events"]] == [event.kind for event in read_events(folder)]
    assert len(annotated) == len(spans)


def test_whoever_does_not_listen_changes_no_verdict(
    workspace: Path, listener: tuple[str, list[tuple[str, dict[str, Any]]]]
) -> None:
    (workspace / "token").write_text("wrong")
    told = f'[tool.sloproof]\ngrafana-url = "{listener[0]}"\ngrafana-token-file = "token"\n'
    (workspace / "pyproject.toml").write_text(told + 'otlp-endpoint = "http://127.0.0.1:9"\n')
    done = run(workspace, experiment())
    assert done.returncode == 0, done.stderr
    assert "refused an annotation (status 401)" in done.stderr
    assert "the collector at `http://127.0.0.1:9` cannot be reached" in done.stderr
    assert "wrong" not in done.stderr, "no secret is shown"
