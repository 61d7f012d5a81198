"""What the pages of a whole workspace have from its settings and its definitions."""

from pathlib import Path

import pytest

from sloproof.workspace import load_workspace
from sloproof.workspace.artifacts import all_artifacts

DEFINITIONS = """
from sloproof import SLO, CauseAlert, ErrorRatio, Service

shop = Service(name="shop", owner="shop team", job="shop")
availability = SLO(
    service=shop, name="availability", objective="99.9",
    sli=ErrorRatio(errors='requests_total{job="edge",code="500"}', total='requests_total{job="edge"}'),
)
full = CauseAlert(
    service=shop, name="full", expression='queue_length{job="shop"}', above=9, hold="1m", severity="ticket",
    summary="the queue is full", first_step="look at its consumers",
)
"""
KINDS = ("FastBurn", "BudgetLow", "BudgetForecast", "BurnReview", "Absent", "TargetDown", "Full")


def pages(root: Path, settings: str) -> dict[str, str]:
    (root / "slo").mkdir()
    (root / "slo" / "shop.py").write_text(DEFINITIONS)
    (root / "pyproject.toml").write_text(f"[tool.sloproof]\n{settings}")
    made = all_artifacts(load_workspace(root), lambda _: None)
    return {Path(one.path).stem: one.text for one in made if one.path.startswith("runbooks/")}


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_every_kind_link_to_the_prometheus_of_the_settings(tmp_path: Path, kind: str) -> None:
    made = pages(tmp_path, 'prometheus-url = "https://prometheus.example"')
    found = [page for name, page in made.items() if name.endswith(kind)]
    assert found and all("[graph](https://prometheus.example/graph?g0.expr=" in page for page in found)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_without_a_known_address_have_no_links_to_it(tmp_path: Path, kind: str) -> None:
    found = {name: page for name, page in pages(tmp_path, "").items() if name.endswith(kind)}
    assert found
    assert not [name for name, page in found.items() if "[graph](" in page or "](/" in page]


def test_missing_data_are_looked_for_where_the_objective_reads_them(tmp_path: Path) -> None:
    found = pages(tmp_path, "")
    assert '   up{job="edge"}\n' in found["ShopAvailabilityAbsent"]
    assert '   up{job="shop"} == 1\n' in found["ShopTargetDown"]
