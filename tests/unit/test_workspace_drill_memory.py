"""What a drill showed is kept, and told in the generated part of the alert's page."""

from pathlib import Path

import pytest

from sloproof.alerts import DEFAULT_POLICY, REAL, burn_alert
from sloproof.alerts.burn_alerts import Links
from sloproof.errors import UsageError
from sloproof.runbooks import runbook_page
from sloproof.slo import SLO, ErrorRatio, Service
from sloproof.workspace.drill_memory import keep_seen, seen_in_drills

SLO_ = SLO(
    service=Service(name="api", owner="team", job="api"),
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='r{code="500"}', total="r"),
)
SEEN = "seen on 2026-11-22: fired after 74 s, promised 52-112 s"


def test_what_one_drill_showed_stays_when_another_is_kept(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    keep_seen(tmp_path, {"A": "first", "B": "old"})
    file = keep_seen(tmp_path, {"B": "new"})
    assert seen_in_drills(file.read_text()) == {"A": "first", "B": "new"}


@pytest.mark.parametrize("text", ["", "[]", '{"A": 1}'])
def test_a_damaged_memory_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"alerts/drills\.json"):
        seen_in_drills(text)


def test_a_page_tells_what_a_drill_showed_in_its_generated_part_and_keeps_the_rest() -> None:
    tier = DEFAULT_POLICY.tiers[0]
    rule = burn_alert(SLO_, tier, REAL, Links())
    page = runbook_page(rule, SLO_, tier, DEFAULT_POLICY, seen=SEEN)
    over = page.partition("<!-- generated:over -->")[2].partition("<!-- /generated:over -->")[0]
    assert SEEN in over
    written = page.replace("## Rollback", "## Rollback\n\nBy hand.")
    later = runbook_page(
        rule, SLO_, tier, DEFAULT_POLICY, existing=written, seen="seen on 2026-12-01: fired after 60 s"
    )
    assert "By hand." in later
    assert "2026-12-01" in later
    assert SEEN not in later
