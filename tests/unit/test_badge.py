"""Badges: told by symbol and words as well as colour, and foreign text stays text."""

import re
from xml.etree import ElementTree

import pytest

from sloproof.report.badge import State, render_badge
from tests.unit.gate_samples import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("state", "symbol"), [("good", "✓"), ("bad", "✗"), ("open", "?"), ("unknown", "–")])
def test_a_badge_tells_its_state_by_a_symbol_and_in_words(state: State, symbol: str) -> None:
    root = ElementTree.fromstring(render_badge("gate release", "a word", state))
    assert root.get("role") == "img" and root.get("aria-label") == "gate release: a word"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["gate release", f"{symbol} a word"]


def test_each_state_has_a_colour_of_its_own() -> None:
    states: tuple[State, ...] = ("good", "bad", "open", "unknown")
    assert len({re.findall(r'<path [^>]*fill="([^"]+)"', render_badge("a", "b", state))[0] for state in states}) == 4


def test_hostile_text_stays_text_and_is_cut() -> None:
    root = ElementTree.fromstring(render_badge(HOSTILE, HOSTILE, "bad"))
    assert {one.tag for one in root.iter()} == {f"{SVG}{name}" for name in ("svg", "title", "rect", "path", "text")}
    assert not [name for one in root.iter() for name in one.attrib if name.startswith("on") or "href" in name]
    assert "<script>document.title=" in str(root.get("aria-label"))
    assert float(str(root.get("width"))) < 900


def test_a_longer_text_has_a_wider_badge() -> None:
    short, long = (ElementTree.fromstring(render_badge("a", word, "good")) for word in ("PASS", "PASS" * 5))
    assert float(str(short.get("width"))) < float(str(long.get("width")))
