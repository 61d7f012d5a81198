"""The budget ledger: closed periods, ends that avoid gaps, and the sum of the window."""

from datetime import timedelta
from pathlib import Path

from sloproof import SLO, ErrorRatio, Service
from sloproof.alerts.budget_ledger import PERIOD, Count, close_periods, count_window
from sloproof.alerts.timing import REAL
from sloproof.promql import Expression
from sloproof.workspace.ledger_store import LedgerStore

HOUR = 3600.0
SCRAPE = timedelta(seconds=30)
SLI = ErrorRatio(errors='r{code="500"}', total="r")
SHOP = SLO(
    service=Service(name="shop", owner="shop team", job="shop"), name="errors", objective="99", sli=SLI, window="2d"
)


class Counter:
    """Ten events a second, one of a hundred bad; scraped but for one gap; answers as rates do."""

    def __init__(self, gap: tuple[float, float] = (0, 0)) -> None:
        self.gap = gap
        self.asked = 0

    def __call__(self, expression: Expression, at: float) -> float | None:
        self.asked += 1
        if self.gap[0] < at <= self.gap[1] + 60 and "[1m15s]" in str(expression):
            return None
        return 0.1 if "500" in str(expression) else 10.0


def test_periods_follow_each_other_on_the_grid_up_to_what_is_over() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 19 * HOUR))
    assert [(p.start, p.end) for p in periods] == [(0, 6 * HOUR), (6 * HOUR, 12 * HOUR), (12 * HOUR, 18 * HOUR)]
    assert periods[0].count.total == 10 * PERIOD.total_seconds()


def test_an_end_in_a_gap_moves_past_it() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(gap=(5 * HOUR, 8 * HOUR)), 0.0, 13 * HOUR))
    assert [p.end for p in periods] == [8.25 * HOUR, 12 * HOUR]


def test_a_period_is_not_closed_before_its_end_is_known_to_be_scraped() -> None:
    assert not list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 6 * HOUR + 60))


def test_the_window_is_the_closed_periods_and_both_ends() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 60 * HOUR))
    counted = count_window(SHOP, Counter(), periods, 57 * HOUR)
    assert counted is not None
    assert abs(counted.total - 10 * 48 * HOUR) < 1e-3
    assert counted.ratio is not None
    assert abs(counted.ratio - 0.01) < 1e-9


def test_a_hole_or_another_indicator_is_no_figure() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 60 * HOUR))
    assert count_window(SHOP, Counter(), [*periods[:3], *periods[4:]], 57 * HOUR) is None
    other = SHOP.model_copy(update={"sli": ErrorRatio(errors='q{code="500"}', total="q")})
    assert count_window(other, Counter(), periods, 57 * HOUR) is None


def test_the_store_counts_each_period_once_and_survives_a_torn_line(tmp_path: Path) -> None:
    store, first, second = LedgerStore(tmp_path), Counter(), Counter()
    assert store.count(SHOP, REAL, first, 600 * HOUR) is not None
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes() + b'{"start": 1')
    counted = store.count(SHOP, REAL, second, 606 * HOUR + 120)
    assert second.asked < first.asked / 3
    assert counted is not None
    assert abs(counted.total - 10 * 48 * HOUR) < 1e-3
    ends = [period.end for period in store.periods(SHOP)]
    assert ends == sorted(set(ends))


def test_nothing_counted_has_no_ratio() -> None:
    assert Count(bad=0, total=0).ratio is None


def test_slices_and_groups_have_no_ledger(tmp_path: Path) -> None:
    for change in ({"by": ("route",)}, {"budgeting": "slices"}):
        assert LedgerStore(tmp_path).count(SHOP.model_copy(update=change), REAL, Counter(), 600 * HOUR) is None
