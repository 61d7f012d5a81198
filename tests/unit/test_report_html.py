"""The page: self-contained, strict, accessible in its structure, small, and deaf to hostile text."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib import resources

import pytest

from sloproof.report.html import render_html
from sloproof.report.model import RunReport
from tests.unit.report_samples import crowded, empty, hostile, realistic, ten_minutes

_MEGABYTE = 1_000_000
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class _Page(HTMLParser):
    """Tags, attributes and texts of a page, in order; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("make", [realistic, empty, hostile, crowded, ten_minutes])
def test_the_page_is_well_formed_and_loads_nothing(make: Callable[[], RunReport]) -> None:
    page = _Page(render_html(make()))
    assert not page.problems
    assert not page.open
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "base", "form", "use"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "xlink:href")]
        assert attributes.get("href", "#").startswith("#")
        assert attributes.get("fill", "url(#").startswith("url(#")


def test_equal_reports_give_equal_pages() -> None:
    assert render_html(realistic()) == render_html(realistic())


def test_the_policy_allows_only_our_own_style_and_script() -> None:
    text = render_html(realistic())
    page = _Page(text)
    policy = next(meta["content"] for meta in page.named("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(inside[-1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{hashed}'" in policy


def test_hostile_text_adds_no_element_and_no_attribute() -> None:
    def shape(page: _Page) -> list[tuple[str, list[str]]]:
        return [
            (tag, sorted(attributes)) for tag, attributes in page.tags if tag not in ("rect", "line", "path", "text")
        ]

    plain, poisoned = _Page(render_html(realistic())), _Page(render_html(hostile()))
    count = len(plain.named("div"))
    assert len(poisoned.named("div")) <= count
    uncounted = ("div", "dt", "dd", "code")
    assert [tag for tag, _ in shape(poisoned) if tag not in uncounted] == [
        tag for tag, _ in shape(plain) if tag not in uncounted
    ]
    assert not any(poisoned.named("code"))
    assert len(poisoned.named("script")) == 2
    assert {name for _, attributes in poisoned.tags for name in attributes} == {
        name for _, attributes in plain.tags for name in attributes
    }


def test_hostile_text_is_shown_as_text() -> None:
    text = render_html(hostile())
    assert "<script>document" not in text
    assert "{{ 7*7 }}" in text
    assert "\u2028" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert text.count("</style>") == 1


def test_literals_in_backticks_are_code_and_escaped() -> None:
    report = realistic().model_copy(update={"headline": "see `<b>&x` and `a1`, not a lone ` mark"})
    text = render_html(report)
    assert "see <code>&lt;b&gt;&amp;x</code> and <code>a1</code>, not a lone ` mark" in text
    assert "<title>" in text
    assert "<code>" not in text[: text.index("</title>")]


def test_alerts_without_room_are_named_in_a_sentence() -> None:
    named = "Not drawn, for want of room: QuietFastBurn, QuietMediumBurn, QuietSlowBurn, QuietTrickleBurn."
    assert named in render_html(crowded())
    assert "Not drawn" not in render_html(realistic())


def test_a_verdict_that_nobody_asked_for_is_muted() -> None:
    page = _Page(render_html(realistic()))
    kinds = [attributes["class"] for attributes in page.named("span") if "verdict" in attributes.get("class", "")]
    assert kinds.count("verdict verdict-muted") == 1
    assert "verdict verdict-fail" not in kinds
    assert any("not expected to hold here" in data for _, data in page.texts)


def test_the_verdict_comes_first() -> None:
    page = _Page(render_html(realistic("FAIL")))
    shown = [data.strip() for tag, data in page.texts if tag not in ("style", "script", "title") and data.strip()]
    assert shown.index("FAIL") < shown.index("Demo: the tasks system under load and faults")
    assert (
        next(data for tag, data in page.texts if tag == "title") == "FAIL: Demo: the tasks system under load and faults"
    )


def test_ten_minutes_of_nineteen_lines_stay_under_a_megabyte() -> None:
    size = len(render_html(ten_minutes()).encode())
    assert 100_000 < size < _MEGABYTE


def test_a_run_without_anything_says_so_in_words() -> None:
    text = render_html(empty())
    for sentence in ("Nothing was expected", "No alert was watched", "Nothing was broken", "no data"):
        assert sentence in text
    assert "What happened" not in text


def test_the_structure_is_accessible() -> None:
    page = _Page(render_html(realistic()))
    assert page.named("html") == [{"lang": "en"}]
    assert len(page.named("main")) == len(page.named("h1")) == 1
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.named("th"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = [svg for svg in page.named("svg") if svg.get("aria-hidden") != "true"]
    assert drawings
    for svg in drawings:
        assert svg["role"] == "img"
        assert {svg["aria-labelledby"], svg["aria-describedby"]} <= set(ids)


def test_the_drawings_are_told_in_words() -> None:
    text = render_html(realistic())
    assert "p95: lowest 39.6 ms at" in text or re.search(r"p95: lowest [\d.]+ ms at \d+ s, highest [\d.]+ ms at", text)
    assert (
        "Alert TasksLatencyFastBurn: pending at 115 s, firing at 117 s, notified at 118 s, resolved at 140 s." in text
    )


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(first: str, second: str) -> float:
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_has_enough_contrast(scheme: int) -> None:
    style = resources.files("sloproof.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})\w*;", block))
    grounds = [colours[name] for name in ("paper", "raised", "phase-0", "phase-1")]
    for text in ("ink", "soft", "link", "limit", "pass", "fail", "open"):
        assert all(_contrast(colours[text], ground) >= 4.5 for ground in grounds), text
    for name in ("pass", "fail", "open"):
        assert _contrast(colours[name], colours[f"{name}-ground"]) >= 4.5, name
    for line in (*(f"s{index}" for index in range(6)), "fault", "mark"):
        assert all(_contrast(colours[line], ground) >= 3 for ground in grounds), line


def test_the_page_shows_the_latency_with_its_bounds_and_the_earlier_run() -> None:
    page = render_html(realistic())
    assert "Compared with run 12 (2026-11-01 10:00 UTC, release 1.4)" in page
    assert "p95 is slower by 2\N{NO-BREAK SPACE}% (1\N{NO-BREAK SPACE}% to 3\N{NO-BREAK SPACE}%)" in page
    assert "only told" in page
    assert '<td role="cell" data-label="At least"><span class="figure">40.3 ms</span></td>' in page
    assert "Compared with" not in render_html(empty())
