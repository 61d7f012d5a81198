"""The lab's configuration, judged by the programs that read it."""

import subprocess
from pathlib import Path

import pytest

from sloproof.lab.envoy_bootstrap import Balancer, bootstrap
from sloproof.lab.parts import find
from tests.unit.test_lab_configuration import MONITORING

pytestmark = pytest.mark.integration


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_envoy_accepts_the_bootstrap(tmp_path: Path) -> None:
    file = tmp_path / "envoy.json"
    balancer = Balancer(name="tasks", port=19001, admin_port=19002, instances={"a1": 19003}, repeatable_paths=("/x",))
    file.write_text(bootstrap(balancer))
    done = run(str(find("envoy")), "--mode", "validate", "--disable-hot-restart", "-c", str(file))
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stdout + done.stderr


def test_promtool_accepts_the_configuration(parts: Path, tmp_path: Path) -> None:
    from sloproof.lab.prometheus_config import prometheus_config

    file = tmp_path / "prometheus.yaml"
    file.write_text(prometheus_config(MONITORING))
    done = run(str(find("promtool", parts)), "check", "config", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
