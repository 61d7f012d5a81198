"""A lab runs the rules of its own system: the others of a workspace would only be found absent there."""

from pathlib import Path

import pytest
import yaml

from sloproof.workspace import load_workspace
from sloproof.workspace.lab_files import lab_files, lab_timing

TWO_SYSTEMS = """\
from sloproof import SLO, ErrorRatio, Service

tasks = Service(name="tasks", owner="tasks team", job="tasks")
shop = Service(name="shop", owner="shop team", job="shop")
sli = ErrorRatio(errors="failed_total", total="all_total")
ours = SLO(service=tasks, name="availability", objective="99.9", sli=sli)
theirs = SLO(service=shop, name="availability", objective="99.9", sli=sli)
"""
CAUSES = """\
from slo.two import shop, tasks
from sloproof import BurnPolicy, BurnTier, CauseAlert, Routing, Slack
words = {"hold": "5m", "severity": "warning", "summary": "too full", "first_step": "look"}
ours = CauseAlert(service=tasks, name="full", expression="a", above=1, **words)
theirs = CauseAlert(service=shop, name="full", expression="b", above=1, **words)
tier = BurnTier(name="only", budget_share="0.1", long="3d", short="6h", severity="ticket")
policy = BurnPolicy(tiers=(tier,))
routing = Routing(receivers=(Slack(name="channel", channel="#shop", api_url_file="/secret"),))
"""


@pytest.fixture
def generated(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "pyproject.toml").write_text("[tool.sloproof]\n")
    for folder, text in (("slo", TWO_SYSTEMS), ("alerts", CAUSES)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "two.py").write_text(text)
    workspace = load_workspace(tmp_path)
    return dict(lab_files(workspace, "tasks", lab_timing(workspace, 60))("http://127.0.0.1:1/alerts"))


def test_only_the_rules_of_the_labs_own_system_are_loaded(generated: dict[str, str]) -> None:
    files = {"rules/tasks.base.rules.yaml", "rules/tasks.budget.rules.yaml", "rules/tasks.causes.rules.yaml"}
    assert set(generated) == {*files, "rules/tasks.rules.yaml", "alertmanager.yaml"}
    assert not any("shop" in text for name, text in generated.items() if name.startswith("rules/"))


def test_what_belongs_to_the_whole_workspace_holds_in_the_lab_too(generated: dict[str, str]) -> None:
    groups = yaml.safe_load(generated["rules/tasks.rules.yaml"])["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert alerts == ["TasksAvailabilityOnlyBurn"]
    receivers = yaml.safe_load(generated["alertmanager.yaml"])["receivers"]
    assert [receiver["name"] for receiver in receivers] == ["channel"]
    assert "slack_configs" not in receivers[0]
