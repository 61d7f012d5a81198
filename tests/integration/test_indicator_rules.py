"""The rules of every kind of indicator, judged by promtool: they load, and the fast page's own cases pass."""

import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from sloproof import names
from sloproof.alerts import DEFAULT_POLICY, REAL, BurnPolicy, Links, base_group, burn_groups, rules_yaml
from sloproof.alerts.rule_tests import rule_tests
from sloproof.lab.parts import find
from sloproof.slo import SLO, AnyIndicator, ErrorRatio, FreshWithin, GaugeAbove, GaugeBelow, ProbeUp, Service
from tests.unit.test_slo_indicators import EVERY

pytestmark = pytest.mark.integration

API = Service(name="api", owner="team", job="api")
FAST_ONLY = BurnPolicy(tiers=DEFAULT_POLICY.tiers[:1])


def written(folder: Path, slo: SLO, policy: BurnPolicy) -> list[Path]:
    generated, tests = folder / "alerts" / names.GENERATED, folder / "alerts" / "tests"
    generated.mkdir(parents=True)
    tests.mkdir()
    (generated / names.base_rules_file("api")).write_text(rules_yaml([base_group(slo, REAL)]))
    (generated / names.rules_file("api")).write_text(rules_yaml(burn_groups(slo, policy, REAL, Links())))
    for name, text in rule_tests("api", [(slo, policy)]).items():
        (tests / name).write_text(text)
    return sorted(tests.iterdir())


def promtool(*arguments: str) -> str:
    done = subprocess.run([str(find("promtool")), *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("by", [(), ("route",)], ids=str)
@pytest.mark.parametrize("kind", EVERY)
def test_promtool_accepts_the_rules_of_every_kind(kind: str, by: tuple[str, ...], parts: Path, tmp_path: Path) -> None:
    slo = SLO(service=API, name="good", objective="99", sli=EVERY[kind], by=by)
    written(tmp_path, slo, DEFAULT_POLICY)
    promtool("check", "rules", *(str(file) for file in (tmp_path / "alerts" / names.GENERATED).iterdir()))


@pytest.mark.parametrize(
    ("indicator", "budgeting"),
    [
        (GaugeBelow("0.7", gauge="cpu"), "events"),
        (GaugeAbove("0.9", gauge='hits{of="a"}'), "events"),
        (FreshWithin("1h", last_success="backup"), "events"),
        (ProbeUp(probe='up{job="api"}'), "events"),
        (EVERY["throughput-at-least"], "events"),
        (EVERY["composite"], "events"),
        (EVERY["native-latency-below"], "slices"),
        (ErrorRatio(errors='r{code="500"}', total="r"), "slices"),
    ],
)
@pytest.mark.parametrize("objective", ["99", "99.9"])
def test_the_fast_page_fires_in_time_and_keeps_quiet_below(
    indicator: AnyIndicator, budgeting: str, objective: str, parts: Path, tmp_path: Path
) -> None:
    slo = SLO.model_validate(
        {"service": API, "name": "good", "objective": Decimal(objective), "sli": indicator, "budgeting": budgeting}
    )
    files = written(tmp_path, slo, FAST_ONLY)
    if indicator is EVERY["composite"]:  # a counter and a gauge cannot be fed as one
        assert files == []
        return
    assert "SUCCESS" in promtool("test", "rules", *(str(file) for file in files))
