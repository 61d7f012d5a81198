"""Every kind of indicator, asked of a real Prometheus over data whose truth is known."""

import json
import math
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sloproof.lab.parts import find
from sloproof.lab.ports import LOOPBACK, free_ports
from sloproof.slo import (
    SLO,
    AllOf,
    AnyIndicator,
    Composite,
    ErrorRatio,
    FreshWithin,
    GaugeAbove,
    GaugeBelow,
    GoodRatio,
    HistogramBelow,
    LatencyBelow,
    ProbeUp,
    RawRatio,
    Service,
    ThroughputAtLeast,
)

pytestmark = pytest.mark.integration

SCRAPE = 15
SPAN = 2 * 3600
HOUR, MINUTES = timedelta(hours=1), timedelta(minutes=5)
END = int(time.time() - 3600) // 3600 * 3600
"""The instant that is asked for; the data ends there."""
SLICE = 1.5 / 120
"""A slice, and half of one for the scrapes at its edges, as a share of a window."""


def series() -> dict[str, Callable[[int], float | None]]:
    """Each series as a function of the seconds that are left until the end; None is no sample."""
    return {
        'requests{route="a",code="200"}': lambda left: (SPAN - left) * 9.0,
        'requests{route="a",code="500"}': lambda left: (SPAN - left) * 1.0,
        'requests{route="b",code="200"}': lambda left: (SPAN - left) * 10.0,
        'idle{code="200"}': lambda left: 1000.0,
        'lost{code="500"}': lambda left: (SPAN - left) * 2.0,
        'gone{code="200"}': lambda left: (SPAN - left) * 2.0 if left > 4000 else None,
        'took_bucket{route="a",le="0.5"}': lambda left: (SPAN - left) * 9.0,
        'took_bucket{route="b",le="0.5"}': lambda left: (SPAN - left) * 10.0,
        'took_bucket{route="a",le="1.0"}': lambda left: (SPAN - left) * 9.5,
        'took_bucket{route="b",le="1"}': lambda left: (SPAN - left) * 10.0,
        'took_count{route="a"}': lambda left: (SPAN - left) * 10.0,
        'took_count{route="b"}': lambda left: (SPAN - left) * 10.0,
        'big_bucket{le="1.8e+06"}': lambda left: (SPAN - left) * 3.0,
        "big_count": lambda left: (SPAN - left) * 4.0,
        'probe{target="x"}': lambda left: 0.0 if 600 <= left < 1200 else 1.0,
        'probe{target="y"}': lambda left: 1.0,
        'cpu{pod="a"}': lambda left: 0.7,
        'cpu{pod="b"}': lambda left: 0.9 if 600 <= left < 1320 else 0.5,
        'hits{pod="a"}': lambda left: math.nan if left < 1800 else 0.5,
        'hits{pod="b"}': lambda left: math.nan if left < 1800 else 0.95,
        "backup": lambda left: END - max(left, 5400) // 60 * 60.0,
        "never": lambda left: 0.0,
    }


ERRORS = ErrorRatio(errors='requests{code=~"5.."}', total="requests")
FAST = LatencyBelow("500ms", histogram="took")
RAW = RawRatio(errors='sum by (route) (rate(requests{code="500"}[$window]))', total="rate(requests[$window])")

EVENTS: dict[str, tuple[AnyIndicator, float, float]] = {
    "error ratio": (ERRORS, 1, 20),
    "no errors yet": (ErrorRatio(errors='requests{code="503"}', total="requests"), 0, 20),
    "good ratio": (GoodRatio(good='requests{code="200"}', total="requests"), 1, 20),
    "never any good": (GoodRatio(good='lost{code="200"}', total="lost"), 2, 2),
    "latency": (FAST, 1, 20),
    "latency at a whole edge": (LatencyBelow("1s", histogram="took"), 0.5, 20),
    "an edge with an exponent": (HistogramBelow("1800000", histogram="big"), 1, 4),
    "raw": (RAW, 1, 20),
    "composite": (Composite(parts=((ERRORS, 3), (FAST, "0.5"))), 3.5, 70),
    "all of": (AllOf(parts=(ERRORS, FAST)), 2, 20),
    "all of, at most everything": (AllOf(parts=(ErrorRatio(errors="lost", total="lost"), FAST)), 2, 2),
    "too little throughput": (ThroughputAtLeast("20.1", requests="requests"), 1, 1),
    "enough throughput": (ThroughputAtLeast("19.9", requests="requests"), 0, 1),
    "no traffic is bad throughput": (ThroughputAtLeast("1", requests="idle"), 1, 1),
}
"""Bad and all events per second, exact, over any window."""

TIMES: dict[str, tuple[AnyIndicator, float, float]] = {
    "gauge below": (GaugeBelow("0.7", gauge="cpu"), 0.2, 1),
    "gauge below, all bad": (GaugeBelow("0.69", gauge="cpu"), 1, 1),
    "gauge below, computed": (GaugeBelow("0.75", gauge="sum(cpu) / 2 # a comment"), 0.2, 1),
    "gauge above, unmeasured half the time": (GaugeAbove("0.9", gauge="hits"), 0.5, 0.5),
    "gauge above, all good": (GaugeAbove("0.5", gauge="hits"), 0, 0.5),
    "fresh": (FreshWithin("1h", last_success="backup"), 0.5, 1),
    "never succeeded": (FreshWithin("1h", last_success="never"), 1, 1),
}
"""Bad and measured share of the last hour."""

NOWHERE = ErrorRatio(errors="nowhere_failed", total="nowhere")
NOWHERE_TIMED = LatencyBelow("500ms", histogram="nowhere_took")
NOTHING: dict[str, AnyIndicator] = {
    "errors": ErrorRatio(errors='nothing{code="500"}', total="nothing"),
    "good": GoodRatio(good='nothing{code="200"}', total="nothing"),
    "latency": LatencyBelow("500ms", histogram="nothing"),
    "probe": ProbeUp(probe="nothing"),
    "gauge": GaugeBelow("1", gauge="nothing"),
    "gauge above": GaugeAbove("1", gauge="nothing + 1"),
    "fresh": FreshWithin("1h", last_success="nothing"),
    "throughput": ThroughputAtLeast("1", requests="nothing"),
    "raw": RawRatio(errors="rate(nothing[$window])", total="rate(nothing[$window])"),
    "composite": Composite(parts=((NOWHERE, 1), (NOWHERE_TIMED, 2))),
    "all of": AllOf(parts=(NOWHERE, NOWHERE_TIMED)),
    "a target that is gone": ErrorRatio(errors='gone{code="500"}', total="gone"),
}


@pytest.fixture(scope="module")
def ask(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], dict[str, float]]]:
    """Asks a Prometheus that holds the series for the value of each result, by its labels."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "data.txt").write_text(open_metrics())
    (folder / "prometheus.yaml").write_text("{}")
    blocks = [str(find("promtool")), "tsdb", "create-blocks-from", "openmetrics", "data.txt", "data"]
    subprocess.run(blocks, cwd=folder, check=True, capture_output=True, timeout=120)
    address = f"{LOOPBACK}:{free_ports(['prometheus'])['prometheus']}"
    flags = ["--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=10y"]
    command = [str(find("prometheus")), *flags, f"--web.listen-address={address}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until_ready(f"http://{address}", process, folder / "log")
        yield lambda text: answer(f"http://{address}", text)
    finally:
        process.terminate()
        process.wait(timeout=20)


def open_metrics() -> str:
    lines = []
    for name, value in series().items():
        for left in range(SPAN, -1, -SCRAPE):
            shown = value(left)
            if shown is not None:
                lines.append(f"{name} {shown} {END - left}")
    return "\n".join([*lines, "# EOF", ""])


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def answer(url: str, text: str) -> dict[str, float]:
    asked = urllib.parse.urlencode({"query": text, "time": END})
    with urllib.request.urlopen(f"{url}/api/v1/query", data=asked.encode(), timeout=60) as response:
        document: dict[str, Any] = json.load(response)
    assert not document.get("warnings"), document["warnings"]
    found = document["data"]["result"]
    return {",".join(f"{k}={v}" for k, v in sorted(one["metric"].items())): float(one["value"][1]) for one in found}


Ask = Callable[[str], dict[str, float]]


@pytest.mark.parametrize("window", [HOUR, MINUTES, timedelta(seconds=61, milliseconds=500)], ids=str)
@pytest.mark.parametrize("name", EVENTS)
def test_events_are_counted_as_they_happened(name: str, window: timedelta, ask: Ask) -> None:
    indicator, bad, every = EVENTS[name]
    assert ask(str(indicator.errors(window))) == {"": pytest.approx(bad, abs=1e-9)}
    assert ask(str(indicator.total(window))) == {"": pytest.approx(every)}


@pytest.mark.parametrize("name", TIMES)
def test_bad_time_is_known_to_within_a_slice(name: str, ask: Ask) -> None:
    indicator, bad, measured = TIMES[name]
    errors, total = ask(str(indicator.errors(HOUR))), ask(str(indicator.total(HOUR)))
    assert errors == {"": pytest.approx(bad, abs=SLICE)}
    assert total == {"": pytest.approx(measured, abs=SLICE)}
    ratio = ask(str(indicator.errors(HOUR) / indicator.total(HOUR).above(0)))
    assert ratio == {"": pytest.approx(bad / measured, abs=2 * SLICE)}


@pytest.mark.parametrize("window", [timedelta(seconds=2.5), timedelta(milliseconds=250), timedelta(hours=2)], ids=str)
def test_slices_fit_any_window(window: timedelta, ask: Ask) -> None:
    full = GaugeBelow("0.69", gauge="cpu")
    assert ask(str(full.errors(window) / full.total(window))) == {"": 1}
    assert ask(str(full.total(window))) == {"": pytest.approx(1, abs=0.2)}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_measured_is_absent_never_perfect(name: str, ask: Ask) -> None:
    assert ask(str(NOTHING[name].errors(HOUR))) == {}
    assert ask(str(NOTHING[name].total(HOUR))) == {}


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_part_without_series_adds_nothing(name: str, ask: Ask) -> None:
    order = -1 if name == "first" else 1
    first, second = (ERRORS, NOWHERE)[::order]
    for indicator in (Composite(parts=((first, 1), (second, 1))), AllOf(parts=(first, second))):
        assert ask(str(indicator.errors(HOUR))) == {"": pytest.approx(1)}
        assert ask(str(indicator.total(HOUR))) == {"": pytest.approx(20)}


def test_probes_are_counted_one_by_one(ask: Ask) -> None:
    probe = ProbeUp(probe="probe")
    assert ask(str(probe.total(HOUR) * 3600)) == {"": pytest.approx(480, abs=2)}
    assert ask(str(probe.errors(HOUR) * 3600)) == {"": pytest.approx(40)}
    assert ask(str(probe.errors(MINUTES))) == {"": 0}


def test_no_traffic_is_zero_events_and_no_ratio(ask: Ask) -> None:
    idle = ErrorRatio(errors='idle{code="500"}', total="idle")
    assert ask(str(idle.errors(HOUR))) == {"": 0}
    assert ask(str(idle.total(HOUR))) == {"": 0}
    assert ask(str(idle.errors(HOUR) / idle.total(HOUR).above(0))) == {}


def test_a_part_without_traffic_adds_no_errors(ask: Ask) -> None:
    idle = ErrorRatio(errors='idle{code="500"}', total="idle")
    assert ask(str(AllOf(parts=(ERRORS, idle)).errors(HOUR))) == {"": pytest.approx(1)}
    assert ask(str(Composite(parts=((ERRORS, 1), (idle, 1))).errors(HOUR))) == {"": pytest.approx(1)}


@pytest.mark.parametrize(
    ("indicator", "label", "expected"),
    [
        (ERRORS, "route", {"route=a": 0.1, "route=b": 0}),
        (GoodRatio(good='requests{code="200"}', total="requests"), "route", {"route=a": 0.1, "route=b": 0}),
        (FAST, "route", {"route=a": 0.1, "route=b": 0}),
        (RAW, "route", {"route=a": 0.1, "route=b": 0}),
        (GaugeBelow("0.8", gauge="cpu"), "pod", {"pod=a": 0, "pod=b": 0.2}),
        (ProbeUp(probe="probe"), "target", {"target=x": 40 / 240, "target=y": 0}),
        (ThroughputAtLeast("1", requests="requests"), "route", {"route=a": 0, "route=b": 0}),
        (AllOf(parts=(ERRORS, FAST)), "route", {"route=a": 0.2, "route=b": 0}),
        (Composite(parts=((ERRORS, 1), (FAST, 1))), "route", {"route=a": 0.1, "route=b": 0}),
        (ERRORS, "tenant", {"": 0.05}),
    ],
)
def test_each_group_has_its_own_ratio(
    indicator: AnyIndicator, label: str, expected: dict[str, float], ask: Ask
) -> None:
    slo = SLO(service=Service(name="s", owner="o", job="j"), name="n", objective="99", sli=indicator, by=(label,))
    found = ask(str(slo.errors(HOUR) / slo.total(HOUR).above(0)))
    assert found == {group: pytest.approx(ratio, abs=SLICE) for group, ratio in expected.items()}


def test_a_slice_is_bad_when_too_few_of_its_events_were_good(ask: Ask) -> None:
    service = Service(name="s", owner="o", job="j")
    by_time = SLO(
        service=service, name="n", objective="99", sli=ERRORS, by=("route",), budgeting="slices", slice_objective="95"
    )
    assert ask(str(by_time.errors(MINUTES))) == {"route=a": 1, "route=b": 0}
    assert ask(str(by_time.total(MINUTES))) == {"route=a": 1, "route=b": 1}
    lenient = by_time.model_copy(update={"slice_objective": Decimal(85)})
    assert ask(str(lenient.errors(MINUTES))) == {"route=a": 0, "route=b": 0}
    idle = ErrorRatio(errors='idle{code="500"}', total="idle")
    quiet = SLO(service=service, name="n", objective="99", sli=idle, budgeting="slices")
    assert ask(str(quiet.errors(MINUTES))) == {} == ask(str(quiet.total(MINUTES)))
