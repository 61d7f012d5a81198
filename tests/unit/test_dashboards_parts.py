"""The pieces that dashboards are made of: own panels, queries by label, ids and the finishing pass."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from sloproof.dashboards import CustomPanels, Panel, service_dashboard
from sloproof.dashboards.finish import finished, panel_ids
from sloproof.dashboards.queries import bad_by
from sloproof.dashboards.tiles import whole_unit
from sloproof.slo import ErrorRatio, LatencyBelow, Service


def panel(**others: object) -> Panel:
    fields = {
        "title": "Load",
        "description": "How busy",
        "expression": "rate(x_total[$__rate_interval])",
        "unit": "ops",
    }
    return Panel(**{**fields, **others})


@pytest.mark.parametrize("expression", ["rate(x_total[5m", "x +", "rate(x_total)", "rate(x_total[$__somewhere])"])
def test_a_panel_that_prometheus_could_not_read_is_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="is not PromQL"):
        panel(expression=expression)


@pytest.mark.parametrize("field", ["title", "description", "unit"])
def test_a_panel_says_what_it_shows(field: str) -> None:
    with pytest.raises(ValidationError):
        panel(**{field: "  "})


def test_own_panels_belong_to_a_service_and_are_not_empty() -> None:
    service = Service(name="shop", owner="us", job="shop")
    assert CustomPanels(service=service, panels=(panel(),)).panels[0].width == 12
    with pytest.raises(ValidationError):
        CustomPanels(service=service, panels=())
    with pytest.raises(ValidationError, match="two panels bear the title `Load`"):
        CustomPanels(service=service, panels=(panel(), panel(unit="s")))


def test_own_panels_of_one_title_from_two_places_have_ids_of_their_own() -> None:
    service = Service(name="shop", owner="us", job="shop")
    dashboard = service_dashboard(service, [], {}, extra=[panel(), panel()])
    numbers = [shown["id"] for shown in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_errors_by_label_keep_the_zero_of_those_without_errors() -> None:
    sli = ErrorRatio(errors='hits_total{job="a",code=~"5.."}', total='hits_total{job="a"}')
    assert str(bad_by(["instance"], sli.counters())) == (
        'sum by (instance) (rate(hits_total{job="a",code=~"5.."}[$__rate_interval]))'
        ' or (sum by (instance) (rate(hits_total{job="a"}[$__rate_interval])) * 0)'
    )


def test_slow_answers_by_label_are_subtracted_label_by_label() -> None:
    text = str(bad_by(["instance"], LatencyBelow("1s", histogram='time_seconds{job="a"}').counters()))
    assert text.count("sum by (instance)") == 2
    assert "time_seconds_count" in text and "time_seconds_bucket" in text
    assert text.startswith("clamp_min(")


def test_ids_of_keys_that_clash_differ_and_are_stable() -> None:
    # Two strings with the same CRC-32.
    one, other = "plumless", "buckeroo"
    assert panel_ids([one])[one] == panel_ids([other])[other]
    both = panel_ids([one, other])
    assert both[one] != both[other]
    assert panel_ids([one, other]) == both


def test_a_panel_type_that_grafana_dropped_is_refused() -> None:
    dead = {"panels": [{"type": "graph", "title": "old"}], "templating": {"list": []}}
    with pytest.raises(ValueError, match="`graph` is no panel type"):
        finished(dead)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=30), "30d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=2592), "2592s"),
        (timedelta(milliseconds=10), "1s"),
    ],
)
def test_relative_times_have_one_unit(duration: timedelta, text: str) -> None:
    assert whole_unit(duration) == text
