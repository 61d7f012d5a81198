"""The dashboards of this very workspace, asked of the Prometheus of a live, loaded and slightly broken lab."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import pytest

import sloproof.lab
from sloproof.alerts import Timing
from sloproof.dashboards.tiles import EMPTY_WHILE
from sloproof.definition import parse_duration
from sloproof.lab.envoy_bootstrap import ABORT_PERCENT
from sloproof.lab.state import LabState
from sloproof.workspace import load_workspace
from sloproof.workspace.dashboard_artifacts import dashboards
from sloproof.workspace.lab_files import lab_files, lab_timing
from sloproof.workspace.loading import Workspace
from tests.integration.lab_calls import call, log_in, many, set_runtime

pytestmark = pytest.mark.integration

SCALE = 120
SECONDS_OF_LOAD = 8
RATE_INTERVAL = "10s"
"""What Grafana would make of its variable, or a little more: scrapes come late on a busy machine."""
MOST_PANELS = 32
"""What a reader can find something on; a page of an objective has about two dozen."""


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return load_workspace(Path(__file__)).only("tasks")


@pytest.fixture(scope="module")
def clock(workspace: Workspace) -> Timing:
    return lab_timing(workspace, SCALE)


@pytest.fixture(scope="module")
def pages(workspace: Workspace, clock: Timing) -> dict[str, dict[str, Any]]:
    return dict(dashboards(workspace, clock))


@pytest.fixture(scope="module")
def loaded(
    workspace: Workspace, clock: Timing, parts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabState]:
    folder = tmp_path_factory.mktemp("lab") / "lab"
    state = sloproof.lab.up(
        "tasks",
        folder=folder,
        generated=lab_files(workspace, "tasks", clock),
        scale=SCALE,
        scrape_interval=clock.scrape,
        evaluation_interval=clock.real(clock.evaluation),
        lifetime=clock.real(clock.base) * 60,
        owner_pid=os.getpid(),
    )
    try:
        with under_load(state):
            yield state
    finally:
        sloproof.lab.down(folder)


@contextmanager
def under_load(lab: LabState) -> Iterator[None]:
    """Load from some seconds before until the end."""
    ended = threading.Event()
    loading = threading.Thread(target=load, args=(lab, ended))
    loading.start()
    try:
        time.sleep(SECONDS_OF_LOAD)
        yield
    finally:
        ended.set()
        loading.join(timeout=60)


def load(lab: LabState, ended: threading.Event) -> None:
    """Reads, some of them answered with an error by the balancer, for as long as panels are asked."""
    token = log_in(lab)
    set_runtime(lab, **{ABORT_PERCENT: "20"})
    while not ended.wait(0.1):
        many(lab, 20, token)


def answer(lab: LabState, panel: Mapping[str, Any], target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What Grafana would draw, from the same kind of request."""
    now = time.time()
    length = parse_duration(panel["timeFrom"]).total_seconds() if "timeFrom" in panel else 15
    span = {"start": f"{now - length}", "end": f"{now}", "step": f"{length / 100}"}
    asked = {"query": target["expr"].replace("$__rate_interval", RATE_INTERVAL)} | ({} if target["instant"] else span)
    kind = "query" if target["instant"] else "query_range"
    document = call(lab.prometheus, "GET", f"/api/v1/{kind}?{urlencode(asked)}").json()
    assert document["status"] == "success", document
    assert not document.get("warnings"), document
    result: list[dict[str, Any]] = document["data"]["result"]
    return result


def unanswered(lab: LabState, pages: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Queries without an answer, and those whose every value is NaN, which a panel shows as no data."""
    return [
        (name, panel["title"], target["expr"])
        for name, dashboard in pages.items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
        if not any(
            value != "NaN"
            for series in answer(lab, panel, target)
            for _, value in series.get("values") or [series["value"]]
        )
    ]


def test_every_panel_of_every_dashboard_has_data(loaded: LabState, pages: Mapping[str, Mapping[str, Any]]) -> None:
    """Those that may be empty included: alerts fire while the balancer aborts requests."""
    empty = unanswered(loaded, pages)
    for _ in range(4):  # alerts and trends need a while; on a busy machine scrapes come late, too
        if not empty:
            break
        time.sleep(5)
        still = unanswered(loaded, pages)
        empty = [each for each in empty if each in still]
    assert empty == []


def test_only_lists_of_alerts_may_be_empty_and_they_say_while_what(pages: Mapping[str, Mapping[str, Any]]) -> None:
    may_be = [
        (name, panel["title"])
        for name, dashboard in pages.items()
        for panel in dashboard["panels"]
        if EMPTY_WHILE in panel.get("description", "")
    ]
    assert may_be == [("overview.home", "Alerts now"), ("tasks", "Alerts now")]


def test_the_pages_of_a_service_are_all_there(pages: Mapping[str, Mapping[str, Any]]) -> None:
    assert list(pages) == [
        "overview.home",
        "overview",
        "tasks",
        "tasks.slo.availability",
        "tasks.slo.latency",
        "tasks.by.route",
        "tasks.by.instance",
        "tasks.load",
        "tasks.chaos",
        "tasks.trend",
    ]
    assert max(len(page["panels"]) for page in pages.values()) <= MOST_PANELS


def test_both_instances_have_their_share(loaded: LabState, pages: Mapping[str, Mapping[str, Any]]) -> None:
    panels = pages["tasks"]["panels"]
    panel = next(panel for panel in panels if panel["title"] == "Share of requests by instance")
    shares = {
        series["metric"]["instance"]: median(float(value) for _, value in series["values"] if value != "NaN")
        for series in answer(loaded, panel, panel["targets"][0])
    }
    assert set(shares) == {"a1", "a2"}
    assert all(0.25 < share < 0.75 for share in shares.values()), shares
