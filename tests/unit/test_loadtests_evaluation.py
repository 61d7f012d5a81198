from decimal import Decimal

import pytest

from sloproof.loadtests.evaluation import client_counts, judge_load, judge_promises, per_second
from sloproof.loadtests.promises import Failures
from sloproof.loadtests.result import Censored, GeneratorHealth, LoadResult, Second
from sloproof.slo import SLO, ErrorRatio, GaugeBelow, LatencyBelow, Service
from sloproof.verdict.evidence import PROMETHEUS, Counts
from sloproof.verdict.judge import Judgement, Verdict

API = Service(name="api", owner="team", job="api")
AVAILABILITY = SLO(
    service=API, name="availability", objective="99.9", sli=ErrorRatio(errors='r{code="500"}', total="r")
)
LATENCY = SLO(service=API, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))


def load(seconds: int = 40, *, rate: int = 100, slow: int = 0, errors: int = 0, partial: bool = False) -> LoadResult:
    """A run with the same few slow and failed requests in each second."""
    found = [
        Second(
            at=float(at),
            started=rate,
            completed=rate,
            errors={"5xx": errors, "429": 3, "4xx": 2},
            slower={"0.5": slow},
            latency={-200: rate - slow, -30: slow},
        )
        for at in range(1000, 1000 + seconds)
    ]
    return LoadResult(
        profile="steady",
        system="api",
        target="http://127.0.0.1:1",
        locustfile="users/api.py",
        users=10,
        asked_rate=float(rate),
        started_at=1000.0,
        drained_from=1000.0 + seconds,
        ended_at=1000.0 + seconds,
        seconds=found,
        partial=partial,
    )


def counted(total: float, bad: float = 0) -> dict[str, Counts | None]:
    return dict.fromkeys(("api/availability", "api/latency"), Counts(source=PROMETHEUS, total=total, bad=bad))


def verdicts(run: LoadResult, counts: dict[str, Counts | None]) -> list[Verdict]:
    return [result.judgement.verdict for result in judge_load(run, [AVAILABILITY, LATENCY], counts)]


def test_a_clean_run_that_both_sources_counted_passes() -> None:
    assert verdicts(load(), counted(4000)) == [Verdict.PASS, Verdict.PASS]


def test_refused_and_limited_requests_do_not_spend_the_budget() -> None:
    assert client_counts(load(), AVAILABILITY).bad == 0


def test_slow_answers_are_bad_for_latency_only() -> None:
    run = load(slow=10)
    assert verdicts(run, counted(4000) | {"api/latency": Counts(source=PROMETHEUS, total=4000, bad=400)}) == [
        Verdict.PASS,
        Verdict.FAIL,
    ]


def test_without_prometheus_nothing_passes() -> None:
    assert verdicts(load(), {}) == [Verdict.UNDECIDED, Verdict.UNDECIDED]


def test_sources_that_counted_different_totals_decide_nothing() -> None:
    assert verdicts(load(), counted(3000)) == [Verdict.UNDECIDED, Verdict.UNDECIDED]


def test_a_difference_that_the_verdict_can_bear_leaves_it() -> None:
    both = counted(4000) | {"api/latency": Counts(source=PROMETHEUS, total=4000, bad=20)}
    assert verdicts(load(), both) == [Verdict.PASS, Verdict.PASS]


def test_a_difference_that_would_change_the_verdict_undecides_it() -> None:
    assert verdicts(load(), counted(4000, bad=20))[0] is Verdict.UNDECIDED


@pytest.mark.parametrize("slo", [AVAILABILITY, LATENCY])
def test_a_partial_run_never_passes(slo: SLO) -> None:
    result = judge_load(load(partial=True), [slo], counted(4000))[0]
    assert result.judgement.verdict is Verdict.UNDECIDED


def test_a_saturated_generator_decides_nothing() -> None:
    health = GeneratorHealth(saturated=True, reasons=["CPU at 97 %"])
    result = judge_load(load().model_copy(update={"generator": health}), [AVAILABILITY], counted(4000))[0]
    assert result.judgement.verdict is Verdict.UNDECIDED
    assert "CPU at 97 %" in result.judgement.reason


@pytest.mark.parametrize(("bursts", "verdict"), [(1, Verdict.PASS), (12, Verdict.UNDECIDED)])
def test_one_slowish_second_is_an_accident_and_many_show_how_slow_answers_cluster(
    bursts: int, verdict: Verdict
) -> None:
    run = load()
    near = [one.model_copy(update={"latency": {-200: 20, -50: 80}}) for one in run.seconds[:bursts]]
    found = judge_load(run.model_copy(update={"seconds": near + run.seconds[bursts:]}), [LATENCY], counted(4000))[0]
    assert found.judgement.verdict is verdict


def test_too_few_requests_say_how_many_more() -> None:
    result = judge_load(load(seconds=20, rate=50), [AVAILABILITY], counted(1000))[0]
    assert result.judgement.verdict is Verdict.UNDECIDED
    assert result.judgement.needs_more == 1995


def test_requests_open_at_the_end_count() -> None:
    stalled = [Censored(name="GET /", started_at=1036.0, age=4.0), Censored(name="GET /", started_at=1039.9, age=0.1)]
    run = load().model_copy(update={"censored": stalled, "in_flight_at_end": 2})
    seen = client_counts(run, LATENCY)
    assert (seen.total, seen.bad, seen.censored) == (4002, 1, 1)
    assert client_counts(run, AVAILABILITY).censored == 2


def test_seconds_are_counted_one_by_one_at_their_end() -> None:
    assert per_second(load(seconds=2, errors=1), AVAILABILITY) == [(1001.0, 1, 100), (1002.0, 1, 100)]
    assert Decimal("0.5") in load().thresholds


def test_a_second_of_which_no_process_told_changes_nothing() -> None:
    run = load()
    run = run.model_copy(update={"seconds": [*run.seconds, Second(at=1040.0)], "ended_at": 1040.5})
    assert verdicts(run, counted(4000)) == [Verdict.PASS, Verdict.PASS]


def refused(seconds: int = 40, rate: int = 100) -> LoadResult:
    """A target that refuses every connection: all requests fail, and fast."""
    found = [
        one.model_copy(update={"errors": {"connection": rate}, "latency": {-300: rate}, "slower": {"0.5": 0}})
        for one in load(seconds, rate=rate).seconds
    ]
    return load(seconds, rate=rate).model_copy(update={"seconds": found})


@pytest.mark.parametrize("counts", [{}, counted(0), counted(float("nan"), float("nan"))], ids=["none", "zero", "nan"])
def test_a_target_that_refuses_everything_never_passes_however_fast_it_refuses(
    counts: dict[str, Counts | None],
) -> None:
    assert Verdict.PASS not in verdicts(refused(), counts)


@pytest.mark.parametrize(
    "counts",
    [{}, counted(0), counted(float("nan")), counted(4000, float("nan")), counted(float("inf"))],
    ids=["unreachable", "no data", "nan", "nan errors", "infinite"],
)
def test_prometheus_without_usable_numbers_passes_nothing(counts: dict[str, Counts | None]) -> None:
    assert Verdict.PASS not in verdicts(load(), counts)


def test_a_run_without_requests_passes_nothing() -> None:
    empty = load().model_copy(update={"seconds": [one.model_copy(update={"completed": 0}) for one in load().seconds]})
    assert verdicts(empty, counted(0)) == [Verdict.UNDECIDED, Verdict.UNDECIDED]
    assert verdicts(load(0), counted(0)) == [Verdict.UNDECIDED, Verdict.UNDECIDED]


def test_more_objectives_ask_for_surer_misses() -> None:
    run = load(errors=0).model_copy(deep=True)
    for second in run.seconds[::4]:
        second.errors = {"5xx": 1}
    alone = judge_load(run, [AVAILABILITY], counted(4000, bad=10))[0].judgement
    assert alone.verdict is Verdict.FAIL
    many = [AVAILABILITY.model_copy(update={"name": f"a{n}"}) for n in range(10)]
    counts: dict[str, Counts | None] = {slo.identity: Counts(source=PROMETHEUS, total=4000, bad=10) for slo in many}
    assert {result.judgement.verdict for result in judge_load(run, many, counts)} == {Verdict.UNDECIDED}


def test_what_no_user_can_see_is_not_judged_by_answers() -> None:
    memory = SLO(service=API, name="memory", objective="99", sli=GaugeBelow("0.7", gauge='memory_ratio{job="shop"}'))
    (result,) = judge_load(load(), [memory], {memory.identity: Counts(source=PROMETHEUS, total=4000, bad=0)})
    assert result.judgement.verdict is Verdict.UNDECIDED
    assert "cannot tell a good second from a bad one" in result.judgement.reason


PASSES = (Failures(below="10%"),)


def promised(run: LoadResult) -> Judgement:
    (judgement,) = judge_promises(run, PASSES)
    return judgement


@pytest.mark.parametrize(
    ("exceptions", "told"),
    [
        ({"KeyError: 'token'": 60}, "raised 60 times in 4,000 requests"),
        ({"Refused: `api.invalid` is not a listed target": 1}, "once the locustfile asked for a target"),
    ],
)
def test_a_load_whose_tasks_raise_never_passes(exceptions: dict[str, int], told: str) -> None:
    assert promised(load()).verdict is Verdict.PASS
    raising = promised(load().model_copy(update={"exceptions": exceptions}))
    assert raising.verdict is Verdict.UNDECIDED
    assert told in raising.reason


def test_a_stray_exception_does_not_undo_a_run() -> None:
    assert promised(load().model_copy(update={"exceptions": {"KeyError: 'token'": 3}})).verdict is Verdict.PASS


def test_a_system_that_makes_tasks_raise_still_fails() -> None:
    run = load(errors=30).model_copy(update={"exceptions": {"JSONDecodeError: no JSON": 1200}})
    assert promised(run).verdict is Verdict.FAIL


def test_a_load_that_is_mostly_turned_away_never_passes() -> None:
    away = load()
    for second in away.seconds:
        second.errors = {"4xx": 60}
    assert promised(away).verdict is Verdict.UNDECIDED
    assert "60 % of the answers were 4xx or 429" in promised(away).reason


def test_requests_that_hang_are_seen_to_cluster() -> None:
    """A stall that is never answered says no more than one that ends in time-outs."""
    hung = [Censored(name="GET /", started_at=1038.5 + number / 200, age=5.0) for number in range(200)]
    run = load().model_copy(update={"censored": hung, "in_flight_at_end": 200})
    (latency,) = judge_load(run, [LATENCY], {LATENCY.identity: Counts(source=PROMETHEUS, total=4200, bad=200)})
    assert latency.judgement.verdict is Verdict.UNDECIDED
    assert latency.judgement.effective_size < 100
