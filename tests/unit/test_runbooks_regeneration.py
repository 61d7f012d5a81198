"""What people wrote on a runbook survives every regeneration, and damage is refused rather than guessed at."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.alerts import DEFAULT_POLICY, REAL, Links, burn_alert
from sloproof.errors import SloproofError
from sloproof.runbooks import DamagedPage, runbook_page
from sloproof.runbooks.blocks import blocks_of, replaced
from sloproof.slo import SLO, ErrorRatio, Service

GOLDEN = Path(__file__).parents[1] / "golden" / "runbooks" / "ShopAvailabilityFastBurn.md"
BLOCKS = ["summary", "meaning", "impact", "diagnosis", "over", "seen", "untried"]


def shop(objective: str = "99.9") -> SLO:
    service = Service(name="shop", owner="checkout team", job="shop", description="people pay with it")
    sli = ErrorRatio(errors='http_requests_total{job="shop",code=~"5.."}', total='http_requests_total{job="shop"}')
    return SLO(service=service, name="availability", objective=objective, sli=sli)


def page(existing: str | None = None, objective: str = "99.9") -> str:
    slo, tier = shop(objective), DEFAULT_POLICY.tiers[0]
    return runbook_page(burn_alert(slo, tier, REAL, Links()), slo, tier, DEFAULT_POLICY, existing=existing)


def outside(text: str) -> str:
    """What is left of a page without what stands between its markers."""
    return replaced(text, dict.fromkeys(blocks_of(text), ""))


def test_a_whole_page_byte_for_byte() -> None:
    """`REGENERATE_GOLDEN=1 pytest tests/unit` writes it anew."""
    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(page(), encoding="utf-8")
    assert page() == GOLDEN.read_text(encoding="utf-8"), "run with REGENERATE_GOLDEN=1 and read the diff"


def test_regeneration_changes_nothing_when_nothing_changed() -> None:
    assert page(page()) == page()
    assert page("  \n") == page(), "an empty file is a new page"


def test_a_changed_objective_changes_the_blocks_and_nothing_else() -> None:
    written = page().replace("## Escalation\n", "## Escalation\n\nCall Ada.\t\n\n\nThen Grace.   \n")
    changed = page(written, objective="99.99")
    assert "99.99 % of requests are promised" in changed
    assert "99.9 % of events" not in changed
    assert outside(changed) == outside(written)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="<")),
    st.text(st.characters(codec="utf-8", exclude_characters="<")),
)
def test_any_words_around_the_blocks_survive(before: str, after: str) -> None:
    fresh = page()
    written = f"{before}\n{fresh}{after}"
    changed = page(written, objective="99.99")
    assert changed.startswith(f"{before}\n# ShopAvailabilityFastBurn\n")
    assert changed.endswith(fresh.rsplit("<!-- /generated:over -->", 1)[1] + after)
    assert outside(changed) == outside(written)


def test_blocks_may_be_moved() -> None:
    fresh = page()
    meaning, impact = fresh.index("## Meaning"), fresh.index("## Impact")
    moved = fresh[:meaning] + fresh[impact:] + "\n" + fresh[meaning:impact]
    assert page(moved) == moved


def test_windows_line_ends_stay() -> None:
    written = page().replace("\n", "\r\n")
    changed = page(written, objective="99.99")
    assert "99.99" in changed
    assert changed.count("\n") == changed.count("\r\n")
    assert page(written) == written


def test_a_page_without_a_last_line_end_stays_so() -> None:
    written = page().rstrip("\n")
    assert page(written) == written


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_that_was_removed_comes_back_and_takes_nothing_with_it(name: str) -> None:
    fresh = page()
    block = blocks_of(fresh)[name]
    lines = fresh.split("\n")
    without = "\n".join(lines[: block.first] + lines[block.last + 1 :])
    again = page(without)
    assert sorted(blocks_of(again)) == sorted(BLOCKS)
    assert [line for line in lines if line not in again.split("\n")] == []
    assert page(again) == again


def test_a_page_written_before_sloproof_keeps_every_line() -> None:
    own = "# Payments are failing\n\nTurn it off and on.\n\n## Diagnosis\n\nLook at the log.\n"
    merged = page(own)
    assert sorted(blocks_of(merged)) == sorted(BLOCKS)
    assert [line for line in own.split("\n") if line not in merged.split("\n")] == []
    assert merged.startswith("# Payments are failing\n")
    assert merged.count("## Diagnosis\n") == 1
    assert (
        merged.index("## Diagnosis") < merged.index("<!-- generated:diagnosis -->") < merged.index("Look at the log.")
    )
    assert page(merged) == merged


def test_a_page_without_any_heading_keeps_its_words() -> None:
    merged = page("call Ada")
    assert "call Ada" in merged
    assert page(merged) == merged


DAMAGE = {
    "never closed": ("<!-- /generated:untried -->\n", "", "is never closed"),
    "lost its beginning": ("<!-- generated:impact -->\n", "", "closes nothing that is open"),
    "lost its end": ("<!-- /generated:impact -->\n", "", "begins before `impact`"),
    "doubled": (
        "<!-- generated:over -->",
        "<!-- generated:impact -->\n<!-- /generated:impact -->\n<!-- generated:over -->",
        "is there twice",
    ),
    "closed by another": ("<!-- /generated:meaning -->", "<!-- /generated:impact -->", "closes nothing"),
    "misspelt": ("<!-- generated:impact -->", "<!--generated:impact-->", "almost a marker"),
    "cut short": ("<!-- /generated:impact -->", "<!-- /generated:imp", "almost a marker"),
    "with words on its line": ("<!-- generated:impact -->", "see <!-- generated:impact -->", "almost a marker"),
    "of no known name": (
        "## Rollback",
        "<!-- generated:rollback -->\n<!-- /generated:rollback -->\n## Rollback",
        "none of that name",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_markers_are_refused_with_the_line(old: str, new: str, message: str) -> None:
    fresh = page()
    assert old in fresh
    with pytest.raises(DamagedPage, match=message) as refused:
        page(fresh.replace(old, new))
    assert "line" in refused.value.message
    assert "/" not in refused.value.message.replace("/generated", ""), "the page's caller knows its path, not this room"
    assert isinstance(refused.value, SloproofError)
    assert refused.value.exit_code == 2
    assert refused.value.hint
