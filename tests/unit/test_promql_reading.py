"""What an expression measures, and what of it is left out by its filters."""

import pytest

from sloproof.promql.reading import grouped_by, summed_up, unfiltered


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("a and b > 3", "a"),
        ("(a / b) unless on (x) c", "a / b"),
        ("a > 3", "a"),
        ("3 < a", "a"),
        ("(a > 3) < 5", "a"),
        ("a > bool 3", "a > bool 3"),
        ("sum(a > 3)", "sum(a > 3)"),
        ("a or b", "a or b"),
        ("a  +  b # as written", "a  +  b # as written"),
    ],
)
def test_what_is_measured_stands_before_the_outermost_filters(text: str, measured: str) -> None:
    assert unfiltered(text) == measured


def test_a_long_measure_stays_on_one_line_and_its_strings_stay_whole() -> None:
    labels = ",".join(f'label_{number}="two  spaces"' for number in range(5))
    text = f"sum(rate(a{{{labels}}}[5m])) / sum(rate(b{{{labels}}}[5m]))"
    assert unfiltered(f"{text} and c > 1") == text


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("sum(a)", ()),
        ("sum by (x, y) (a)", ("x", "y")),
        ("sum without (x) (a)", None),
        ("a", None),
        ("topk(3, a)", None),
        ("histogram_quantile(0.9, sum by (le, route) (a))", ("route",)),
        ("1 - sum(a) / sum(b)", ()),
        ("time() - min by (shard) (a)", ("shard",)),
        ("sum by (x) (a) / sum(b)", None),
        ("max_over_time(sum(a)[1h:1m])", ()),
        ("sum by (x) (a) and b", ("x",)),
    ],
)
def test_series_are_told_apart_by_the_labels_of_their_aggregation(text: str, labels: tuple[str, ...] | None) -> None:
    assert grouped_by(text) == labels


def test_a_share_of_sums_is_made_of_what_stands_above_its_line() -> None:
    assert summed_up("sum(a) / sum(b)") == "a"
    assert summed_up("sum(a)") == "a"
    assert summed_up("sum by (x) (a) / sum(b)") is None
