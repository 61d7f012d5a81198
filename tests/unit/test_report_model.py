"""The model refuses what cannot be, keeps `no data` apart from zero, and reads back what it wrote."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from pydantic import ValidationError

from sloproof.errors import UsageError
from sloproof.report.json import read_json, render_json
from sloproof.report.model import EventCounts, FaultBar, ObjectiveRow, RunReport, Series, Span
from tests.unit.report_samples import START, empty, hostile, realistic


def _objective(**more: object) -> ObjectiveRow:
    given = {"phase": "steady", "slo": "tasks/latency", "objective": Decimal("95"), "verdict": "PASS"}
    return ObjectiveRow.model_validate(given | more)


@pytest.mark.parametrize("make", [realistic, empty, hostile])
def test_a_report_reads_back_as_it_was_written(make: Callable[[], RunReport]) -> None:
    assert read_json(render_json(make())) == make()


def test_json_carries_its_version_and_the_derived_figures() -> None:
    written = json.loads(render_json(realistic()))
    assert written["schema_version"] == 1
    missed = written["objectives"][3]
    assert missed["by_generator"]["error_ratio"] == pytest.approx(523 / 2804)
    assert missed["objective"] == "95"
    assert missed["difference"] == pytest.approx(519.7 / 2801 - 523 / 2804)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no report"),
        ("[]", "schema `None`"),
        ('{"schema_version": 2}', "schema `2` is not `1`"),
        ('{"schema_version": 1}', "damaged at `title`"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_json(text)


def test_without_events_there_is_no_ratio_and_no_difference() -> None:
    row = _objective(by_generator=EventCounts(bad=0, total=0), by_prometheus=EventCounts(bad=1, total=100))
    assert row.by_generator is not None
    assert row.by_generator.error_ratio is None
    assert row.difference is None
    assert _objective().difference is None


def test_the_difference_is_prometheus_less_the_generator() -> None:
    row = _objective(by_generator=EventCounts(bad=1, total=100), by_prometheus=EventCounts(bad=3, total=100))
    assert row.difference == pytest.approx(0.02)


def test_a_point_that_is_no_number_is_no_measurement() -> None:
    series = Series(label="p95", points=((2, float("nan")), (1, float("inf")), (3, 0.0)))
    assert series.points == ((1, None), (2, None), (3, 0.0))


@pytest.mark.parametrize(
    "impossible",
    [
        lambda: EventCounts(bad=2, total=1),
        lambda: Span(start=2, end=1),
        lambda: FaultBar(label="kill a1", injected_at=2, undone_at=1),
        lambda: _objective(objective=Decimal("100")),
        lambda: RunReport(title="t", verdict="PASS", headline="h", started_at=START, ended_at=START - 1),
    ],
)
def test_the_impossible_is_refused(impossible: Callable[[], object]) -> None:
    with pytest.raises(ValidationError):
        impossible()
