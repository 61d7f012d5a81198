"""The latency histogram keeps its stated error, and merging loses nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.loadtests import histogram

latencies = st.lists(st.floats(min_value=2e-6, max_value=3600), min_size=1, max_size=200)


def of(samples: list[float]) -> dict[int, int]:
    return histogram.merged({histogram.bucket(sample): 1} for sample in samples)


@given(latencies, st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_one_per_cent_of_the_true_sample(samples: list[float], q: float) -> None:
    true = sorted(samples)[max(1, math.ceil(q * len(samples))) - 1]
    assert histogram.quantile(of(samples), q) == pytest.approx(true, rel=0.0101)


@given(latencies, latencies)
def test_merging_equals_recording_together(some: list[float], others: list[float]) -> None:
    assert histogram.merged([of(some), of(others)]) == of(some + others)


@given(latencies)
def test_the_mean_is_within_one_per_cent(samples: list[float]) -> None:
    assert histogram.mean(of(samples)) == pytest.approx(sum(samples) / len(samples), rel=0.0101)


def test_without_samples_there_is_no_quantile() -> None:
    assert histogram.quantile({}, 0.5) is None
    assert histogram.mean({}) is None


def test_a_latency_of_zero_is_kept() -> None:
    assert histogram.quantile({histogram.bucket(0.0): 1}, 1) == pytest.approx(1e-6, rel=0.02)


def test_a_percentage_is_no_quantile() -> None:
    with pytest.raises(ValueError, match="95"):
        histogram.quantile({0: 1}, 95)
