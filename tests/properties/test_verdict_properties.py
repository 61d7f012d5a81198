"""What holds for whatever was counted."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sloproof.verdict import (
    Counts,
    Evidence,
    Judgement,
    Verdict,
    clopper_pearson,
    combine,
    effective_size,
    judge_balance,
    judge_objective,
    judge_objectives,
)

CONFIDENCE = 0.95
patient = settings(deadline=None)
"""Speed belongs in benchmarks; a busy machine is no failure."""
slices = st.lists(
    st.integers(0, 60).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))), max_size=80
)
budgets = st.sampled_from([Decimal("0.001"), Decimal("0.01"), Decimal("0.05"), Decimal("0.5")])
verdicts = st.lists(st.sampled_from(Verdict))


def evidence_of(batches: list[tuple[int, int]], budget: Decimal, censored: int = 0, partial: str = "") -> Evidence:
    total, bad = sum(n for _, n in batches) + censored, sum(b for b, _ in batches)
    return Evidence(
        slo="tasks/latency",
        objective=100 * (1 - budget),
        counts=Counts(source="load generator", total=total, bad=bad, censored=censored),
        batches=tuple(batches),
        partial=partial,
    )


def judge(batches: list[tuple[int, int]], budget: Decimal, censored: int = 0, partial: str = "") -> Judgement:
    return judge_objective(budget, evidence_of(batches, budget, censored, partial))


@patient
@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_bounds_enclose_the_ratio_and_are_those_of_scipy(bad: float, good: float) -> None:
    total = bad + good
    lower, upper = clopper_pearson(bad, total, CONFIDENCE)
    assert 0 <= lower <= upper <= 1
    if total > 0:
        assert lower <= bad / total * (1 + 1e-9) + 1e-12
        assert upper >= bad / total * (1 - 1e-9)
    if bad > 1e-3 and good > 1e-3:
        assert abs(lower - stats.beta.ppf(1 - CONFIDENCE, bad, good + 1)) <= 1e-6 * max(lower, 1e-9) + 1e-12
        assert abs(upper - stats.beta.ppf(CONFIDENCE, bad + 1, good)) <= 1e-6 * upper + 1e-12


@patient
@given(slices)
def test_the_effective_size_never_exceeds_the_events(batches: list[tuple[int, int]]) -> None:
    total = sum(n for _, n in batches)
    assert min(total, 1) <= effective_size(batches) <= total


@patient
@given(slices, budgets)
def test_a_pass_is_always_within_the_budget_seen_and_a_fail_over_it(
    batches: list[tuple[int, int]], budget: Decimal
) -> None:
    judgement = judge(batches, budget)
    if judgement.verdict is Verdict.PASS:
        assert judgement.observed_within_budget
    if judgement.verdict is Verdict.FAIL:
        assert judgement.observed_within_budget is False


@patient
@given(slices, budgets, st.integers(1, 50))
def test_open_requests_never_help(batches: list[tuple[int, int]], budget: Decimal, censored: int) -> None:
    without, with_open = judge(batches, budget), judge(batches, budget, censored)
    if with_open.verdict is Verdict.PASS:
        assert without.verdict is Verdict.PASS


@patient
@given(slices, budgets)
def test_partial_evidence_never_passes(batches: list[tuple[int, int]], budget: Decimal) -> None:
    assert judge(batches, budget, partial="interrupted").verdict is not Verdict.PASS


@patient
@given(slices, budgets)
def test_only_undecided_asks_for_more_and_always_for_at_least_one(
    batches: list[tuple[int, int]], budget: Decimal
) -> None:
    judgement = judge(batches, budget)
    if judgement.needs_more is not None:
        assert judgement.verdict is Verdict.UNDECIDED
        assert judgement.needs_more >= 1


@patient
@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_was_measured_is_judged_and_never_raises(total: float, bad: float) -> None:
    counts = Counts(source="Prometheus", total=total, bad=bad)
    evidence = Evidence(slo="tasks/latency", objective=Decimal("99.9"), counts=counts, batches=((0, 100),) * 50)
    assert judge_objective(Decimal("0.001"), evidence).reason


@patient
@given(verdicts, verdicts)
def test_combining_is_of_any_order_and_in_any_groups(first: list[Verdict], second: list[Verdict]) -> None:
    together = combine([*first, *second])
    assert together is combine([*second, *first])
    if first and second:
        assert together is combine([combine(first), combine(second)])


@patient
@given(st.dictionaries(st.text("abc", min_size=1), st.integers(0, 5000), min_size=2, max_size=6))
def test_shares_add_up_and_the_excess_lies_in_its_bounds(counts: dict[str, int]) -> None:
    balance = judge_balance(counts, Decimal(10))
    if sum(counts.values()):
        assert abs(sum(balance.shares.values()) - 1) < 1e-9
        assert balance.excess_lower <= balance.excess + 1e-6
        assert balance.excess_upper >= balance.excess - 1e-6


@patient
@given(st.lists(st.tuples(slices, budgets), max_size=5))
def test_judged_together_nothing_fails_that_would_not_fail_alone_and_all_passes_stay(
    given_claims: list[tuple[list[tuple[int, int]], Decimal]],
) -> None:
    claims = [(budget, evidence_of(batches, budget)) for batches, budget in given_claims]
    alone = [judge_objective(*claim).verdict for claim in claims]
    together = [one.verdict for one in judge_objectives(claims)]
    for by_itself, beside in zip(alone, together, strict=True):
        assert beside in ({Verdict.FAIL, Verdict.UNDECIDED} if by_itself is Verdict.FAIL else {by_itself})
    assert [one.verdict for one in reversed(judge_objectives(claims[::-1]))] == together
