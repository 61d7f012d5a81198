"""The page in a real Chromium: nothing foreign runs, our style and hover values do, and 400 px are enough."""

import html
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sloproof.report import gate_html
from sloproof.report.html import render_html
from sloproof.report.model import RunReport
from tests.integration.browser import CHROMIUM, FLAGS, SECONDS, dumped, found_in, refused
from tests.unit import gate_samples
from tests.unit.report_samples import hostile, realistic

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)"),
]
_FRAME = """<!DOCTYPE html><title>frame</title><iframe width="{width}" height="800" srcdoc="{page}"></iframe><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, found = {{}};
  const root = page.documentElement;
  found.title = page.title;
  found.overflow = root.scrollWidth - root.clientWidth;
  found.pass = page.defaultView.getComputedStyle(page.querySelector(".verdict-pass")).color;
  const drawings = [...page.querySelectorAll("figure svg")].filter((svg) => svg.getClientRects().length);
  found.shown = drawings.map((svg) => svg.getAttribute("class"));
  const drawing = page.querySelector("svg.wide[data-chart]"), box = drawing.getBoundingClientRect();
  const over = {{ clientX: box.left + box.width * 0.5, clientY: box.top + 5, bubbles: true }};
  drawing.dispatchEvent(new page.defaultView.PointerEvent("pointermove", over));
  found.readout = page.querySelector(".readout").textContent;
  found.cursors = page.querySelectorAll(".cursor").length;
  found.images = page.querySelectorAll("img, iframe, object").length;
  found.scripts = page.querySelectorAll("script").length;
  const told = document.createElement("pre");
  told.id = "found";
  told.textContent = JSON.stringify(found);
  document.body.append(told);
}});
</script>"""


def _framed(page: str, width: int, folder: Path) -> tuple[dict[str, Any], str]:
    text, log = dumped(_FRAME.format(width=width, page=html.escape(page)), folder)
    return json.loads(found_in(text)), log


def test_our_own_style_and_hover_values_work_under_the_policy(tmp_path: Path) -> None:
    found, log = _framed(render_html(realistic()), 1100, tmp_path)
    assert found["pass"] == "rgb(20, 103, 47)"
    assert set(found["shown"]) == {"wide"}
    assert found["cursors"] == len(realistic().charts)
    assert found["readout"].startswith("8")
    assert "asked 40/s" in found["readout"]
    assert "achieved " in found["readout"]
    assert refused(log) == []


@pytest.mark.parametrize("make", [realistic, hostile])
def test_four_hundred_pixels_are_enough(make: Callable[[], RunReport], tmp_path: Path) -> None:
    found, _ = _framed(render_html(make()), 400, tmp_path)
    assert found["overflow"] == 0
    assert set(found["shown"]) == {"narrow"}


def test_hostile_names_run_nothing_and_load_nothing(tmp_path: Path) -> None:
    found, log = _framed(render_html(hostile()), 1100, tmp_path)
    assert found["title"].startswith("PASS: Demo: the tasks system under load and faults<script>")
    assert found["images"] == 0
    assert found["scripts"] == 2
    assert "<script>document.title='owned'</script>" in found["readout"]
    assert refused(log) == []


def test_the_policy_stops_what_escaping_would_miss(tmp_path: Path) -> None:
    breached = render_html(realistic()).replace(
        "<main>", "<main><script>document.title='owned'</script><svg onload=\"document.title='owned'\"></svg>"
    )
    text, log = dumped(breached, tmp_path)
    assert "<title>PASS: Demo" in text
    assert len(refused(log)) >= 2


def test_it_prints_to_paper(tmp_path: Path) -> None:
    file, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    file.write_text(render_html(realistic()), encoding="utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS.split(),
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--print-to-pdf={paper}",
        file.as_uri(),
    ]
    subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    pages = paper.read_bytes().count(b"/Type /Page\n") + paper.read_bytes().count(b"/Type /Page ")
    assert 1 <= pages <= 6


_GATE_FRAME = """<!DOCTYPE html><title>frame</title>
<iframe width="{width}" height="800" srcdoc="{page}"></iframe><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const stamp = page.querySelector(".verdict-fail");
  const found = {{ title: page.title, overflow: root.scrollWidth - root.clientWidth,
    fail: page.defaultView.getComputedStyle(stamp).color, scripts: page.querySelectorAll("script").length,
    foreign: page.querySelectorAll("img, iframe, object, embed, foreignObject").length, text: page.body.textContent }};
  const told = document.createElement("pre");
  told.id = "found";
  told.textContent = JSON.stringify(found);
  document.body.append(told);
}});
</script>"""


@pytest.mark.parametrize("width", [1100, 400])
@pytest.mark.parametrize(
    "make", [lambda: gate_samples.told(gate_samples.mixed()), gate_samples.hostile_report], ids=["told", "hostile"]
)
def test_the_page_of_a_gate_is_styled_fits_and_runs_nothing(
    make: Callable[[], Any], width: int, tmp_path: Path
) -> None:
    page = gate_html.render_html(make())
    text, log = dumped(_GATE_FRAME.format(width=width, page=html.escape(page)), tmp_path)
    found = json.loads(found_in(text))
    assert found["fail"] == "rgb(161, 21, 32)"
    assert found["overflow"] == 0
    assert (found["scripts"], found["foreign"]) == (0, 0)
    assert found["title"].startswith("FAIL: gate ")
    assert refused(log) == []
