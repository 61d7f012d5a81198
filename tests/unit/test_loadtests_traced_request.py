"""A reader finds the slowest and the first failed requests with their traces, in bounded memory."""

from decimal import Decimal

from sloproof.loadtests.recorder import Recorder
from sloproof.loadtests.result import MOST_NAMES, OTHER_NAMES, NameTotals, RunTotals
from sloproof.loadtests.traced_request import FAILED_KEPT, SLOWEST_KEPT, TracedRequest


def recorded(latencies: list[float], *, warm_up: float = 0, kind: str | None = None) -> Recorder:
    recorder = Recorder([Decimal("0.5")], 100, warm_up=warm_up)
    for number, latency in enumerate(latencies):
        now = 100 + latency + number / 100
        recorder.complete("GET /", latency, kind, None, now, status=200, trace=[f"00-{number:032x}-{1:016x}-01"])  # type: ignore[arg-type]
    list(recorder.close_until(1000, 1000, 1, 0))
    return recorder


def test_the_slowest_are_kept_with_their_traces() -> None:
    latencies = [(number * 37 % 1000) / 100 for number in range(1000)]
    slowest = recorded(latencies).totals.slowest
    assert [request.latency for request in slowest] == sorted(latencies, reverse=True)[:SLOWEST_KEPT]
    assert all(latencies[int(request.trace_id, 16)] == request.latency for request in slowest)


def test_equal_latencies_are_kept_as_well() -> None:
    assert len(recorded([0.1] * 100).totals.slowest) == SLOWEST_KEPT


def test_the_first_failures_of_each_kind_are_kept() -> None:
    recorder = recorded([0.1] * 50, kind="5xx")
    recorder.complete("GET /", 0.1, "timeout", None, 200)
    failures = recorder.totals.failures
    assert [request.kind for request in failures] == ["5xx"] * FAILED_KEPT + ["timeout"]
    assert [int(request.trace_id, 16) for request in failures[:-1]] == list(range(FAILED_KEPT))


def test_nothing_of_the_warm_up_is_kept() -> None:
    recorder = recorded([9.0, 0.1], warm_up=0.005, kind="5xx")
    assert [request.latency for request in recorder.totals.slowest] == [0.1]
    assert [request.latency for request in recorder.totals.failures] == [0.1]


def test_a_locustfile_that_puts_ids_into_names_does_not_fill_the_memory() -> None:
    recorder = Recorder([], 100)
    for number in range(MOST_NAMES + 200):
        recorder.complete(f"GET /{number}", 0.1, "5xx", None, 100.5)
    list(recorder.close_until(101, 101, 1, 0))
    assert len(recorder.by_name) == MOST_NAMES + 1
    assert recorder.by_name[OTHER_NAMES].completed == 200
    assert recorder.by_name[OTHER_NAMES].errors == {"5xx": 200}


def test_the_totals_of_several_processes_are_summed() -> None:
    several = [recorded([0.1, 0.2], kind="5xx").totals, recorded([0.3], kind="429").totals]
    several[1].exceptions = {"KeyError: 'x'": 2}
    several[0].exceptions = {"KeyError: 'x'": 1}
    merged = RunTotals.merged(several)
    assert merged.by_name["GET /"].completed == 3
    assert merged.by_name["GET /"].errors == {"5xx": 2, "429": 1}
    assert sum(merged.by_name["GET /"].latency.values()) == 3
    assert merged.exceptions == {"KeyError: 'x'": 3}
    assert [request.latency for request in merged.slowest] == [0.3, 0.2, 0.1]
    assert len(merged.failures) == 3


def test_merged_names_are_bounded_too() -> None:
    halves = [
        RunTotals(by_name={f"GET /{half}/{number}": NameTotals(completed=1) for number in range(MOST_NAMES)})
        for half in range(2)
    ]
    merged = RunTotals.merged(halves)
    assert len(merged.by_name) == MOST_NAMES + 1
    assert merged.by_name[OTHER_NAMES].completed == MOST_NAMES


def test_merged_requests_are_as_few_as_one_process_keeps() -> None:
    requests = [
        TracedRequest(trace_id=str(at), name="GET /", kind="5xx", started_at=at, latency=at) for at in range(50)
    ]
    several = [RunTotals(slowest=requests[part::2], failures=requests[part::2]) for part in range(2)]
    merged = RunTotals.merged(several)
    assert [request.latency for request in merged.slowest] == list(range(49, 49 - SLOWEST_KEPT, -1))
    assert [request.started_at for request in merged.failures] == list(range(FAILED_KEPT))
