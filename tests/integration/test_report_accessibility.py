"""Every kind of page before axe-core in a real Chromium: light and dark, wide and narrow, nothing serious is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sloproof.report import gate_html, heat_map_html
from sloproof.report.html import render_html
from sloproof.verdict.heat_map import PastDecision, heat_map
from sloproof.verdict.judge import Verdict
from tests.integration.axe import framed, serious
from tests.integration.browser import CHROMIUM, dumped, found_in
from tests.unit import gate_samples, preview_samples, report_samples

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)"),
]
_FEWEST_RULES = 10
"""A page that was not looked at passes none of axe's rules; each of ours passes more than these."""
_SCHEMES = {"dark": "--blink-settings=preferredColorScheme=0", "light": "--blink-settings=preferredColorScheme=1"}
DECISIONS = [
    PastDecision("go", "tasks", f"1.{n}", n, n, verdict, "a sentence.", (("load", verdict), ("`x` <y>", Verdict.FAIL)))
    for n, verdict in enumerate([*Verdict, Verdict.PASS] * 6)
    if n % 5
]
PAGES: dict[str, Callable[[], str]] = {
    "run": lambda: render_html(report_samples.realistic()),
    "crowded run": lambda: render_html(report_samples.crowded()),
    "empty run": lambda: render_html(report_samples.empty()),
    "hostile run": lambda: render_html(report_samples.hostile()),
    "gate": lambda: gate_html.render_html(gate_samples.told(gate_samples.mixed())),
    "heat map": lambda: heat_map_html.render_html(heat_map(DECISIONS, 20)),
    "empty heat map": lambda: heat_map_html.render_html(heat_map([], 20)),
    "hostile gate": lambda: gate_html.render_html(gate_samples.hostile_report()),
    "preview": lambda: preview_samples.drawn(preview_samples.every_kind()).page,
    "hostile preview": lambda: (
        preview_samples.drawn(preview_samples.every_kind(), preview_samples.Answers(preview_samples.HOSTILE)).page
    ),
}


def seen(page: str, folder: Path, *, scheme: str = "light", width: int = 1100) -> dict[str, Any]:
    text, log = dumped(framed(page, width), folder, _SCHEMES[scheme], budget=20_000)
    told = found_in(text)
    assert told, log
    found: dict[str, Any] = json.loads(told)
    assert found["dark"] is (scheme == "dark")
    assert found["passes"] > _FEWEST_RULES
    return found


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
@pytest.mark.parametrize("kind", PAGES)
def test_axe_finds_nothing_serious(kind: str, width: int, scheme: str, tmp_path: Path) -> None:
    assert serious(seen(PAGES[kind](), tmp_path, scheme=scheme, width=width)["violations"]) == []


def test_axe_would_find_pale_text_and_a_table_without_heads(tmp_path: Path) -> None:
    page = PAGES["gate"]().replace("</main>", '<p style="color: #ddd; background: #fff">pale</p><img src=""></main>')
    found = {one["id"] for one in serious(seen(page, tmp_path)["violations"])}
    assert found >= {"color-contrast", "image-alt"}
