"""The page of a preview: what stands where, what is told, and that no dashboard can break it."""

import contextlib
import copy
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloproof.errors import UsageError
from sloproof.grafana import Annotation as Mark
from sloproof.report.preview.page import states_in_words
from tests.unit.preview_samples import HOSTILE, NOW, Answers, at, dashboard, drawn, every_kind, panel, target


def area(page: str, block: int) -> str:
    match = re.search(rf"#b{block} {{ grid-area: ([^;]+); }}", page)
    assert match, block
    return match[1]


def texts(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def section(page: str, title: str) -> str:
    found = [
        part for part in re.findall(r"<section class=\"panel.*?</section>", page, re.DOTALL) if f">{title}</h3>" in part
    ]
    assert len(found) == 1, title
    return str(found[0])


def test_panels_stand_where_the_dashboard_puts_them() -> None:
    page = drawn(
        dashboard(
            panel("stat", "right", gridPos=at(18, 0, 6, 4)),
            panel("stat", "left", gridPos=at(0, 0, 6, 4)),
            panel("text", "below", gridPos=at(0, 4, 24, 3)),
        )
    ).page
    assert [area(page, block) for block in range(3)] == [
        "1 / 1 / span 4 / span 6",
        "1 / 19 / span 4 / span 6",
        "5 / 1 / span 3 / span 24",
    ]
    assert page.index(">left<") < page.index(">right<") < page.index(">below<")


def test_a_folded_row_is_opened_and_pushes_down_what_is_below() -> None:
    inside = [panel("text", "inside", gridPos=at(0, 1, 24, 6))]
    folded = {"type": "row", "title": "folded", "gridPos": at(0, 0, 24, 1), "collapsed": True, "panels": inside}
    page = drawn(dashboard(folded, panel("text", "after", gridPos=at(0, 1, 24, 3)))).page
    assert [area(page, block).partition(" ")[0] for block in range(3)] == ["1", "2", "8"]


def test_rows_that_nothing_covers_take_no_room() -> None:
    page = drawn(dashboard(panel("text", "deep", gridPos=at(0, 90_000, 24, 3)))).page
    assert area(page, 0) == "1 / 1 / span 3 / span 24"


def test_a_place_outside_the_grid_is_brought_back() -> None:
    page = drawn(dashboard(panel("text", "wide", gridPos=at(20, -5, 99, 10**9)))).page
    assert area(page, 0) == "1 / 21 / span 200 / span 4"


def test_each_state_of_a_panel_is_told_apart() -> None:
    result = drawn(every_kind())
    assert result.counts == {"shown": 8, "empty": 2, "partial": 1, "failed": 1, "foreign": 1}
    assert not result.complete
    assert [words.partition(":")[0] for words in result.problems] == ["Refused", "Half"]
    assert "Prometheus warns: one store is away" in section(result.page, "Half")
    assert "too many samples" in section(result.page, "Refused")
    assert "panel-empty" in section(result.page, "Never measured") and "filled" not in section(
        result.page, "Never measured"
    )
    assert "panel-empty" in section(result.page, "Not a number") and "filled" not in section(
        result.page, "Not a number"
    )
    assert "filled k-ff9830" in section(result.page, "Loud")
    assert "panels are not drawn here; 2 series came from its 1 query" in texts(section(result.page, "Heat"))


def test_a_dashboard_without_any_data_is_not_complete() -> None:
    result = drawn(
        dashboard(panel("stat", "a", target("nothing")), panel("table", "b", target("nothing", instant=True)))
    )
    assert result.counts["empty"] == 2
    assert not result.complete


def test_words_are_neither_measured_nor_missing() -> None:
    result = drawn(dashboard(panel("text", "words"), panel("stat", "a", target("refused"))))
    assert result.counts["shown"] == 0
    assert states_in_words(drawn(dashboard(panel("text", "words"))).counts) == "none that asks anything"


KEPT_BY_GRAFANA = {
    "name": "Chaos runs",
    "enable": True,
    "iconColor": "purple",
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "target": {"type": "tags", "tags": ["sloproof", "chaos", "shop"], "matchAny": False},
}


def test_runs_that_the_history_knows_are_marked_where_grafana_would_mark_them() -> None:
    source = dashboard(panel("timeseries", "graph", target("wave")), annotations={"list": [KEPT_BY_GRAFANA]})
    own = Mark(NOW - 600, NOW - 300, ("sloproof", "chaos", "shop", "lose-one"), "kill <b>a1</b>")
    others = replace(own, tags=("sloproof", "chaos", "bank", "lose-one"), text="another system's")
    before = replace(own, start=NOW - 90_000, end=NOW - 89_000, text="long ago")
    page = drawn(source, kept=(own, others, before)).page
    assert "kill &lt;b&gt;a1&lt;/b&gt;" in page
    assert "another system" not in page and "long ago" not in page
    assert "Chaos runs</dt><dd>1 mark<" in page and "are not drawn here" not in page
    assert "are not drawn here: Chaos runs" in drawn(source).page


def test_words_alone_are_complete() -> None:
    assert drawn(dashboard(panel("text", "words"))).complete


def test_panels_ask_for_their_own_range_and_step() -> None:
    answers = Answers()
    wide = panel("timeseries", "wide", target("wave[$__rate_interval]"), gridPos=at(0, 0, 24, 8))
    narrow = panel(
        "timeseries", "narrow", target("wave[$__interval]"), gridPos=at(0, 8, 6, 8), interval="1m", timeFrom="6h"
    )
    now = panel("stat", "now", target("good", instant=True), gridPos=at(0, 16, 6, 4))
    drawn(dashboard(wide, narrow, now), answers)
    asked = [(one.expression, one.instant, round(one.end - one.start), one.step) for one in answers.asked]
    assert asked == [("wave[1m]", False, 3600, 15), ("wave[1m]", False, 21600, 60), ("good", True, 3600, 15)]


def test_the_same_question_is_drawn_with_each_legend() -> None:
    one = panel("timeseries", "one", target("wave", legendFormat="p95 {{instance}} {{missing}}"))
    assert "p95 a1" in texts(section(drawn(dashboard(one)).page, "one"))


def test_a_table_joins_its_queries_and_renames_and_colours() -> None:
    page = drawn(every_kind()).page
    rows = section(page, "Rows")
    assert texts(rows.partition("<table")[2]).startswith('class="cells"> alertname where good events FastBurn a1 98%')
    assert "Time" not in rows


def test_thresholds_annotations_and_gaps_are_in_the_graph() -> None:
    graph = section(drawn(every_kind()).page, "Latency")
    assert graph.count('class="threshold stroked k-f2495c"') == 3  # wide, middle and narrow
    assert graph.count('class="marked k-f2495c"') == 3 * 3
    assert "900 ms" in graph


def test_stacked_lines_stand_on_each_other() -> None:
    custom = {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 60}
    config = {"defaults": {"unit": "none", "custom": custom, "color": {"mode": "palette-classic"}}, "overrides": []}
    stacked = section(drawn(dashboard(panel("timeseries", "s", target("share"), fieldConfig=config))).page, "s")
    heights = re.findall(r'd="M[\d.]+ ([\d.]+)L[^"]*" class="line s', stacked)
    assert len(heights) == 4  # two lines, wide and narrow
    assert float(heights[1]) > float(heights[0])  # the last is drawn first, and stands higher


def test_equal_answers_give_equal_pages_without_network_or_script() -> None:
    page = drawn(every_kind()).page
    assert page == drawn(every_kind()).page
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)
    assert not re.search(r"<script|<img|<link|<iframe| src=| style=|@import|url\((?!#)| on\w+=", page)


def test_hostile_labels_and_dashboards_stay_text() -> None:
    document = every_kind()
    for one in document["panels"]:
        one["title"] = HOSTILE + one["title"]
        one["description"] = HOSTILE
        one["links"] = [{"title": HOSTILE, "url": "javascript:alert(1)"}, {"title": "x", "url": HOSTILE}]
    document |= {
        "title": HOSTILE,
        "description": HOSTILE,
        "tags": [HOSTILE],
        "links": [{"title": HOSTILE, "url": HOSTILE}],
    }
    document["panels"][0]["options"]["content"] = HOSTILE
    page = drawn(document, Answers(HOSTILE)).page
    assert not re.search(r"<script|<img|<iframe|<svg onload", page)
    assert page.count("</style>") == 1
    assert re.findall(r'href="(?!#|https://example\.org")[^"]*"', page) == []
    assert "\u202e" not in page and "\u2028" not in page


@pytest.mark.parametrize("source", ["", "{", "[]", "null", '{"panels": 3}', "[" * 100_000])
def test_what_is_no_dashboard_is_refused_with_a_hint(source: str) -> None:
    from sloproof.report.preview.page import Request, preview

    with pytest.raises(UsageError) as refused:
        preview(Request(source, "x.json", "http://127.0.0.1:9090", 0.0, 15.0), Answers())
    assert refused.value.hint


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document that can hold something else."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*path, key)
        yield from places(one, (*path, key))


PLACES = list(places(every_kind()))
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**25) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["text", "red", "#fff", "now", "$instance", "{{", "/(/", "stat", "row", "__proto__"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=4))
def test_no_dashboard_breaks_the_page(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = copy.deepcopy(every_kind())
    for path, odd in changes:
        holder: Any = document
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = odd
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    with contextlib.suppress(UsageError):  # the list of panels itself may be gone, or a time be none
        assert drawn(document).page.endswith("</html>\n")
