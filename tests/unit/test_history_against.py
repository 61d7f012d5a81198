"""A run is laid beside an earlier one only where both were asked for the same, and never passes silently."""

import random
from pathlib import Path
from typing import Any

import pytest

from sloproof.errors import UsageError
from sloproof.history import History, PastRun, Windows
from sloproof.history.against import Against, beside_baseline, earlier_run, findings, lay_beside, unreadable
from sloproof.loadtests import histogram
from sloproof.loadtests.baseline import Baseline
from sloproof.verdict.judge import Verdict

LOAD = {
    "profile": "steady",
    "system": "tasks",
    "locustfile": "users/tasks.py",
    "digest": "a1",
    "users": 20,
    "duration": 120.0,
    "share": "1",
    "schedule": None,
}
LIMITS = Baseline(no_slower_than="10%", failures_within="0.5%")


def past(number: int = 1, **others: Any) -> PastRun:
    given = {
        "id": number, "kind": "load", "name": "steady", "system": "tasks", "started_at": 1.7e9, "ended_at": 1.7e9 + 120,
        "verdict": Verdict.PASS, "exit_code": 0, "target": "http://127.0.0.1:8080", "load": LOAD, "release": "1.4",
        "environment": "lab",
    }  # fmt: skip
    return PastRun.model_validate(given | others)


def run(factor: float = 1, seed: int = 1, *, seconds: int = 120, failing: float = 0.0, open_ones: int = 0) -> Windows:
    """Seconds of about 40 requests with exponential latencies of 50 ms on average, times a factor."""
    dice, completed, failed, latency = random.Random(seed), [], [], []
    for _ in range(seconds):
        count = dice.randint(35, 45)
        completed.append(count)
        failed.append(sum(dice.random() < failing for _ in range(count)))
        numbers = [histogram.bucket(factor * dice.expovariate(20)) for _ in range(count)]
        latency.append({number: numbers.count(number) for number in numbers})
    return Windows(
        asked=seconds, completed=tuple(completed), failed=tuple(failed), latency=tuple(latency), open=open_ones
    )


def beside(
    now: Windows, then: Windows | None = None, *, limits: Baseline | None = LIMITS, asked: bool = True, **changed: Any
) -> Against:
    earlier = past(1), then if then is not None else run(seed=7)
    return lay_beside(past(2, **changed), now, earlier, limits=limits, asked=asked)


def verdicts(found: Against) -> dict[str, Verdict]:
    return {one.figure: one.verdict for one in found.comparisons if one.decides}


def test_the_same_again_is_within_its_limits() -> None:
    same = verdicts(beside(run(seed=2, seconds=600), run(seed=7, seconds=600)))
    assert same == {"p95": Verdict.PASS, "failures": Verdict.PASS}


def test_a_slower_run_fails_and_says_by_how_much() -> None:
    found = beside(run(1.4, seed=2))
    assert verdicts(found)["p95"] is Verdict.FAIL
    told = next(one.reason for one in found.comparisons if one.figure == "p95")
    assert told.startswith("p95 is slower by ")
    finding = next(one for one in findings(found) if one.expected.startswith("p95"))
    assert finding.expected == "p95 is at most 10 % slower than in run 1"
    assert "ms then" in finding.observed


def test_more_failures_fail() -> None:
    assert verdicts(beside(run(seed=2, failing=0.05)))["failures"] is Verdict.FAIL


def test_figures_without_a_limit_are_only_told() -> None:
    found = beside(run(seed=2), limits=None)
    assert verdicts(found) == {}
    assert findings(found) == []
    assert [one.figure for one in found.comparisons] == ["p50", "p95", "p99", "failures", "requests per second"]
    assert found.title == "Compared with run 1 (2023-11-14 22:13 UTC, release 1.4)"


def test_by_the_clock_the_number_of_requests_is_no_finding() -> None:
    clock = {**LOAD, "schedule": {"seconds": 120}}
    both = past(1, load=clock), run(seed=7)
    found = lay_beside(past(2, load=clock), run(seed=2), both, limits=None, asked=True)
    assert "requests per second" not in {one.figure for one in found.comparisons}


def test_a_target_that_fails_fast_is_not_faster() -> None:
    found = beside(run(0.01, seed=2, failing=0.5))
    latency = next(one for one in found.comparisons if one.figure == "p95")
    assert latency.verdict is Verdict.UNDECIDED
    assert "which is no speed" in latency.reason


def test_requests_that_were_never_answered_are_not_fast() -> None:
    assert (
        verdicts(beside(run(seed=2, seconds=600, open_ones=500), run(seed=7, seconds=600)))["p95"] is Verdict.UNDECIDED
    )


@pytest.mark.parametrize(("limits", "asked"), [(LIMITS, False), (LIMITS, True), (None, True)])
def test_the_first_run_never_passes_a_comparison_silently(limits: Baseline | None, asked: bool) -> None:
    found = lay_beside(past(1), run(), None, limits=limits, asked=asked)
    assert [finding.verdict for finding in findings(found)] == [Verdict.UNDECIDED]
    assert "no earlier run to compare with" in findings(found)[0].detail


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "spike"}, "its name was `steady`, now `spike`"),
        ({"system": "shop"}, "its system was `tasks`, now `shop`"),
        ({"kind": "chaos"}, "its kind was `load`, now `chaos`"),
        ({"target": "http://shop.example:80"}, "its target was `http://127.0.0.1:8080`, now `http://shop.example:80`"),
        ({"environment": "target"}, "its environment was `lab`, now `target`"),
        ({"load": {**LOAD, "users": 40}}, "`users` was `20`, now `40`"),
        ({"load": {**LOAD, "share": "0.1"}}, "`share` was `1`, now `0.1`"),
        ({"load": {**LOAD, "digest": "b2"}}, "the text of its locustfile was another"),
        ({"load": {**LOAD, "locustfile": "users/more.py"}}, "`locustfile` was `users/tasks.py`, now `users/more.py`"),
        ({"load": {**LOAD, "schedule": {"times": list(range(99))}}}, "`schedule` is not the same"),
        ({"load": {}}, "what load was asked for is not known of both"),
        ({"partial": True}, "this run ended before its time"),
    ],
)
def test_a_run_of_another_load_is_no_measure(changed: dict[str, Any], told: str) -> None:
    found = beside(run(seed=2), **changed)
    assert [finding.verdict for finding in findings(found)] == [Verdict.UNDECIDED]
    assert findings(found)[0].detail == f"run 1 is no measure for this one: {told}"


def test_a_lab_on_another_free_port_is_the_same_place() -> None:
    found = beside(run(seed=2), target="http://127.0.0.1:9999")
    assert "p95" in {one.figure for one in found.comparisons}


def test_another_service_of_this_machine_is_another_target() -> None:
    earlier = past(1, environment="target", target="http://127.0.0.1:18731"), run(seed=7)
    later = past(2, environment="target", target="http://127.0.0.1:18733")
    (finding,) = findings(lay_beside(later, run(seed=2), earlier, limits=LIMITS, asked=True))
    assert finding.verdict is Verdict.UNDECIDED
    assert "its target was `http://127.0.0.1:18731`, now `http://127.0.0.1:18733`" in finding.detail
    again = lay_beside(later, run(seed=2), (later.model_copy(update={"id": 1}), run(seed=7)), limits=LIMITS, asked=True)
    assert "p95" in {one.figure for one in again.comparisons}


def test_a_pinned_run_of_another_load_is_mentioned_and_decides_nothing_unasked() -> None:
    found = beside(run(seed=2), limits=None, asked=False, load={**LOAD, "users": 40})
    assert findings(found) == []
    assert "`users` was `20`, now `40`" in found.comparisons[0].reason


def test_a_run_without_windows_is_no_measure() -> None:
    found = lay_beside(past(2), run(), (past(1), None), limits=LIMITS, asked=False)
    assert [finding.verdict for finding in findings(found)] == [Verdict.UNDECIDED]


def test_a_history_that_cannot_be_read_passes_nothing() -> None:
    found = findings(unreadable("the history is damaged"))
    assert [(one.verdict, one.detail) for one in found] == [(Verdict.UNDECIDED, "the history is damaged")]


def test_runs_without_requests_pass_nothing() -> None:
    empty = Windows(asked=60, completed=(0,) * 60, failed=(0,) * 60, latency=({},) * 60)
    assert Verdict.PASS not in verdicts(beside(empty)).values()
    assert Verdict.PASS not in verdicts(beside(run(seed=2), empty)).values()


def test_the_earlier_run_is_found_by_its_word_or_number(tmp_path: Path) -> None:
    with History.open(tmp_path / "history.db") as history:
        first = history.record(past(0))
        assert earlier_run(history, "baseline", name="steady", system="tasks") is None
        history.pin(first.id)
        last = history.record(past(0, release="1.5"))
        assert earlier_run(history, "baseline", name="steady", system="tasks") == first
        assert earlier_run(history, "last", name="steady", system="tasks") == last
        assert earlier_run(history, "1", name="spike", system="tasks") == first
        with pytest.raises(UsageError, match="no run `9`"):
            earlier_run(history, "9", name="steady", system="tasks")
        with pytest.raises(UsageError, match="`best` is no earlier run"):
            earlier_run(history, "best", name="steady", system="tasks")


@pytest.mark.parametrize("given", [{}, {"no_slower_than": 0.1}, {"no_slower_than": "ten"}, {"failures_within": "-1%"}])
def test_a_baseline_that_limits_nothing_exact_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit|percentage"):
        Baseline(**given)


def test_a_pinned_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    with History.open(tmp_path / "history.db") as history:
        first = history.record(past(0), run())
        history.pin(first.id)
        (found,) = beside_baseline(history, first.id, LIMITS)
        assert found.verdict is Verdict.UNDECIDED
        assert "this very run" in found.reason
        second = history.record(past(0), run(seed=2))
        held = beside_baseline(history, second.id, LIMITS)
        assert [one.figure for one in held] == ["p95", "failures"]


@pytest.mark.parametrize("which", ["it", "this run"])
def test_a_run_whose_load_did_not_do_its_work_is_no_measure(which: str) -> None:
    why = "100 % of the answers were 4xx or 429, so hardly anything was asked of the system"
    then, now = ((why,), ()) if which == "it" else ((), (why,))
    windows = run(seed=2, seconds=600)
    found = lay_beside(past(2, unfit=now), windows, (past(1, unfit=then), windows), limits=LIMITS, asked=True)
    (finding,) = findings(found)
    assert finding.verdict is Verdict.UNDECIDED
    assert f"{which} is in doubt, for {why}" in finding.detail


def test_a_run_of_a_version_that_kept_no_text_of_the_locustfile_is_compared() -> None:
    windows, old = run(seed=2, seconds=600), {key: value for key, value in LOAD.items() if key != "digest"}
    found = lay_beside(past(2), windows, (past(1, load=old), windows), limits=LIMITS, asked=True)
    assert verdicts(found) == {"p95": Verdict.PASS, "failures": Verdict.PASS}
