"""What counters really grew, from raw samples."""

import math

import pytest

from sloproof.counter_increase import Increase, born_after, increase_of
from sloproof.prometheus_answers import Point, Series


def counter(*points: Point) -> Series:
    return Series(labels={"instance": "a1"}, points=points)


def test_it_counts_from_the_newest_sample_at_or_before_the_start() -> None:
    grown = increase_of(counter((1, 5), (2, 7), (3, 8), (4, 11)), 2.5, scraped_before=True)
    assert (grown.increase, grown.first, grown.last, grown.samples) == (4, 2, 4, 3)
    assert not grown.born


def test_a_sample_at_the_very_start_is_counted_from() -> None:
    assert increase_of(counter((1, 5), (2, 7), (3, 8)), 2, scraped_before=True).increase == 1


def test_each_reset_adds_what_was_counted_since_it() -> None:
    grown = increase_of(counter((1, 10), (2, 14), (3, 2), (4, 3), (5, 1)), 1, scraped_before=True)
    assert (grown.increase, grown.resets) == (4 + 2 + 1 + 1, 2)


def test_a_newborn_counter_counts_its_first_value_only_if_its_target_was_watched() -> None:
    newborn = counter((3, 50), (4, 52))
    watched = increase_of(newborn, 2, scraped_before=True)
    found = increase_of(newborn, 2, scraped_before=False)
    assert (watched.increase, watched.unseen) == (52, 0)
    assert (found.increase, found.unseen) == (2, 50)
    assert born_after([newborn, counter((1, 0))], 2) == (newborn,)


def test_a_counter_that_went_silent_before_the_start_grew_by_nothing() -> None:
    grown = increase_of(counter((1, 5), (2, 9)), 3, scraped_before=True)
    assert (grown.increase, grown.first, grown.last) == (0, 2, 2)


def test_a_counter_that_is_no_number_makes_the_increase_none() -> None:
    grown = increase_of(counter((1, 5), (2, math.nan)), 1, scraped_before=True)
    assert math.isnan(grown.increase)
    assert math.isnan(Increase(series=(grown,)).value or 0)


def test_increases_add_up_by_label() -> None:
    one = increase_of(counter((1, 5), (2, 9)), 1, scraped_before=True)
    other = one.model_copy(update={"labels": {"instance": "a2"}, "increase": 7.0})
    both = Increase(series=(one, other, one))
    assert both.value == pytest.approx(15)
    assert both.by("instance") == {"a1": 8, "a2": 7}
    assert Increase(series=()).value is None
