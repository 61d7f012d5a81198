from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from sloproof.slo import SLO, ErrorRatio, HistogramBelow, LatencyBelow, Service
from sloproof.slo.budget import burn_rate, spent_share, time_to_exhaustion

API = Service(name="api", owner="team", job="api")
ERRORS = ErrorRatio(errors='requests_total{job="api",code=~"5.."}', total='requests_total{job="api"}')
MINUTES = timedelta(minutes=5)


def slo(objective: str = "99.9") -> SLO:
    return SLO(service=API, name="availability", objective=objective, sli=ERRORS)


def test_the_budget_is_exact() -> None:
    assert slo("99.9").budget == Decimal("0.001")
    assert slo("99.999").budget == Decimal("0.00001")


@pytest.mark.parametrize("objective", ["100", "0", "-1", "100.1", "NaN", "word"])
def test_an_impossible_objective_is_refused(objective: str) -> None:
    with pytest.raises(ValidationError):
        slo(objective)


def test_a_float_objective_is_refused_because_it_is_not_exact() -> None:
    with pytest.raises(ValidationError, match="not exact"):
        SLO(service=API, name="availability", objective=99.9, sli=ERRORS)


def test_no_errors_yet_are_zero_errors() -> None:
    assert str(ERRORS.errors(MINUTES)) == (
        'sum(rate(requests_total{job="api",code=~"5.."}[5m])) or (0 * sum(rate(requests_total{job="api"}[5m])))'
    )


@pytest.mark.parametrize(
    ("threshold", "unit", "edge"),
    [
        ("500ms", "seconds", 'le="0.5"'),
        ("1s", "seconds", 'le=~"1(\\\\.0)?"'),
        ("250ms", "milliseconds", 'le=~"250(\\\\.0)?"'),
        ("2500ms", "seconds", 'le="2.5"'),
    ],
)
def test_a_threshold_matches_its_bucket_however_prometheus_writes_it(threshold: str, unit: str, edge: str) -> None:
    indicator = LatencyBelow(threshold, histogram='duration{job="api"}', unit=unit)
    assert str(indicator.good_bucket()) == f'duration_bucket{{job="api",{edge}}}'


def test_an_edge_from_a_million_on_is_matched_as_go_writes_it_too() -> None:
    assert 'le=~"1800000(\\\\.0)?|1\\\\.8e\\\\+06"' in str(HistogramBelow("1800000", histogram="size").good_bucket())
    assert 'le=~"1000000(\\\\.0)?|1e\\\\+06"' in str(HistogramBelow("1000000", histogram="size").good_bucket())
    assert 'le="0.1"' in str(HistogramBelow("0.1", histogram="shift").good_bucket())


def test_what_a_client_calls_bad() -> None:
    assert ERRORS.client_threshold is None
    assert LatencyBelow("500ms", histogram="duration").client_threshold == Decimal("0.5")


def test_burn_and_budget_arithmetic() -> None:
    assert burn_rate(Decimal("0.0144"), Decimal("0.001")) == Decimal("14.4")
    assert spent_share(5, 1000, Decimal("0.01")) == Decimal("0.5")
    assert time_to_exhaustion(Decimal(1), Decimal(10), timedelta(days=30)) == timedelta(days=3)
    assert time_to_exhaustion(Decimal(-1), Decimal(10), timedelta(days=30)) == timedelta()
    assert time_to_exhaustion(Decimal(1), Decimal(0), timedelta(days=30)) is None


def test_definitions_are_frozen() -> None:
    with pytest.raises(ValidationError):
        slo().name = "other"  # type: ignore[misc]
