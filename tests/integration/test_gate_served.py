"""Gates over HTTP and in pipelines, with the examples of `docs/gate.md` as they stand there."""

import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sloproof.chaos.balancer_runtime import EnvoyRuntime, RequestsSpoilt
from sloproof.chaos.ledger import Entry, Ledger
from sloproof.chaos.process_identity import this_process
from sloproof.report.gate_json import read_json
from tests.integration.cli_runs import SLOPROOF, Workspace

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
GATES = """\
from sloproof import AlertsProven, Gate, NoOpenFaults

promote = Gate(name="promote", system="tasks", requires=[NoOpenFaults()])
release = Gate(name="release", system="tasks", requires=[NoOpenFaults()])
proven = Gate(name="proven", system="tasks", requires=[AlertsProven()])
"""


@dataclass(frozen=True)
class Reply:
    status: int
    document: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """A service that runs."""

    base: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=90)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, content, told)
            response = connection.getresponse()
            return Reply(response.status, json.loads(response.read()), dict(response.getheaders()))
        finally:
            connection.close()


@contextmanager
def serving(
    workspace: Workspace, *options: str, **environment: str
) -> Iterator[tuple[Served, "subprocess.Popen[str]"]]:
    """A service on a free port; ended with SIGTERM, which must end it."""
    command = [str(SLOPROOF), "gate", "serve", "--port", "0", *options]
    service = subprocess.Popen(
        command,
        cwd=workspace.root,
        env=workspace.environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert service.stderr is not None
    try:
        said = service.stderr.readline()
        found = re.search(r"at (http://127\.0\.0\.1:\d+)", said)
        assert found, said + service.stderr.read()
        yield Served(found[1]), service
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=60)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, parts: Path) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("gates") / "work")
    (made.root / "loadtests" / "gates.py").write_text(GATES)
    return made


@pytest.fixture(autouse=True)
def whole(workspace: Workspace) -> Iterator[None]:
    """Each test begins with a ledger that holds nothing."""
    workspace.ledger.path.unlink(missing_ok=True)
    yield
    workspace.ledger.path.unlink(missing_ok=True)


def leave_a_fault(workspace: Workspace) -> None:
    Ledger(workspace.ledger.path).open(
        Entry(
            id="1",
            run=workspace.root / "run",
            system="tasks",
            lab_file=workspace.lab / "lab.json",
            fault="1-delay-requests",
            description="800ms into 30 % of the requests",
            undo=EnvoyRuntime(admin="http://127.0.0.1:9", values={"fault.http.delay": ""}, envoy_started_at=0),
            effect=RequestsSpoilt(admin="http://127.0.0.1:9", counter="delays_injected", before=0, values={}),
            deadline=time.time() + 3600,
            owner=this_process(),
        )
    )


def spoil_the_ledger(workspace: Workspace) -> None:
    workspace.ledger.path.parent.mkdir(exist_ok=True)
    workspace.ledger.path.write_text("torn\n")


STATES = pytest.mark.parametrize(
    ("happened", "verdict", "code"),
    [(None, "PASS", 0), (leave_a_fault, "FAIL", 1), (spoil_the_ledger, "UNDECIDED", 3)],
    ids=["PASS", "FAIL", "UNDECIDED"],
)


def substituted(text: str, served: Served | None = None) -> str:
    """What Argo Rollouts fills in, and our own addresses in place of a cluster's."""
    text = text.replace("{{args.release}}", "1.4.2").replace("{{args.token}}", "secret")
    text = text.replace("http://prometheus.monitoring:9090", "http://127.0.0.1:9")
    return text if served is None else text.replace("http://sloproof.slo:9095", served.base)


def met(condition: str, result: Any) -> bool:
    """Argo's expressions, as far as the example uses them, read as Python does."""
    names = json.loads(json.dumps(result), object_hook=lambda one: SimpleNamespace(**one))
    return bool(eval(condition, {"__builtins__": {}}, {"result": names}))


@STATES
def test_the_web_metric_of_argo_rollouts(workspace: Workspace, happened: Any, verdict: str, code: int) -> None:
    if happened:
        happened(workspace)
    with serving(workspace, SLOPROOF_GATE_TOKEN="secret") as (served, _):
        (metric,) = yaml.safe_load(substituted(EXAMPLES["argo-web.yaml"], served))["spec"]["metrics"]
        web = metric["provider"]["web"]
        assert web["jsonPath"] == "{$}"
        (header,) = web["headers"]
        url = urlsplit(web["url"])
        assert url.netloc == urlsplit(served.base).netloc
        reply = served.ask("GET", f"{url.path}?{url.query}", **{header["key"]: header["value"]})
        assert served.ask("GET", f"{url.path}?{url.query}").status == 401
    assert 200 <= reply.status < 300  # Argo calls anything else an error
    assert (reply.document["verdict"], reply.document["exit_code"]) == (verdict, code)
    assert reply.document["release"] == "1.4.2"
    assert met(metric["successCondition"], reply.document) == (verdict == "PASS")
    assert met(metric["failureCondition"], reply.document) == (verdict == "FAIL")
    assert metric["inconclusiveLimit"] >= 0 and metric["provider"]["web"]["timeoutSeconds"] > 50


@STATES
def test_the_job_of_argo_rollouts(workspace: Workspace, happened: Any, verdict: str, code: int) -> None:
    if happened:
        happened(workspace)
    (metric,) = yaml.safe_load(substituted(EXAMPLES["argo-job.yaml"]))["spec"]["metrics"]
    job = metric["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert job["backoffLimit"] == 0
    done = workspace.run(*container["command"][1:], *container["args"])
    assert container["command"][0] == SLOPROOF.name
    assert done.returncode == code, done.stdout + done.stderr
    assert f"\n{verdict} " in f"\n{done.stdout}"


@STATES
def test_the_webhook_of_flagger(workspace: Workspace, happened: Any, verdict: str, code: int) -> None:
    if happened:
        happened(workspace)
    with serving(workspace) as (served, _):
        (hook,) = yaml.safe_load(substituted(EXAMPLES["flagger.yaml"], served))["spec"]["analysis"]["webhooks"]
        url = urlsplit(hook["url"])
        payload = {
            "name": "tasks", "namespace": "slo", "phase": "Progressing", "checksum": "85d557f47b",
            "metadata": hook["metadata"],
        }  # fmt: skip
        reply = served.ask("POST", f"{url.path}?{url.query}", payload)
    assert (reply.status <= 202) == (verdict == "PASS")  # Flagger takes everything up to 202 for success
    assert (reply.document["verdict"], reply.document["exit_code"]) == (verdict, code)
    assert reply.document["release"] == "1.4.2"


@STATES
def test_the_job_of_github_actions(
    workspace: Workspace, tmp_path: Path, happened: Any, verdict: str, code: int
) -> None:
    if happened:
        happened(workspace)
    steps = yaml.safe_load(EXAMPLES[".github/workflows/release.yaml"])["jobs"]["gate"]["steps"]
    (step,) = [step for step in steps if step.get("id") == "gate"]
    summary, output = tmp_path / "summary", tmp_path / "output"
    summary.write_text("before\n")
    done = shell(
        workspace, step["run"], GITHUB_SHA="3f2c1ab", GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(output)
    )
    assert done.returncode == code, done.stderr
    assert summary.read_text().startswith(f"before\n# {verdict}: Gate release of tasks")
    assert output.read_text() == f"verdict={verdict}\nexit-code={code}\n"
    (uploaded,) = [step["with"]["sarif_file"] for step in steps if "sarif_file" in step.get("with", {})]
    run = json.loads((workspace.root / uploaded).read_text())["runs"][0]
    assert run["properties"] == {"verdict": verdict, "release": "3f2c1ab", "system": "tasks"}
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("loadtests/gates.py", 4)


@STATES
def test_the_job_of_gitlab(workspace: Workspace, happened: Any, verdict: str, code: int) -> None:
    if happened:
        happened(workspace)
    job = yaml.safe_load(EXAMPLES[".gitlab-ci.yml"])["gate"]
    (line,) = [line for line in job["script"] if line.startswith("sloproof gate")]
    done = shell(workspace, line, CI_COMMIT_SHA="3f2c1ab")
    assert done.returncode == code, done.stderr
    reports = job["artifacts"]["reports"]
    suite = ElementTree.parse(workspace.root / reports["junit"]).getroot()
    wrong = int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
    assert (wrong == 0) == (verdict == "PASS")
    assert suite.get("skipped") == "0"
    text = (workspace.root / reports["metrics"]).read_text()
    found = {
        family.name: family.samples
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    }
    assert [one.value for one in found["sloproof_gate_passed"]] == [1 if verdict == "PASS" else 0]
    assert [one.value for one in found["sloproof_gate_exit_code"]] == [code]


def shell(workspace: Workspace, line: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A line of a pipeline, as its runner gives it to a shell."""
    path = f"{SLOPROOF.parent}{os.pathsep}{os.environ['PATH']}"
    told = workspace.environment(PATH=path, **environment)
    return subprocess.run(
        ["sh", "-ec", line], cwd=workspace.root, env=told, capture_output=True, text=True, timeout=90, check=False
    )


def test_every_example_of_the_page_is_run() -> None:
    assert PAGE.count("```yaml") == len(EXAMPLES) == 5
    for line in re.findall(r"^sloproof gate .*$", PAGE, re.MULTILINE):
        assert shlex.split(line)[1] == "gate"


def test_the_definition_of_the_page_is_our_own_gate() -> None:
    from sloproof.gate import Gate
    from sloproof.workspace import load_workspace

    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert "requires=[NoOpenFaults(), AlertsProven(), Load(steady), ObjectivesHold(), Survives(lose_one_instance)]" in (
        example
    )
    gate = load_workspace(Path(__file__).parents[2]).named(Gate, "release")
    assert [type(one).__name__ for one in gate.requires] == [
        "NoOpenFaults", "AlertsProven", "Load", "ObjectivesHold", "Survives"
    ]  # fmt: skip


def test_one_gate_runs_at_a_time_and_the_others_are_told(workspace: Workspace) -> None:
    for kept in (workspace.root / ".sloproof" / "proofs").glob("*"):
        kept.unlink()
    with serving(workspace) as (served, _):
        first = served.ask("GET", "/gates/proven?wait=50ms")
        assert (first.status, first.document["verdict"]) == (202, "RUNNING")
        assert served.ask("GET", "/healthz").document["running"] == "proven"
        other = served.ask("GET", "/gates/promote")
        assert (other.status, other.document["verdict"], other.document["gate"]) == (409, "BUSY", "proven")
        hook = served.ask("POST", "/webhook/proven?wait=50ms", {})
        assert hook.status == 503 and hook.headers["retry-after"]
        assert served.ask("POST", "/webhook/promote", {}).status == 409
        last = served.ask("GET", "/gates/proven?wait=80s")
        assert (last.status, last.document["verdict"]) == (200, "PASS"), last.document
        assert served.ask("GET", "/healthz").document["running"] == ""
        assert read_json(json.dumps(last.document)).verdict == "PASS"


def test_a_decision_is_not_kept_for_ever(workspace: Workspace) -> None:
    with serving(workspace, "--keep", "1ms") as (served, _):
        assert served.ask("GET", "/gates/promote?wait=60s").document["verdict"] == "PASS"
        leave_a_fault(workspace)
        time.sleep(0.01)
        assert served.ask("GET", "/gates/promote?wait=60s").document["verdict"] == "FAIL"


def test_a_definition_that_broke_meanwhile_never_passes(workspace: Workspace) -> None:
    gates = workspace.root / "loadtests" / "gates.py"
    with serving(workspace) as (served, _):
        gates.write_text(GATES + "release = nonsense\n")
        try:
            reply = served.ask("GET", "/gates/promote?wait=60s")
        finally:
            gates.write_text(GATES)
    assert (reply.document["verdict"], reply.document["exit_code"]) == ("UNDECIDED", 2)


def test_what_nobody_may_ask_is_refused(workspace: Workspace) -> None:
    with serving(workspace) as (served, _):
        assert served.ask("GET", "/gates/nope").status == 404
        assert served.ask("GET", "/gates/promote?wait=long").status == 400
        assert served.ask("GET", "/gates/promote?release=" + "x" * 300).status == 400
        assert served.ask("POST", "/gates/promote").status == 405
        assert served.ask("POST", "/webhook/promote", b"[1]").status == 400
        assert served.ask("POST", "/webhook/promote", b"{").status == 400
        assert served.ask("POST", "/webhook/promote", b"{" + b" " * 70_000).status == 400
        assert served.ask("GET", "/gates/promote", Host="rebound.example").status == 403
        assert served.ask("GET", "/gates/promote", Origin="http://rebound.example").status == 403
        assert served.ask("GET", "/gates/promote", Sec_Fetch_Site="cross-site").status == 403
        assert served.ask("GET", "/healthz").document["running"] == ""  # none of that began anything


def test_a_token_is_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    with serving(workspace, "--token-file", str(tmp_path / "token")) as (served, _):
        assert served.ask("GET", "/gates/promote").status == 401
        for given in ("Basic secret", "Bearer", "Bearer wrong", "Bearer secre", "secret"):
            assert served.ask("GET", "/gates/promote", Authorization=given).status == 401
        assert served.ask("GET", "/healthz").status == 200
        assert served.ask("GET", "/gates/promote?wait=60s", Authorization="Bearer secret").status == 200


def test_it_does_not_listen_beyond_loopback_without_a_token(workspace: Workspace) -> None:
    done = workspace.run("gate", "serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 5
    assert "nobody would have to send a token" in done.stderr


def test_a_port_that_is_taken_is_told(workspace: Workspace) -> None:
    with serving(workspace) as (served, _):
        done = workspace.run("gate", "serve", "--port", str(urlsplit(served.base).port))
    assert done.returncode == 6
    assert "cannot be listened on" in done.stderr


def test_ending_the_service_ends_the_gate_that_runs(workspace: Workspace) -> None:
    for kept in (workspace.root / ".sloproof" / "proofs").glob("*"):
        kept.unlink()
    with serving(workspace) as (served, service):
        assert served.ask("GET", "/gates/proven?wait=50ms").status == 202
        service.send_signal(signal.SIGTERM)
        service.wait(60)
        assert service.returncode == 128 + signal.SIGTERM
    assert not list((workspace.root / ".sloproof" / "proofs").glob("*"))
    assert workspace.marked() == []
