"""What passes, what fails, and what never passes."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from sloproof.verdict import (
    LOAD_GENERATOR,
    Counts,
    Evidence,
    Judgement,
    Verdict,
    combine,
    judge_objective,
    judge_objectives,
)

BUDGET = Decimal("0.001")
NAN = float("nan")


def evenly(bad: int, total: int, seconds: int = 30) -> tuple[tuple[int, int], ...]:
    """Slices whose bad events lie far apart."""
    sizes = [total // seconds + (second < total % seconds) for second in range(seconds)]
    hits = [(7 * event + 3) % seconds for event in range(bad)]
    return tuple((hits.count(second), max(sizes[second], hits.count(second))) for second in range(seconds))


def evidence(bad: int, total: int, *, seconds: int = 30, censored: int = 0, partial: str = "") -> Evidence:
    return Evidence(
        slo="tasks/availability",
        objective=Decimal("99.9"),
        counts=Counts(source=LOAD_GENERATOR, total=total, bad=bad, censored=censored),
        batches=evenly(bad, total, seconds),
        partial=partial,
    )


def judged(bad: int, total: int, **others: object) -> Judgement:
    return judge_objective(BUDGET, evidence(bad, total, **others))  # type: ignore[arg-type]


def measured(total: float, bad: float) -> Judgement:
    counts = Counts(source="Prometheus", total=total, bad=bad)
    return judge_objective(
        BUDGET, Evidence(slo="tasks/latency", objective=Decimal("99.9"), counts=counts, batches=evenly(0, 5000))
    )


def test_a_short_clean_run_cannot_prove_three_nines() -> None:
    judgement = judged(0, 1200)
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.needs_more == 1795
    assert "needs 1,795 more requests" in judgement.reason
    assert judgement.observed_within_budget is True


@pytest.mark.parametrize(("total", "verdict"), [(2994, Verdict.UNDECIDED), (2995, Verdict.PASS)])
def test_a_clean_run_passes_from_the_request_on_that_proves_it(total: int, verdict: Verdict) -> None:
    assert judged(0, total).verdict is verdict


def test_the_promised_number_of_requests_does_decide() -> None:
    first = judged(3, 4000)
    assert first.needs_more is not None
    scale = (4000 + first.needs_more) / 4000
    assert judged(int(3 * scale), round(4000 * scale), seconds=round(30 * scale)).verdict is Verdict.PASS


def test_a_miss_is_proven_by_the_lower_bound() -> None:
    judgement = judged(60, 1200)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.lower is not None
    assert judgement.lower > 0.03
    assert judgement.budget_spent == pytest.approx(50)
    assert judgement.observed_within_budget is False
    assert judgement.needs_more is None


def test_a_bad_event_or_two_above_budget_is_no_proof_of_a_miss() -> None:
    judgement = judged(2, 1200)
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.observed_within_budget is False


def test_every_request_failing_fails() -> None:
    judgement = judge_objective(
        BUDGET,
        Evidence(
            slo="tasks/availability",
            objective=Decimal("99.9"),
            counts=Counts(source=LOAD_GENERATOR, total=1200, bad=1200),
            batches=((40, 40),) * 30,
        ),
    )
    assert judgement.verdict is Verdict.FAIL
    assert judgement.upper == 1


@pytest.mark.parametrize(
    ("total", "bad"), [(0, 0), (NAN, 0), (5000, NAN), (float("inf"), 0), (5000, -1), (10, 11), (-5, -5)]
)
def test_figures_that_are_no_data_never_pass(total: float, bad: float) -> None:
    judgement = measured(total, bad)
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.ratio is None
    assert judgement.observed_within_budget is None
    assert judgement.reason


def test_a_partial_run_never_passes() -> None:
    judgement = judged(0, 50_000, partial="interrupted after 12 s")
    assert judgement.verdict is Verdict.UNDECIDED
    assert "interrupted after 12 s" in judgement.reason


def test_a_partial_run_may_fail() -> None:
    assert judged(600, 1200, partial="interrupted after 12 s").verdict is Verdict.FAIL


def test_without_slices_of_time_nothing_passes_or_fails() -> None:
    for bad in (0, 5000):
        bare = evidence(bad, 5000).model_copy(update={"batches": ()})
        judgement = judge_objective(BUDGET, bare)
        assert judgement.verdict is Verdict.UNDECIDED
        assert "slices" in judgement.reason


def test_too_few_slices_never_pass_whatever_they_hold() -> None:
    judgement = judged(0, 50_000, seconds=9)
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.needs_more == 5556
    assert judged(0, 50_000, seconds=10).verdict is Verdict.PASS


def test_slices_that_miss_most_of_the_run_do_not_speak_for_it() -> None:
    half = evidence(0, 50_000).model_copy(update={"batches": evenly(0, 25_000)})
    judgement = judge_objective(BUDGET, half)
    assert judgement.verdict is Verdict.UNDECIDED
    assert "50 %" in judgement.reason


def test_requests_still_open_at_the_end_are_not_good_ones() -> None:
    assert judged(0, 5000).verdict is Verdict.PASS
    stalled = judged(0, 5000, censored=40)
    assert stalled.verdict is Verdict.UNDECIDED
    assert stalled.observed_within_budget is False
    assert stalled.lower == 0


def test_clustered_errors_do_not_pass_where_scattered_ones_do() -> None:
    seconds = [(0, 100)] * 300
    seconds[100] = (15, 100)
    clustered = evidence(15, 30_000).model_copy(update={"batches": tuple(seconds)})
    scattered = evidence(15, 30_000).model_copy(update={"batches": evenly(15, 30_000, 300)})
    assert judge_objective(BUDGET, scattered).verdict is Verdict.PASS
    judgement = judge_objective(BUDGET, clustered)
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.effective_size < 3000
    assert "independent" in judgement.reason


def test_a_looser_limit_shows_the_clusters_that_rare_events_hide() -> None:
    clean = evidence(0, 3600, seconds=90)
    waves = tuple((40 if second % 15 == 0 else 0, 40) for second in range(90))
    assert judge_objective(BUDGET, clean).verdict is Verdict.PASS
    judgement = judge_objective(BUDGET, clean.model_copy(update={"looser": waves}))
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.needs_more is not None
    assert judgement.needs_more > 30_000


def test_a_clean_pass_says_what_it_takes_for_granted() -> None:
    assert "do not come in clusters" in judged(0, 5000).reason
    assert "do not come in clusters" not in judged(3, 30_000).reason


def test_a_ratio_at_the_budget_promises_no_end() -> None:
    judgement = judged(10, 10_000)
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.needs_more is None


@pytest.mark.parametrize("confidence", ["0.5", "1", "0", "1.2"])
def test_an_impossible_confidence_is_refused(confidence: str) -> None:
    with pytest.raises(ValueError, match="confidence"):
        judge_objective(BUDGET, evidence(0, 5000), confidence)


@pytest.mark.parametrize("budget", ["0", "1", "-0.1"])
def test_an_impossible_budget_is_refused(budget: str) -> None:
    with pytest.raises(ValueError, match="budget"):
        judge_objective(Decimal(budget), evidence(0, 5000))


def test_a_slice_with_more_bad_than_all_events_is_refused() -> None:
    with pytest.raises(ValidationError, match="slice"):
        evidence(0, 5000).model_validate({**evidence(0, 5000).model_dump(), "batches": ((41, 40),)})


def test_more_confidence_asks_for_more_evidence() -> None:
    assert judge_objective(BUDGET, evidence(0, 3500)).verdict is Verdict.PASS
    assert judge_objective(BUDGET, evidence(0, 3500), "0.99").verdict is Verdict.UNDECIDED


def test_a_judgement_can_lose_its_verdict_but_keeps_its_figures() -> None:
    passed = judged(0, 5000)
    doubted = passed.undecided_because("the generator was saturated")
    assert doubted.verdict is Verdict.UNDECIDED
    assert doubted.reason == "the generator was saturated"
    assert doubted.upper == passed.upper


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ("", Verdict.UNDECIDED),
        ("P", Verdict.PASS),
        ("PP", Verdict.PASS),
        ("PU", Verdict.UNDECIDED),
        ("PUF", Verdict.FAIL),
        ("PF", Verdict.FAIL),
    ],
)
def test_several_verdicts_make_the_worst_of_them(verdicts: str, expected: Verdict) -> None:
    letters = {"P": Verdict.PASS, "F": Verdict.FAIL, "U": Verdict.UNDECIDED}
    assert combine(letters[letter] for letter in verdicts) is expected


def test_exit_codes_tell_missed_from_undecided() -> None:
    assert [verdict.exit_code for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNDECIDED)] == [0, 1, 3]


def test_a_judgement_survives_json() -> None:
    judgement = judged(3, 4000)
    assert Judgement.model_validate_json(judgement.model_dump_json()) == judgement


@pytest.mark.parametrize(("rate", "told"), [(50.0, "36 s at this rate"), (1.0, "30 min at this rate")])
def test_what_is_missing_is_told_as_a_time_too(rate: float, told: str) -> None:
    judgement = judge_objective(BUDGET, evidence(0, 1200).model_copy(update={"rate": rate}))
    assert judgement.needs_seconds == pytest.approx(1795 / rate)
    assert f"needs 1,795 more requests, {told}" in judgement.reason


def test_without_a_rate_no_time_is_promised() -> None:
    assert judged(0, 1200).needs_seconds is None
    assert "at this rate" not in judged(0, 1200).reason


BARELY = evidence(10, 5000)
"""Fails alone: with 95 % confidence over 0.1 %, not with 99 %."""
CLEARLY = evidence(200, 5000)
CLEAN = evidence(0, 5000)


def test_one_objective_is_judged_as_it_is_alone() -> None:
    assert judge_objectives([(BUDGET, BARELY)]) == [judge_objective(BUDGET, BARELY)]
    assert judge_objective(BUDGET, BARELY).verdict is Verdict.FAIL


def test_a_bare_miss_among_many_objectives_may_be_chance() -> None:
    found = judge_objectives([(BUDGET, BARELY), *[(BUDGET, CLEAN)] * 9])
    assert [one.verdict for one in found] == [Verdict.UNDECIDED, *[Verdict.PASS] * 9]
    assert (
        "alone it would have failed, but with 10 objectives tested at once a miss must be 99.5 % sure"
        in found[0].reason
    )
    assert found[0].needs_more is not None


def test_a_clear_miss_fails_among_any_number_of_objectives() -> None:
    found = judge_objectives([(BUDGET, CLEAN)] * 9 + [(BUDGET, CLEARLY)])
    assert [one.verdict for one in found] == [*[Verdict.PASS] * 9, Verdict.FAIL]
    assert "with 99.5 % confidence at least" in found[-1].reason


def test_a_sure_miss_leaves_more_room_to_the_next() -> None:
    """Tested against two, the bare miss is none; once the other has failed, it is tested against one."""
    barer = next(evidence(bad, 5000) for bad in range(1, 20) if judged(bad, 5000).verdict is Verdict.FAIL)
    assert judge_objective(BUDGET, barer, "0.95", "0.975").verdict is Verdict.UNDECIDED
    beside_clean = judge_objectives([(BUDGET, barer), (BUDGET, CLEAN)])
    beside_miss = judge_objectives([(BUDGET, barer), (BUDGET, CLEARLY)])
    assert [one.verdict for one in beside_clean] == [Verdict.UNDECIDED, Verdict.PASS]
    assert [one.verdict for one in beside_miss] == [Verdict.FAIL, Verdict.FAIL]


def test_passing_needs_no_correction() -> None:
    enough = evidence(0, 2995)
    assert {one.verdict for one in judge_objectives([(BUDGET, enough)] * 20)} == {Verdict.PASS}


def test_a_judgement_of_no_objectives_is_no_pass() -> None:
    assert combine(one.verdict for one in judge_objectives([])) is Verdict.UNDECIDED


def test_a_source_is_named_as_one_says_it() -> None:
    assert measured(0, 0).reason == "no data: Prometheus counted no requests"
    assert judged(0, 0).reason == f"no data: the {LOAD_GENERATOR} counted no requests"
