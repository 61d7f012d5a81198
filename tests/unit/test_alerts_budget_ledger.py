"""The budget ledger: closed periods, ends that avoid gaps, and the sum of the window."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sloproof import SLO, ErrorRatio, Service
from sloproof.alerts.budget_ledger import PERIOD, Count, close_periods, count_window, has_ledger, window_start
from sloproof.alerts.timing import REAL
from sloproof.errors import PartFailed
from sloproof.promql import Expression
from sloproof.slo import AllOf, Composite, GaugeBelow
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
        self.routes: tuple[str, ...] = ("",)

    def __call__(self, expression: Expression, at: float) -> list[tuple[dict[str, str], float]]:
        self.asked += 1
        if self.gap[0] < at <= self.gap[1] + 60 and "[1m15s]" in str(expression):
            return []
        value = 0.1 if "500" in str(expression) else 10.0
        return [({"route": route} if "by (route)" in str(expression) else {}, value) for route in self.routes]


def test_periods_follow_each_other_on_the_grid_up_to_what_is_over() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 19 * HOUR))
    assert [(p.start, p.end) for p in periods] == [(0, 6 * HOUR), (6 * HOUR, 12 * HOUR), (12 * HOUR, 18 * HOUR)]
    assert periods[0].counts[0].total == 10 * PERIOD.total_seconds()


def test_an_end_in_a_gap_moves_past_it() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(gap=(5 * HOUR, 8 * HOUR)), 0.0, 13 * HOUR))
    assert [p.end for p in periods] == [8.25 * HOUR, 12 * HOUR]


def test_a_period_is_not_closed_before_its_end_is_known_to_be_scraped() -> None:
    assert not list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 6 * HOUR + 60))


def test_the_window_is_the_closed_periods_and_both_ends() -> None:
    periods = list(close_periods(SHOP, SCRAPE, Counter(), 0.0, 60 * HOUR))
    counted = count_window(SHOP, Counter(), periods, 57 * HOUR)
    assert counted is not None
    assert abs(counted[()].total - 10 * 48 * HOUR) < 1e-3
    assert abs((counted[()].ratio or 0) - 0.01) < 1e-9


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
    assert abs(counted[()].total - 10 * 48 * HOUR) < 1e-3
    ends = [period.end for period in store.periods(SHOP)]
    assert ends == sorted(set(ends))


def test_nothing_counted_has_no_ratio() -> None:
    assert Count(bad=0, total=0).ratio is None


def test_what_no_counter_counts_has_no_ledger(tmp_path: Path) -> None:
    cpu = GaugeBelow("0.7", gauge="cpu")
    for change in ({"budgeting": "slices"}, {"sli": cpu}, {"sli": AllOf(parts=(SLI, SLI))}):
        assert LedgerStore(tmp_path).count(SHOP.model_copy(update=change), REAL, Counter(), 600 * HOUR) is None
    assert not list(tmp_path.iterdir())
    assert has_ledger(SHOP.model_copy(update={"sli": Composite(parts=((SLI, "2"),))}))


def test_each_group_of_a_split_objective_is_counted_on_its_own(tmp_path: Path) -> None:
    split, counter = SHOP.model_copy(update={"by": ("route",)}), Counter()
    counter.routes = ("/a", "/b")
    counted = LedgerStore(tmp_path).count(split, REAL, counter, 600 * HOUR)
    assert counted is not None
    assert {group: round(count.total) for group, count in counted.items()} == {
        ("/a",): 10 * 48 * 3600,
        ("/b",): 10 * 48 * 3600,
    }


def test_a_month_is_counted_from_its_first_instant(tmp_path: Path) -> None:
    month = SLO(**{**SHOP.model_dump(exclude={"window"}), "calendar": "month"})
    now = datetime(2026, 3, 10, 5, tzinfo=UTC).timestamp()
    assert window_start(month, now) == datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    quarter = month.model_copy(update={"calendar": "quarter"})
    assert window_start(quarter, datetime(2026, 12, 31, 23, tzinfo=UTC).timestamp()) == 1790812800
    counted = LedgerStore(tmp_path).count(month, REAL, Counter(), now)
    assert counted is not None
    assert round(counted[()].total) == 10 * (9 * 24 + 5) * 3600


def test_a_line_that_was_spoilt_is_counted_again(tmp_path: Path) -> None:
    store = LedgerStore(tmp_path)
    store.count(SHOP, REAL, Counter(), 600 * HOUR)
    (file,) = tmp_path.iterdir()
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:4], "not JSON", *lines[5:]]) + "\n")
    counter = Counter()
    counted = store.count(SHOP, REAL, counter, 600 * HOUR)
    assert counted is not None
    assert round(counted[()].total) == 10 * 48 * 3600
    assert counter.asked < 12
    assert len(store.periods(SHOP)) == len(lines)


def test_two_commands_at_once_count_nothing_twice(tmp_path: Path) -> None:
    store = LedgerStore(tmp_path)
    store.count(SHOP, REAL, Counter(), 600 * HOUR)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() * 2)
    counted = store.count(SHOP, REAL, Counter(), 600 * HOUR)
    assert counted is not None
    assert round(counted[()].total) == 10 * 48 * 3600


def test_another_objective_over_the_same_events_keeps_its_ledger(tmp_path: Path) -> None:
    store, counter = LedgerStore(tmp_path), Counter()
    store.count(SHOP, REAL, Counter(), 600 * HOUR)
    assert store.count(SHOP.model_copy(update={"objective": Decimal("99.9")}), REAL, counter, 600 * HOUR) is not None
    assert counter.asked < 12


def test_a_server_without_the_events_is_asked_once(tmp_path: Path) -> None:
    counter = Counter()
    counter.routes = ()
    assert LedgerStore(tmp_path).count(SHOP, REAL, counter, 600 * HOUR) is None
    assert counter.asked < 5


def test_a_young_ledger_grows_until_it_reaches_back(tmp_path: Path) -> None:
    """The server forgets sooner than the window asks: what was closed in time is what the ledger is for."""
    store = LedgerStore(tmp_path)
    for day in range(1, 4):
        now = (600 + 24 * day) * HOUR
        counted = store.count(SHOP, REAL, Forgetful(600 * HOUR if day == 1 else now - 30 * HOUR), now)
        assert (counted is None) == (day < 3)
    assert counted is not None
    assert round(counted[()].total) == 10 * 48 * 3600


class Forgetful(Counter):
    """A server that holds nothing from before an instant."""

    def __init__(self, since: float) -> None:
        super().__init__()
        self.since = since

    def __call__(self, expression: Expression, at: float) -> list[tuple[dict[str, str], float]]:
        return super().__call__(expression, at) if at > self.since else []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "budget").write_text("a file")
    with pytest.raises(PartFailed, match="budget ledger"):
        LedgerStore(tmp_path / "budget").count(SHOP, REAL, Counter(), 600 * HOUR)
