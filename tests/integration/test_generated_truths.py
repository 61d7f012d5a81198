"""What the generated rules of this workspace make of situations that are easily got wrong, on the real promtool."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from sloproof.lab.parts import find
from tests.integration.test_prometheus_adapter import WORKSPACE_PARTS

pytestmark = pytest.mark.integration

GENERATED = Path(__file__).parents[2] / "alerts" / "generated"
BALANCER = 'job="tasks-balancer",envoy_http_conn_manager_prefix="tasks"'
REQUESTS = f"envoy_http_downstream_rq_completed{{{BALANCER}}}"
ERRORS = f'envoy_http_downstream_rq_xx{{{BALANCER},envoy_response_code_class="5"}}'


def firing(folder: Path, service: str, series: Mapping[str, str], after: str, alerts: Sequence[str]) -> list[str]:
    """Which of some alerts fire."""
    files = [str(file) for file in sorted(GENERATED.glob(f"{service}.*rules.yaml"))]
    fed = [{"series": name, "values": values} for name, values in series.items()]
    return [
        alert
        for alert in alerts
        if passes(
            folder,
            {
                "rule_files": files,
                "evaluation_interval": "1m",
                "tests": [
                    {
                        "interval": "1m",
                        "input_series": fed,
                        "promql_expr_test": [
                            {
                                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0',
                                "eval_time": after,
                                "exp_samples": [{"labels": "{}", "value": 1}],
                            }
                        ],
                    }
                ],
            },
        )
    ]


def passes(folder: Path, document: Mapping[str, object]) -> bool:
    (folder / "test.yaml").write_text(yaml.safe_dump(document))
    promtool = str(find("promtool", WORKSPACE_PARTS))
    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert "error" not in done.stdout + done.stderr
    return done.returncode == 0


BUDGET = ("TasksAvailabilityBudgetLow", "TasksAvailabilityBudgetForecast", "TasksAvailabilityBurnReview")


def test_thirty_bad_requests_of_a_young_objective_are_no_spent_month(tmp_path: Path) -> None:
    series = {REQUESTS: "0+600x60", ERRORS: "0 0+3x10 30x50"}
    assert firing(tmp_path, "tasks", series, "30m", BUDGET) == []


def test_a_young_objective_that_loses_everything_is_told(tmp_path: Path) -> None:
    series = {REQUESTS: "0+600x180", ERRORS: "0 0+600x179"}
    assert "TasksAvailabilityBudgetForecast" in firing(tmp_path, "tasks", series, "20m", BUDGET)
    assert "TasksAvailabilityBudgetLow" in firing(tmp_path, "tasks", series, "2h", BUDGET)


def test_a_shard_whose_host_is_gone_is_down(tmp_path: Path) -> None:
    labels = 'job="platform-database",instance="{0}",region="eu",shard="{0}"'.format
    up = {f"up{{{labels(shard)}}}": "1x20" for shard in (1, 2)} | {f"pg_up{{{labels(1)}}}": "1x20"}
    gone = {**up, f"up{{{labels(2)}}}": "1x5 0x15", f"pg_up{{{labels(2)}}}": "1x5 stale"}
    assert firing(tmp_path, "platform", gone, "5m", ("PlatformShardDown",)) == []
    assert firing(tmp_path, "platform", gone, "9m", ("PlatformShardDown",)) == ["PlatformShardDown"]
