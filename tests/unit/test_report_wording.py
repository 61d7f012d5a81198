"""Numbers read as people write them."""

import pytest

from sloproof.report import wording
from sloproof.report.recorded import Unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0032, "0.32 %"),
        (0.125, "12.5 %"),
        (0.1 + 0.2, "30 %"),
        (0, "0 %"),
        (1, "100 %"),
        (1e-12, "<0.000001 %"),
        (0.99, "99 %"),
        (0.9985, "99.85 %"),
        (0.99996, "99.996 %"),
        (0.999999, "99.9999 %"),
        (None, "no data"),
    ],
)
def test_ratios_read_in_per_cent(value: float | None, text: str) -> None:
    assert wording.ratio(value) == text


def test_nearly_all_never_reads_as_all() -> None:
    assert all(wording.ratio(1 - 10**-places) != "100 %" for places in range(2, 12))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wording.milliseconds(812.3456789012345), "812 ms"),
        (wording.milliseconds(9.128), "9.13 ms"),
        (wording.milliseconds(1240), "1.24 s"),
        (wording.rate(40.1234), "40.1/s"),
        (wording.rate(12345.6), "12,346/s"),
        (wording.factor(14.4), "14.4x"),
        (wording.count(4812.0), "4,812"),
        (wording.count(519.7123), "519.7"),
        (wording.elapsed(2.44), "2.4 s"),
        (wording.elapsed(9.96), "10 s"),
        (wording.elapsed(63.2), "63 s"),
        (wording.elapsed(725), "12 min 05 s"),
        (wording.elapsed(599.7), "10 min 00 s"),
        (wording.elapsed(12000), "3 h 20 min"),
        (wording.between(61, 66), "61-66 s"),
        (wording.between(590, 610), "590 s to 10 min 10 s"),
        (wording.clock(1_795_356_202.9), "14:03:22"),
        (wording.points(0.0002), "+0.02 points"),
        (wording.points(-0.00139), "-0.139 points"),
        (wording.points(1e-9), "under 0.001 points"),
        (wording.points(0.0), "none"),
    ],
)
def test_figures_are_short(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize("unit", ["requests/s", "ms", "ratio", "x", "count"])
def test_no_data_is_said_in_words(unit: Unit) -> None:
    assert wording.measurement(None, unit) == "no data"
    assert wording.measurement(0.0, unit) != "no data"


def test_a_budget_that_is_spent_many_times_over_is_told_as_a_factor() -> None:
    assert [wording.spent(value) for value in (None, 0.04, 1.5, 607.45)] == ["no data", "4 %", "150 %", "607 times"]
