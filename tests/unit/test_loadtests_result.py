"""What is recorded is what happened, and cutting a run loses nothing."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from sloproof.errors import PartFailed
from sloproof.loadtests.load_files import LoadFiles, read_result, whole_seconds
from sloproof.loadtests.outcome import Kind, outcome
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.recorder import Recorder
from sloproof.loadtests.result import LoadResult, Second

HALF, TENTH = Decimal("0.5"), Decimal("0.1")


def plan(**changes: object) -> LoadPlan:
    profile = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=4, rate=4, duration="10s")
    return LoadPlan.of(profile, target="http://127.0.0.1:80", thresholds=[HALF, TENTH], allowed=[]).model_copy(
        update=changes
    )


def recorded() -> tuple[Recorder, list[Second]]:
    """Ten seconds from 100.25, one request each, slower and slower; one more is never answered."""
    recorder = Recorder([TENTH, HALF], 100.25)
    seconds: list[Second] = []
    for index in range(10):
        now = 100.3 + index
        ticket = recorder.begin("GET /", now - 0.01)
        recorder.complete("GET /", 0.1 * index, "5xx" if index == 9 else None, "a1" if index % 2 else None, now)
        recorder.end(ticket)
        seconds += recorder.close_until(int(now), now, 4, 0.01 * index)
    recorder.begin("GET /stuck", 109.4)
    recorder.censor_open(110.25)
    seconds += recorder.close_until(111, 110.25, 0, 0.2)
    return recorder, seconds


def result() -> LoadResult:
    recorder, seconds = recorded()
    return plan().finished(seconds, recorder.totals, started_at=100.25, drained_from=110.25, ended_at=110.25)


def test_the_seconds_tile_the_run() -> None:
    _, seconds = recorded()
    assert [second.at for second in seconds] == list(range(100, 111))
    assert sum(second.completed for second in seconds) == 10
    assert sum(second.started for second in seconds) == 11


def test_what_is_refused_at_once_is_no_fast_answer() -> None:
    recorder = Recorder([HALF], 0)
    kinds: list[Kind | None] = ["connection", "timeout", "5xx", "other", None]
    for kind in kinds:
        recorder.complete("GET /", 0.001, kind, None, 0.1)
    assert next(recorder.close_until(1, 1, 1, 0)).slower == {"0.5": 2}


def test_a_threshold_counts_what_is_strictly_slower() -> None:
    assert result().slower_than(HALF) == 4 + 1
    recorder = Recorder([HALF], 0)
    for seconds in (0.4999, 0.5, 0.5001):
        recorder.complete("GET /", seconds, None, None, 0.1)
    assert next(recorder.close_until(1, 1, 1, 0)).slower == {"0.5": 1}


def test_a_request_in_flight_at_the_end_counts_against_what_it_already_exceeds() -> None:
    found = result()
    assert found.in_flight_at_end == 1
    assert found.censored[0].name == "GET /stuck" and found.censored[0].age == pytest.approx(0.85)
    assert found.judged_against(HALF) == found.completed + 1
    assert found.slower_than(TENTH) == 8 + 1


def test_an_unknown_threshold_has_no_count() -> None:
    with pytest.raises(KeyError, match=r"0\.1, 0\.5"):
        result().slower_than(Decimal("0.2"))


def test_answers_are_no_failures() -> None:
    recorder = Recorder([], 0)
    for kind in ("5xx", "4xx", "429", "timeout", "connection", "other"):
        recorder.complete("GET /", 0.1, kind, None, 0.5)
    found = plan().finished(
        list(recorder.close_until(1, 1, 1, 0)), recorder.totals, started_at=0, drained_from=10, ended_at=10
    )
    assert found.failed == 4 and found.completed == 6
    assert found.by_name["GET /"].errors["429"] == 1


def test_neighbouring_stretches_share_nothing_and_lose_nothing() -> None:
    whole = result()
    for cut in (100.25, 101.0, 104.7, 109.99, 110.0, 110.25):
        before, after = whole.between(0, cut), whole.between(cut, whole.ended_at)
        assert before.completed + after.completed == whole.completed
        assert before.in_flight_at_end + after.in_flight_at_end == 1
    assert whole.between(0, 10**10) == whole
    assert whole.between(0, 50).completed == 0


def test_the_warm_up_is_left_out_at_evaluation_only() -> None:
    found = result().model_copy(update={"warm_up": 3.0})
    assert found.completed == 10
    assert found.evaluated().completed == 7
    assert found.evaluated().slower_than(HALF) == 5
    assert found.evaluated().evaluated() == found.evaluated()


def test_a_result_survives_its_json() -> None:
    found = result()
    assert LoadResult.from_json(found.to_json()) == found
    assert json.loads(found.to_json())["schema"] == 1


def test_a_run_that_ends_early_is_partial() -> None:
    recorder, seconds = recorded()
    early = plan().finished(seconds, recorder.totals, started_at=100.25, drained_from=105, ended_at=106)
    assert early.partial and "partial" in early.notes[0]
    assert not result().partial


def test_a_crash_leaves_a_readable_result(tmp_path: Path) -> None:
    files = LoadFiles(tmp_path)
    files.folder.mkdir()
    files.plan.write_text(plan().model_dump_json())
    _, seconds = recorded()
    lines = "".join(second.model_dump_json() + "\n" for second in seconds)
    files.seconds.write_text(lines + '{"at": 111, "comp')
    found = read_result(tmp_path, reason="it died")
    assert found.partial and found.completed == 10 and found.in_flight_at_end == 1
    assert found.notes == ["it died: this result is partial"]


def test_a_run_that_left_nothing_says_why(tmp_path: Path) -> None:
    files = LoadFiles(tmp_path)
    files.folder.mkdir()
    files.plan.write_text(plan().model_dump_json())
    files.log.write_text("Traceback\nImportError: no module\n")
    with pytest.raises(PartFailed, match="ImportError: no module") as failure:
        read_result(tmp_path)
    assert str(files.log) in failure.value.hint
    assert read_result(tmp_path, stopped=True).partial


def test_only_whole_lines_are_read() -> None:
    line = Second(at=1.0).model_dump_json().encode() + b"\n"
    assert len(list(whole_seconds(line + line + line[:-1]))) == 2


def test_what_ends_after_its_second_was_handed_over_counts_in_the_next() -> None:
    recorder = Recorder([], 100)
    list(recorder.close_until(102, 102, 1, 0))
    recorder.complete("GET /", 0.1, None, None, 101.5)
    assert [second.completed for second in recorder.close_until(103, 103, 1, 0)] == [1]


def test_lag_is_spread_over_the_seconds_it_lasted() -> None:
    recorder = Recorder([], 100)
    recorder.lag(100.5, 102.25)
    late = [(second.late, second.lag) for second in recorder.close_until(103, 103, 1, 0)]
    assert [each[0] for each in late] == pytest.approx([0.5, 1.0, 0.25])
    assert all(each[1] == 1.75 for each in late)


class ReadTimeout(OSError):
    """As the clients name theirs."""


class RetriesExceeded(ConnectionError):
    """A connection error that hides what it wraps."""

    def __init__(self, original: BaseException) -> None:
        super().__init__("retries exceeded")
        self.original = original


@pytest.mark.parametrize(
    ("status", "exception", "kind"),
    [
        (200, None, None),
        (302, None, None),
        (404, None, "4xx"),
        (429, ValueError(), "429"),
        (500, None, "5xx"),
        (503, ConnectionError(), "5xx"),
        (200, ValueError("not what was expected"), "other"),
        (0, ConnectionRefusedError(), "connection"),
        (200, ConnectionResetError(), "connection"),
        (0, TimeoutError(), "timeout"),
        (0, ReadTimeout(), "timeout"),
        (0, RetriesExceeded(TimeoutError()), "timeout"),
        (0, RetriesExceeded(OSError()), "connection"),
        (0, None, None),
    ],
)
def test_the_kind_of_an_error(status: int, exception: BaseException | None, kind: str | None) -> None:
    assert outcome(status, exception) == kind
