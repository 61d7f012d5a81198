"""Values of a preview read as Grafana shows them: units, thresholds, mappings, colours, variables and times."""

import math
from typing import Any

import pytest

from sloproof.errors import UsageError
from sloproof.report.preview import units
from sloproof.report.preview.colours import INK, NOTHING, colour_class, colour_rules, colours_in
from sloproof.report.preview.frames import reduced
from sloproof.report.preview.reading import field_of, read_text
from sloproof.report.preview.time_range import TimeRange, own_range, rate_interval, step_of, time_range
from sloproof.report.preview.variables import Variable, chosen, filled
from tests.unit.preview_samples import GREY_UNKNOWN, NOW, STEPS, Answers


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.9995, "percentunit", 1, "100.0%"),  # what Grafana would say too: the dashboard chose its decimals
        (0.99951, "percentunit", None, "99.951%"),
        (-36.3, "percentunit", 1, "-3630.0%"),
        (14.4, "suffix:x", None, "14.4x"),
        (14.4, "prefix:about ", 0, "about 14"),
        (0.0123, "s", None, "12.3 ms"),
        (12.5, "s", 1, "12.5 s"),
        (7200, "s", None, "2 hours"),
        (2_592_000, "s", 1, "4.3 weeks"),
        (1500, "ms", None, "1.5 s"),
        (999.99, "short", None, "1 K"),
        (1_234_567, "short", None, "1.23 Mil"),
        (12.345, "none", None, "12.3"),
        (1_234_567, "none", None, "1234567"),
        (40.1, "reqps", None, "40.1 req/s"),
        (4_000, "reqps", None, "4 Kreq/s"),
        (3, "eps", None, "3 evt/s"),
        (1536, "bytes", None, "1.5 KiB"),
        (1536, "decbytes", 2, "1.54 kB"),
        (90, "percent", None, "90%"),
        (2.5, "currencyUSD", 2, "$2.50"),
        (90_061, "dtdurations", None, "1 d 01:01:01"),
        (1, "bool_yes_no", None, "Yes"),
        (-0.0001, "none", 1, "0.0"),
        (3, "furlongs", None, "3 furlongs"),
        (math.inf, "s", 1, "∞"),
        (math.nan, "s", 1, "NaN"),
        (1_795_356_000_000, "dateTimeAsIso", None, "2026-11-22 14:00:00"),
    ],
)
def test_a_value_reads_as_its_unit_says(value: float, unit: str, decimals: int | None, text: str) -> None:
    assert units.shown(value, unit, decimals) == text


def defaults(**more: Any) -> dict[str, Any]:
    return {"unit": "percentunit", "mappings": [GREY_UNKNOWN], "thresholds": {"steps": STEPS}, **more}


@pytest.mark.parametrize(
    ("value", "colour"), [(-3.0, "red"), (0.4999, "red"), (0.5, "orange"), (0.95, "green"), (7, "green")]
)
def test_a_threshold_counts_from_its_own_value_on(value: float, colour: str) -> None:
    assert field_of(defaults(), []).read(value).colour == colour


def test_thresholds_in_per_cent_count_from_least_to_most() -> None:
    steps = [{"color": "green"}, {"color": "red", "value": 80}]
    field = field_of({"min": 100, "max": 200, "thresholds": {"mode": "percentage", "steps": steps}}, [])
    assert [field.read(value).colour for value in (179.0, 180.0)] == ["green", "red"]


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_was_not_measured_never_takes_the_colour_of_a_threshold(missing: float | None) -> None:
    said = field_of(defaults(), []).read(missing)
    assert (said.text, said.colour, said.known) == ("no data", "#8e8e8e", False)
    bare = field_of({"thresholds": {"steps": STEPS}}, []).read(missing)
    assert (bare.text, bare.colour, bare.known) == ("no data", "", False)


def test_value_mappings_replace_text_and_colour() -> None:
    mappings = [
        {"type": "value", "options": {"-1": {"text": "too few events", "color": "blue"}, "2": {"text": "firing"}}},
        {"type": "range", "options": {"from": 10, "to": None, "result": {"text": "many"}}},
    ]
    field = field_of(defaults(mappings=mappings), [])
    assert (field.read(-1.0).text, field.read(-1.0).colour, field.read(-1.0).known) == ("too few events", "blue", True)
    assert (field.read(2.0).text, field.read(2.0).colour) == ("firing", "green")
    assert field.read(11.0).text == "many"
    assert field.read(0.5).text == "50%"


def test_texts_are_mapped_too_and_a_broken_pattern_maps_nothing() -> None:
    mappings = [
        {"type": "regex", "options": {"pattern": "((", "result": {"text": "broken"}}},
        {"type": "regex", "options": {"pattern": "/^a\\d$/", "result": {"text": "instance", "color": "green"}}},
    ]
    assert read_text("a1", field_of(defaults(mappings=mappings), [])).text == "instance"
    assert read_text("b1", field_of(defaults(mappings=mappings), [])).text == "b1"


def test_overrides_count_for_the_column_they_name() -> None:
    overrides = [
        {"matcher": {"id": "byName", "options": "burn"}, "properties": [{"id": "unit", "value": "suffix:x"}]},
        {"matcher": {"id": "byRegexp", "options": "/^ev/"}, "properties": [{"id": "custom.hidden", "value": True}]},
    ]
    assert field_of(defaults(), overrides, "burn").written(2) == "2x"
    assert field_of(defaults(), overrides, "left").written(2) == "200%"
    assert field_of(defaults(), overrides, "events").custom == {"hidden": True}


@pytest.mark.parametrize(
    ("colour", "style"),
    [
        ("red", "k-f2495c"),
        ("semi-dark-red", "k-e02f44"),
        ("#ABC", "k-aabbcc"),
        ("#12345678", "k-123456"),
        ("rgba(1, 2, 300, 0.5)", "k-0102ff"),
        ("transparent", NOTHING),
        ("text", INK),
        ("red; } body { display: none", INK),
        ("url(http://x.test/)", INK),
    ],
)
def test_a_colour_is_a_class_and_nothing_else(colour: str, style: str) -> None:
    assert colour_class(colour) == style


def contrast(one: str, other: str) -> float:
    def luminance(code: str) -> float:
        parts = [int(code[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_text_in_any_colour_can_be_read_on_light_and_on_dark() -> None:
    rules = colour_rules(colours_in(["red", "yellow", "super-light-green", "#000", "#ffffff", "#8e8e8e", "dark-blue"]))
    lines = rules.splitlines()
    for plain, dark in zip(lines[::2], lines[1::2], strict=True):
        fill, on, light = (plain.partition(f"--{name}: #")[2][:6] for name in ("fill", "on", "tone"))
        assert contrast(light, "f4f6f8") >= 4.5, plain
        assert contrast(dark.partition("--tone: #")[2][:6], "1b222b") >= 4.5, dark
        assert contrast(on, fill) >= 4.5, plain


@pytest.mark.parametrize(
    ("how", "value"),
    [("lastNotNull", 4.0), ("last", None), ("first", 1.0), ("max", 4.0), ("mean", 7 / 3), ("sum", 7.0), ("count", 3.0),
     ("range", 3.0), ("unheard of", 4.0)],
)  # fmt: skip
def test_a_series_is_reduced_as_its_panel_says(how: str, value: float | None) -> None:
    assert reduced([(1, 1.0), (2, 2.0), (3, 4.0), (4, None)], how) == value
    assert reduced([(1, None)], how) == (0.0 if how == "count" else None)


def test_variables_are_filled_in_and_unknown_ones_stay() -> None:
    variables = {
        "one": Variable("one", "one", ('a"b',)),
        "many": Variable("many", "many", ("a.1", 'b"'), several=True),
    }
    own = {"__rate_interval": "1m"}
    query = 'rate(x{a="$one",b=~"$many",c="${many:csv}",d="[[one]]"}[$__rate_interval]) $unknown'
    expected = r'rate(x{a="a\"b",b=~"(a\\.1|b\")",c="a.1,b"",d="a\"b"}[1m]) $unknown'
    assert filled(query, variables, own) == expected
    assert filled("of $many", variables, own, "text") == 'of a.1 + b"'


def test_what_a_label_holds_is_no_variable() -> None:
    variables = {"one": Variable("one", "one", ("${two}",)), "two": Variable("two", "two", ("inner",))}
    assert filled("$one", variables, {}) == "${two}"


def test_variables_get_the_value_that_grafana_would_choose() -> None:
    given: list[dict[str, Any]] = [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "current": {}},
        {"name": "kept", "type": "custom", "query": "x,y", "current": {"value": "y"}},
        {"name": "first", "type": "custom", "query": "x : 1, y : 2", "current": {}},
        {"name": "fixed", "type": "constant", "query": "k"},
        {"name": "window", "type": "interval", "query": "5m,1h", "current": {"value": "$__auto_interval"}},
        {"name": "instance", "type": "query", "query": {"query": "label_values(up{job=\"$fixed\"}, instance)"}},
        {"name": "all", "type": "query", "query": "label_values(up, instance)", "includeAll": True, "regex": "/(.)1/"},
        {"name": "none", "type": "query", "query": "label_values(nothing, instance)"},
        {"name": "odd", "type": "query", "query": "unheard_of()"},
    ]  # fmt: skip
    answers = Answers()
    found = chosen(given, {"kept": ["z"]}, answers, TimeRange(NOW - 60, NOW), "the server")
    values = {name: one.values for name, one in found.items()}
    assert values == {
        "datasource": ("the server",), "kept": ("z",), "first": ("1",), "fixed": ("k",), "window": ("5m",),
        "instance": ("a1",), "all": ("a",), "none": ("",), "odd": ("",),
    }  # fmt: skip
    assert answers.asked[0].expression == 'group by (instance) (up{job="k"})'
    assert "has no value in Prometheus" in found["none"].told
    assert "is no question" in found["odd"].told


@pytest.mark.parametrize(
    ("given_from", "given_to", "start", "end"),
    [
        ("now-6h", "now", NOW - 21600, NOW),
        ("now/d", "now/d", NOW - 50400, NOW + 36000),
        ("now-1d/d", "now", NOW - 136800, NOW),
        ("2026-11-22T13:00:00Z", "2026-11-22 14:00", NOW - 3600, NOW),
        ("1795352400000", "now", NOW - 3600, NOW),
    ],
)
def test_a_range_is_read_as_grafana_reads_it(given_from: str, given_to: str, start: float, end: float) -> None:
    assert time_range(given_from, given_to, NOW) == TimeRange(start, end)


@pytest.mark.parametrize(("given_from", "given_to"), [("yesterday", "now"), ("now", "now-1h"), ("", "now")])
def test_what_is_no_range_is_refused_with_a_hint(given_from: str, given_to: str) -> None:
    with pytest.raises(UsageError) as refused:
        time_range(given_from, given_to, NOW)
    assert refused.value.hint


def test_a_panel_may_look_further_back_than_its_dashboard() -> None:
    shown = TimeRange(NOW - 60, NOW)
    assert own_range(shown, "30d", "") == TimeRange(NOW - 30 * 86400, NOW)
    assert own_range(shown, "", "1d") == TimeRange(NOW - 60 - 86400, NOW - 86400)
    assert own_range(shown, "rubbish", "") == shown


def test_steps_are_round_never_finer_than_scrapes_and_never_too_many() -> None:
    assert step_of(TimeRange(0, 21600), 720, 15) == 30
    assert step_of(TimeRange(0, 60), 720, 15) == 15
    assert 30 * 365 * 86400 / step_of(TimeRange(0, 30 * 365 * 86400), 10**9, 1) <= 11_000
    assert rate_interval(15, 15) == 60
    assert rate_interval(300, 15) == 315
