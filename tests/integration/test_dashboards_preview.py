"""Previews in a real Chromium: this workspace's dashboards from a loaded lab, hostile series, servers that fail."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import sloproof.lab
from sloproof.dashboards import to_json
from sloproof.lab.state import LabState
from sloproof.prometheus import Prometheus
from sloproof.report.preview.asking import Asking
from sloproof.report.preview.page import Preview, Request, preview
from sloproof.workspace import load_workspace
from sloproof.workspace.dashboard_artifacts import dashboards
from sloproof.workspace.lab_files import lab_files, lab_timing
from tests.integration.browser import CHROMIUM, dumped, found_in, refused
from tests.integration.test_dashboards_live_lab import under_load
from tests.integration.test_prometheus_adapter import free_port, misbehaving, serving
from tests.integration.test_status import add_blocks, prometheus
from tests.unit.preview_samples import HOSTILE, NOW, every_kind

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)"),
]
REPOSITORY = Path(__file__).parents[2]
PROGRAM = str(Path(sys.executable).parent / "sloproof")
SCALE = 120
SHORT = timedelta(milliseconds=700)
_FRAME = """<!DOCTYPE html><title>frame</title><iframe width="{width}" height="900" srcdoc="{page}"></iframe><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const seen = (chosen) => [...page.querySelectorAll(chosen)].filter((one) => one.getClientRects().length);
  const boxes = seen(".panel").map((one) => one.getBoundingClientRect());
  const before = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 1;
  const apart = (a, b) => before(a, b) || before(b, a);
  const visible = (one) => [...one.children].filter((svg) => svg.getClientRects().length).length;
  const filled = page.querySelector(".filled");
  const drawn = seen(".drawing svg text");
  const found = {{ title: page.title, overflow: root.scrollWidth - root.clientWidth, panels: boxes.length,
    overlaps: boxes.filter((a, i) => boxes.some((b, j) => j > i && !apart(a, b))).length,
    sides: new Set(boxes.map((box) => Math.round(box.left))).size,
    smallest: Math.min(...drawn.map((one) => one.getBoundingClientRect().height)),
    twice: seen(".drawing.both, .drawing.three").filter((one) => visible(one) != 1).length,
    ground: filled && page.defaultView.getComputedStyle(filled).backgroundColor,
    scripts: page.querySelectorAll("script, img, iframe, object, [onload], [onerror]").length,
    text: page.body.textContent }};
  const told = document.createElement("pre");
  told.id = "found";
  told.textContent = JSON.stringify(found);
  document.body.append(told);
}});
</script>"""


def opened(page: str, width: int, folder: Path) -> tuple[dict[str, Any], str]:
    """What a browser makes of a page, and what it complains about."""
    text, log = dumped(_FRAME.format(width=width, page=html.escape(page)), folder)
    return json.loads(found_in(text)), log


@pytest.fixture(scope="module")
def lab(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    workspace = load_workspace(REPOSITORY / "slo").only("tasks")
    clock, folder = lab_timing(workspace, SCALE), tmp_path_factory.mktemp("lab") / "lab"
    state = sloproof.lab.up(
        "tasks",
        folder=folder,
        generated=lab_files(workspace, "tasks", clock),
        scale=SCALE,
        scrape_interval=clock.scrape,
        evaluation_interval=clock.real(clock.evaluation),
        lifetime=clock.real(clock.base) * 120,
        owner_pid=os.getpid(),
    )
    try:
        with under_load(state):
            yield state
    finally:
        sloproof.lab.down(folder)


@pytest.fixture(scope="module")
def sources(lab: LabState) -> dict[str, str]:
    """Each dashboard of the workspace with the lab's clock, by its name."""
    workspace = load_workspace(REPOSITORY / "slo").only("tasks")
    clock = lab_timing(workspace, SCALE)
    return {name: to_json(dashboard) for name, dashboard in dashboards(workspace, clock)}


def drawn(url: str, source: str, now: float, *, timeout: timedelta = timedelta(seconds=10), **more: Any) -> Preview:
    with Prometheus(url, timeout=timeout) as server:
        return preview(Request(source, "a dashboard", url, now, 0.5, **more), Asking(server))


def test_every_dashboard_of_the_workspace_is_drawn_whole(lab: LabState, sources: Mapping[str, str]) -> None:
    assert {"overview", "tasks"} <= set(sources)
    for name, source in sources.items():
        result = drawn(lab.prometheus, source, time.time(), time_from="now-1m")
        assert result.problems == (), name
        assert result.counts["foreign"] == 0, name
        assert result.counts["shown"] > result.counts["empty"], (name, result.counts)


@pytest.mark.parametrize(("width", "least_sides"), [(1400, 4), (800, 2), (390, 1)])
def test_a_live_dashboard_fits_wide_and_narrow_screens(
    lab: LabState, sources: Mapping[str, str], width: int, least_sides: int, tmp_path: Path
) -> None:
    page = drawn(lab.prometheus, sources["tasks"], time.time(), time_from="now-1m").page
    found, log = opened(page, width, tmp_path)
    asked = [one for one in json.loads(sources["tasks"])["panels"] if one["type"] != "row"]
    assert found["panels"] == len(asked)
    assert (found["overflow"], found["overlaps"], found["twice"]) == (0, 0, 0)
    assert found["sides"] >= least_sides
    assert found["smallest"] >= 8
    assert found["ground"] in ("rgb(242, 73, 92)", "rgb(115, 191, 105)", "rgb(255, 152, 48)")  # red, green, orange
    assert refused(log) == []


def test_the_command_draws_a_file_and_says_where_the_page_is(
    lab: LabState, sources: Mapping[str, str], tmp_path: Path
) -> None:
    file, out = tmp_path / "overview.json", tmp_path / "deep" / "page.html"
    file.write_text(sources["overview"])
    done = told(["preview", str(file), "--prometheus", lab.prometheus, "--from", "now-1m", "-o", str(out)])
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}\n"
    assert re.fullmatch(r"panels: \d+ with data(, \d+ no data)?\n", done.stderr)
    assert out.read_text().startswith("<!DOCTYPE html>")


def told(words: list[str]) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "NO_COLOR": "1"}
    command = [PROGRAM, "dashboards", *words]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def hostile_text(now: float) -> Iterator[str]:
    value = HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    for metric in ("good", "share", "events", "wave", "states", "up"):
        yield f"# TYPE {metric} gauge"
        for instance in ("a1", "a2"):
            for age in range(3600, 0, -30):
                yield f'{metric}{{instance="{instance}{value}"}} {0.9 if age % 300 else 2} {now - age}'


@pytest.fixture(scope="module")
def hostile(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float]]:
    """A Prometheus whose labels are an attack, and the time of its newest samples."""
    folder, now = tmp_path_factory.mktemp("hostile"), float(int(time.time()))
    (folder / "prometheus.yaml").write_text("{}")
    add_blocks(hostile_text(now), folder, "raw")
    with prometheus(folder) as server:
        yield server.url, now


@pytest.mark.parametrize("width", [1400, 390])
def test_hostile_labels_run_nothing_and_load_nothing(hostile: tuple[str, float], width: int, tmp_path: Path) -> None:
    url, now = hostile
    result = drawn(url, json.dumps(every_kind()), now - 15)
    assert result.counts["shown"] >= 6
    found, log = opened(result.page, width, tmp_path)
    assert found["title"] == "Samples"
    assert found["scripts"] == 0
    assert found["text"].count("<script>document.title='owned'</script>") > 10
    assert found["overflow"] == 0
    assert refused(log) == []


def test_the_policy_stops_what_escaping_would_miss(hostile: tuple[str, float], tmp_path: Path) -> None:
    url, now = hostile
    attack = "<script>document.title='owned'</script><p style='color:red'>x</p><svg onload=\"document.title='owned'\">"
    page = drawn(url, json.dumps(every_kind()), now - 15).page.replace("<main", f"{attack}</svg><main")
    text, log = dumped(page, tmp_path)
    assert "<title>Samples</title>" in text
    assert len(refused(log)) >= 3


def test_an_empty_prometheus_is_told_as_no_data(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text("{}")
    with prometheus(tmp_path) as server:
        result = drawn(server.url, json.dumps(every_kind()), time.time())
    assert not result.complete
    assert result.counts["shown"] == 1, "the list of alerts, of which there are none; words are no data"
    assert result.counts["empty"] == 11
    assert "no alert is pending or firing" in result.page


def test_a_prometheus_that_hangs_is_waited_for_three_times_only(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text("{}")
    with frozen(tmp_path) as url:
        result = drawn(url, json.dumps(every_kind()), time.time(), timeout=SHORT)
    assert result.counts["failed"] == 13
    assert result.page.count("within 0.7 s</p>") + result.page.count("within 0.7 s.</p>") <= 3
    assert len(re.findall("</strong></p><p>not asked: Prometheus left 3 queries in a row unanswered", result.page)) >= 9
    assert [one.partition(": ")[0] for one in result.problems][-1].endswith("more")
    found, _ = opened(result.page, 1000, tmp_path)
    assert "not answered" in found["text"]


@contextmanager
def frozen(folder: Path) -> Iterator[str]:
    """A Prometheus that keeps its port and says nothing."""
    with prometheus(folder) as server:
        (pid,) = listening(server.url)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield server.url
        finally:
            os.kill(pid, signal.SIGCONT)


def listening(url: str) -> list[int]:
    """Our own children that were told to listen there."""
    import psutil

    address = url.removeprefix("http://")
    ours = psutil.Process().children(recursive=True)
    return [one.pid for one in ours if any(address in word for word in one.cmdline())]


def answering(body: Mapping[str, Any], status: int = 200) -> Callable[[], Any]:
    return lambda: serving(misbehaving(status, json.dumps(body).encode()))


PARTIAL = {"status": "success", "warnings": ["store 2 is down"], "data": {"resultType": "vector", "result": []}}
BROKEN = {"status": "error", "errorType": "internal", "error": "the disk is on fire"}


@pytest.mark.parametrize(
    ("server", "state", "words"),
    [
        (answering(PARTIAL), "partial", "Prometheus warns: store 2 is down"),
        (answering(BROKEN, 500), "failed", "the disk is on fire"),
        (answering({"unlike": "Prometheus"}), "failed", "answered something that is not Prometheus"),
    ],
)
def test_a_server_that_fails_is_told_on_every_panel_and_the_command_is_undecided(
    server: Callable[[], Any], state: str, words: str, tmp_path: Path
) -> None:
    file, out = tmp_path / "d.json", tmp_path / "d.html"
    file.write_text(json.dumps(every_kind()))
    with server() as port:
        done = told(["preview", str(file), "--prometheus", f"http://127.0.0.1:{port}", "-o", str(out)])
    assert done.returncode == 3, done.stderr
    assert words in done.stderr
    page = out.read_text()
    assert len(re.findall(rf'<section class="panel panel-{state}', page)) >= 12
    assert "panel-shown" not in page.replace('"panel panel-shown full" id="b0"', "")  # words need no server
    found, log = opened(page, 390, tmp_path)
    assert found["overflow"] == 0
    assert found["text"].count(words) >= 12
    assert refused(log) == []


def test_a_server_that_refuses_every_query_for_one_reason_is_told_once(tmp_path: Path) -> None:
    file, out = tmp_path / "d.json", tmp_path / "d.html"
    file.write_text(json.dumps(every_kind()))
    with serving(misbehaving(422, json.dumps(BROKEN).encode())) as port:
        done = told(["preview", str(file), "--prometheus", f"http://127.0.0.1:{port}", "-o", str(out)])
    assert done.returncode == 3
    assert re.search(r"and \d+ more: Prometheus could not answer: internal: the disk is on fire", done.stderr)
    assert len(done.stderr.splitlines()) == 3, "how many, the queries, and the list of alerts"


def test_a_password_in_the_address_is_sent_and_shown_nowhere(tmp_path: Path) -> None:
    file, out = tmp_path / "d.json", tmp_path / "d.html"
    file.write_text(json.dumps(every_kind()))
    asked: list[str | None] = []

    class Watching(misbehaving(500, b"no")):  # type: ignore[misc]
        def do_GET(self) -> None:
            asked.append(self.headers.get("authorization"))
            super().do_GET()

    with serving(Watching) as port:
        address = f"http://reader:s3cret@127.0.0.1:{port}"
        done = told(["preview", str(file), "--prometheus", address, "-o", str(out)])
    assert done.returncode == 3
    assert set(asked) == {f"Basic {b64encode(b'reader:s3cret').decode()}"}, "the queries and the list of targets"
    assert "s3cret" not in done.stderr + done.stdout + out.read_text()


@pytest.mark.parametrize("address", ["127.0.0.1:9090", "ftp://127.0.0.1:9090"])
def test_an_address_of_no_web_server_is_a_mistake_of_its_user(address: str, tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text(json.dumps(every_kind()))
    done = told(["preview", str(file), "--prometheus", address, "-o", str(tmp_path / "d.html")])
    assert done.returncode == 2
    assert "begins with neither `http://` nor `https://`" in done.stderr


def test_nothing_listening_still_gives_a_page_that_says_so(tmp_path: Path) -> None:
    result = drawn(f"http://127.0.0.1:{free_port()}", json.dumps(every_kind()), NOW)
    assert not result.complete
    assert result.counts["failed"] == 13
    assert "cannot be reached" in result.page
