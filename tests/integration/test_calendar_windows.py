"""Budgets of calendar months and quarters, by the real rules: across ends of months and years, and in a leap year."""

import calendar
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloproof.alerts import REAL, Timing, rules_yaml
from sloproof.alerts.burn_alerts import base_group
from sloproof.alerts.calendar_window import elapsed_seconds, period_seconds
from sloproof.alerts.recording import budget_rules
from sloproof.alerts.rule_model import RuleGroup
from sloproof.lab.parts import find
from sloproof.names import CalendarPeriod
from sloproof.prometheus import Prometheus
from sloproof.slo import SLO, ErrorRatio, Service
from tests.integration.test_prometheus_adapter import WORKSPACE_PARTS, eventually, free_port, running

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)
STEP = timedelta(hours=6)
A_DAY = timedelta(days=1) // STEP
COARSE = Timing(scrape=STEP, evaluation=STEP, slow_evaluation=STEP, base=STEP * 4)
"""promtool loads 10,000 samples a query at most, and takes a minute for a year at two hours a step."""
SLI = ErrorRatio(errors='r{code="500"}', total='r{code=~"200|500"}')
API = Service(name="api", owner="api team", job="api")
BASE_LAG = 4 * STEP
"""At the first instants the rate of the base window still holds the period before."""


def objective(period: CalendarPeriod, **changes: Any) -> SLO:
    return SLO(**{"service": API, "name": "answers", "objective": "99", "sli": SLI, "calendar": period} | changes)


def groups(slo: SLO) -> list[RuleGroup]:
    """The base rules and those of the budget; the pairs of the alerts are shorter than this clock."""
    return [base_group(slo, COARSE), RuleGroup("budget", STEP, tuple(budget_rules(slo, COARSE)))]


def judged(folder: Path, slo: SLO, series: dict[str, str], asked: list[tuple[str, timedelta, float | None]]) -> None:
    """promtool starts its clock at the first instant of 1970; a value of None is no result."""
    (folder / "rules.yaml").write_text(rules_yaml(groups(slo)))
    tests = [
        {
            "interval": f"{STEP // HOUR}h",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": expr if value is None else f"abs({expr} - {value}) <= bool {abs(value) * 1e-6 + 1e-9}",
                    "eval_time": f"{at // HOUR}h",
                    "exp_samples": [] if value is None else [{"labels": "{}", "value": 1}],
                }
                for expr, at, value in asked
            ],
        }
    ]
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{STEP // HOUR}h",
        "group_eval_order": [group.name for group in groups(slo)],
        "tests": tests,
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(document))
    promtool = str(find("promtool", WORKSPACE_PARTS))
    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def counter(stretches: list[tuple[timedelta, int]]) -> str:
    """A counter by the length of each stretch and its growth a step."""
    value, written = 0, ["0"]
    for length, growth in stretches:
        count = length // STEP
        written.append(f"{value + growth}+{growth}x{count - 1}")
        value += growth * count
    return " ".join(written)


def start_of(month: int) -> timedelta:
    """Since 1 January 1970; months count on."""
    return datetime(1970 + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)


def sum_(metric: str) -> str:
    return f"sum({metric})"


def test_a_month_counts_its_own_events_and_no_others(tmp_path: Path) -> None:
    """One event in ten is bad in January, none in February, one in a hundred from March on; over the new year too."""
    slo, bad = objective("month"), "slo:errors:count_month"
    good = counter([(start_of(15), 900)])
    errors = counter([(start_of(2), 100), (start_of(3) - start_of(2), 0), (start_of(15) - start_of(3), 10)])
    asked: list[tuple[str, timedelta, float | None]] = [
        (sum_("slo:error:ratio_month"), start_of(2) - STEP, 0.1),
        # In February the bad events of January are forgotten, but for the base window's own lag.
        (sum_(f"{bad} / slo:total:count_month"), start_of(3) - STEP, 100 * 2.5 / (900 * 28 * A_DAY + 100 * 2.5)),
        # March reaches back 31 days, into January; nothing of January counts.
        (sum_(bad), start_of(3) + BASE_LAG, 10 * (0.25 + 0.5 + 0.75 + 1)),
        (sum_(bad), start_of(4) - STEP, 10 * (31 * A_DAY - 2.5)),
        (sum_("slo:error_budget:remaining_ratio"), start_of(6) - STEP, 1 - (10 / 910) / 0.01),
        # The year ends: December is whole at its end, and January starts anew.
        (sum_(bad), start_of(13) - STEP, 10 * 31 * A_DAY),
        (sum_(bad), start_of(13), 10),
        (sum_(bad), start_of(13) + 3 * STEP, 40),
        (sum_(bad), start_of(14) - STEP, 10 * 31 * A_DAY),
        (sum_("slo:coverage:ratio_month"), start_of(14) - STEP, 1),
        (sum_("slo:coverage:ratio_month"), start_of(14), 1),
        (sum_("slo:period:elapsed_ratio"), start_of(14) - STEP, 1),
        (sum_("slo:period:elapsed_ratio"), start_of(14), 1 / (28 * A_DAY)),
    ]
    judged(tmp_path, slo, {'r{code="200"}': good, 'r{code="500"}': errors}, asked)


def test_a_quarter_counts_three_months(tmp_path: Path) -> None:
    slo, bad = objective("quarter"), "slo:errors:count_quarter"
    errors = counter([(start_of(15), 10)])
    asked: list[tuple[str, timedelta, float | None]] = [
        (sum_(bad), start_of(7) - STEP, 10 * 91 * A_DAY),
        (sum_(bad), start_of(7), 10),
        (sum_(bad), start_of(10) - STEP, 10 * 92 * A_DAY),
        (sum_(bad), start_of(13) - STEP, 10 * 92 * A_DAY),
        (sum_(bad), start_of(13), 10),
        (sum_("slo:coverage:ratio_quarter"), start_of(12), 1),
        (sum_("slo:period:elapsed_ratio"), start_of(13) - STEP, 1),
    ]
    judged(tmp_path, slo, {'r{code="200"}': counter([(start_of(15), 990)]), 'r{code="500"}': errors}, asked)


def test_a_new_month_without_traffic_has_a_whole_budget_and_no_nan(tmp_path: Path) -> None:
    slo, new = objective("month"), start_of(2)
    series = {
        'r{code="200"}': counter([(new - 2 * BASE_LAG, 900), (start_of(3) - new, 0)]),
        'r{code="500"}': counter([(new - 2 * BASE_LAG, 100), (start_of(3) - new, 0)]),
    }
    every = '{__name__=~"slo:.*"}'
    asked: list[tuple[str, timedelta, float | None]] = [
        (sum_("slo:total:count_month"), new, 0),
        (sum_("slo:error_budget:remaining_ratio"), new, 1),
        (sum_("slo:error_budget:period_remaining_ratio"), new, 1),
        (sum_("slo:error_budget:remaining_errors"), new, 0),
        (sum_("slo:coverage:ratio_month"), new, 1),
        ("slo:error:ratio_month", new, None),
        (f"sum({every}) * 0", new, 0),  # NaN and infinity leave nothing
        (f"sum({every}) * 0", new + STEP, 0),
    ]
    judged(tmp_path, slo, series, asked)


def test_nothing_measured_since_the_month_began_is_no_perfect_month(tmp_path: Path) -> None:
    slo, new = objective("month"), start_of(2)
    series = {'r{code="200"}': f"{counter([(new - 2 * BASE_LAG, 900)])} stale"}
    absent: list[tuple[str, timedelta, float | None]] = [
        ("slo:error_budget:remaining_ratio", new, None),
        ("slo:coverage:ratio_month", new + 5 * STEP, None),
    ]
    judged(tmp_path, slo, series, absent)


def test_each_group_of_a_split_objective_has_a_month_of_its_own(tmp_path: Path) -> None:
    slo, length = objective("month", by=("route",)), start_of(2)
    series = {
        f'r{{code="{code}",route="{route}"}}': counter([(start_of(3), growth)])
        for route, code, growth in (("/a", "200", 900), ("/a", "500", 100), ("/b", "200", 1000))
    }
    asked: list[tuple[str, timedelta, float | None]] = [
        ('sum(slo:error:ratio_month{route="/a"})', length - STEP, 0.1),
        ('sum(slo:error:ratio_month{route="/b"})', length - STEP, 0),
        ('sum(slo:errors:count_month{route="/a"})', length, 100),
    ]
    judged(tmp_path, slo, series, asked)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder, port = tmp_path_factory.mktemp("calendar"), free_port()
    (folder / "prometheus.yaml").write_text("{}")
    command = [
        str(find("prometheus", WORKSPACE_PARTS)),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, folder), Prometheus(f"http://127.0.0.1:{port}") as prometheus:
        eventually(prometheus.ready, "start-up")
        yield prometheus


@pytest.mark.parametrize("period", ["month", "quarter"])
def test_the_length_of_a_period_is_the_calendars(server: Prometheus, period: CalendarPeriod) -> None:
    for year in (2023, 2024, 2100):  # a common year, a leap year, and a century without its leap day
        for month in range(1, 13):
            first = month if period == "month" else (month - 1) // 3 * 3 + 1
            months = range(first, first + (1 if period == "month" else 3))
            days = [calendar.monthrange(year, one)[1] for one in months]
            begin = datetime(year, first, 1, tzinfo=UTC).timestamp()
            for day in (1, 15, calendar.monthrange(year, month)[1]):
                at = datetime(year, month, day, 23, 59, 30, tzinfo=UTC).timestamp()
                assert value(server, str(period_seconds(period)), at) == sum(days) * 86400
                step = REAL.evaluation.total_seconds()
                assert value(server, str(elapsed_seconds(period, REAL)), at) == at + step - begin


def value(server: Prometheus, expression: str, at: float) -> float:
    (series,) = server.instant(f"vector({expression})", at).series
    return series.points[-1][1]
