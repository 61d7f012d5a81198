"""The examples that are found for label patterns match by Prometheus's own judgement."""

import subprocess
import warnings
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sloproof.alerts.sample_labels import concrete
from sloproof.lab.parts import find
from sloproof.promql import Matcher, Selector
from tests.properties.test_label_pattern import ODD, PATTERNS

pytestmark = pytest.mark.integration


def judged(parts: Path, folder: Path, patterns: list[str]) -> subprocess.CompletedProcess[str]:
    """Ask promtool whether each pattern matches the example that was found for it."""
    selectors = [Selector("x", (Matcher("n", "=", str(n)), Matcher("l", "=~", p))) for n, p in enumerate(patterns)]
    series = [{"series": str(concrete(selector)), "values": "1"} for selector in selectors]
    asked = [
        {"expr": f"count({selector})", "eval_time": "0s", "exp_samples": [{"labels": "{}", "value": 1}]}
        for selector in selectors
    ]
    test = {"rule_files": [], "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}]}
    file = folder / "patterns.test.yaml"
    file.write_text(yaml.safe_dump(test, allow_unicode=True))
    command = [str(find("promtool")), "test", "rules", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_prometheus_agrees_on_odd_patterns(parts: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = judged(parts, tmp_path, list(ODD))
    assert done.returncode == 0, done.stdout + done.stderr


@settings(max_examples=10, deadline=None)
@given(st.lists(PATTERNS, min_size=20, max_size=60))
def test_prometheus_agrees_on_any_pattern(
    parts: Path, tmp_path_factory: pytest.TempPathFactory, patterns: list[str]
) -> None:
    done = judged(parts, tmp_path_factory.mktemp("patterns"), patterns)
    assert done.returncode == 0, done.stdout + done.stderr
