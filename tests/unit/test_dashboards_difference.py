"""What a push says that it changes."""

from typing import Any

from sloproof.dashboards.difference import difference, panels_told

PAGE: dict[str, Any] = {
    "title": "Shop",
    "panels": [{"id": 1, "title": "Events", "unit": "eps"}, {"id": 2, "title": "Latency", "unit": "s"}],
}


def test_what_grafana_counts_itself_is_no_difference() -> None:
    assert difference(PAGE | {"id": 7, "version": 3}, PAGE | {"version": 1}) == []


def test_the_whole_comes_first_then_each_panel_under_its_name() -> None:
    stored = {
        "title": "Old",
        "panels": [{"id": 1, "title": "Events", "unit": "short"}, {"id": 3, "title": "Retries", "unit": "s"}],
    }
    assert difference(stored, PAGE) == [
        '-  "title": "Old"',
        '+  "title": "Shop"',
        "panel `Events`",
        '-  "unit": "short"',
        '+  "unit": "eps"',
        "+ panel `Latency`",
        "- panel `Retries`",
    ]
    assert panels_told(stored, PAGE) == "1 panel changed, 1 panel new, 1 panel gone"


def test_a_new_title_alone_leaves_the_panels() -> None:
    assert panels_told(PAGE | {"title": "Old"}, PAGE) == "nothing in its panels"
