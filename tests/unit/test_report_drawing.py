"""The drawings: one time axis, extremes and gaps kept, labels apart, ticks round."""

import random
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest

from sloproof.report.alert_times import alert_rows, changes, ends
from sloproof.report.axes import TimeAxis, value_axis
from sloproof.report.chart_drawing import chart_drawing
from sloproof.report.drawing import NARROW, WIDE, Layout, apart, mark_lines, marks
from sloproof.report.events_drawing import events_drawing
from sloproof.report.model import AlertBar, Chart, Deploy, FaultBar, Limit, Series, Span
from sloproof.report.phase_figures import phase_figures
from sloproof.report.recorded import Point
from sloproof.report.sampling import gaps, segments, thinned, usual_step
from sloproof.report.svg import element, fitted, text_width
from tests.unit.report_samples import FIRING, KILLED, START, crowded, empty, realistic


def _steady(values: Sequence[float | None]) -> list[Point]:
    return [(float(at), value) for at, value in enumerate(values)]


def test_thinning_keeps_the_extremes_of_every_stretch_and_a_gap() -> None:
    chance = random.Random(1)
    values: list[float | None] = [chance.uniform(10, 20) for _ in range(5000)]
    values[1234], values[4321], values[2500] = 900.0, 0.1, None
    kept = thinned(_steady(values), 100)
    assert len(kept) <= 300
    assert (1234.0, 900.0) in kept
    assert (4321.0, 0.1) in kept
    assert (2500.0, None) in kept
    assert kept == sorted(kept, key=lambda point: point[0])


def test_few_points_are_not_thinned() -> None:
    points = _steady([1.0, None, 3.0])
    assert thinned(points, 400) == points


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    points: list[Point] = [(0.0, 1.0), (1.0, 2.0), (2.0, None), (3.0, 3.0), (4.0, 4.0), (20.0, 5.0)]
    assert [len(run) for run in segments(points, usual_step(points))] == [2, 2, 1]


def test_a_gap_is_where_no_series_has_a_measurement() -> None:
    first = Series(label="a", points=tuple((at, 1.0) for at in range(40)))
    second = Series(label="b", points=tuple((at, None if at < 70 else 2.0) for at in range(100)))
    assert gaps(Chart(title="t", unit="ms", series=(first, second)), 0, 110, 3) == [(40, 69), (100, 110)]


def test_a_chart_without_measurements_says_so_and_names_no_values() -> None:
    report = empty()
    drawn = chart_drawing(report.charts[0], report, WIDE, 1)
    assert "no data</text>" in drawn
    assert " ms</text>" not in drawn
    assert 'class="line s0"' in drawn
    assert '<path d="M' not in drawn.replace('<path d="M0 8L8 0"', "")


def test_a_gap_is_never_drawn_as_zero() -> None:
    report = realistic()
    points = tuple((START + at, None if 50 <= at < 100 else 40.0) for at in range(150))
    chart = Chart(title="Rate", unit="requests/s", series=(Series(label="achieved", points=points),))
    drawn = chart_drawing(chart, report, WIDE, 1)
    path = re.search(r'<path d="([^"]+)" class="line s0">', drawn)
    assert path is not None
    assert path[1].count("M") == 2
    assert len(set(re.findall(r" (\d+\.?\d*)(?=[LM]|$)", path[1]))) == 1
    assert ">no data</text>" in drawn


def test_all_drawings_share_one_time_axis() -> None:
    report = realistic()
    x = WIDE.axis(report).x(START + KILLED)
    drawings = [events_drawing(report, WIDE)]
    drawings += [chart_drawing(chart, report, WIDE, number) for number, chart in enumerate(report.charts, start=1)]
    assert all('class="fault" fill="url(' in drawn for drawn in drawings)
    assert all(f'x="{x:.1f}"' in drawn for drawn in drawings)


def test_marks_of_all_alerts_go_through_every_chart() -> None:
    report = realistic()
    x = f"{WIDE.axis(report).x(START + FIRING):.1f}"
    for number, chart in enumerate(report.charts, start=1):
        assert f'x1="{x}" x2="{x}"' in chart_drawing(chart, report, WIDE, number)


def test_of_marks_that_would_touch_the_firing_keeps_its_letter() -> None:
    report = realistic()
    drawn = str(mark_lines(marks(report), NARROW.axis(report), 16, 100))
    assert re.findall(r">([A-Z·0-9]+)</text>", drawn) == ["D", "F", "R"]
    assert drawn.count("<line") == 5


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_letters_of_a_crowded_run_stay_apart_and_inside(layout: Layout) -> None:
    report = crowded()
    axis, found = layout.axis(report), marks(report)
    drawn = str(mark_lines(found, axis, 16, 100))
    letters = [(float(x), text) for x, text in re.findall(r'<text x="([\d.]+)"[^>]*>([A-Z0-9]+)</text>', drawn)]
    assert 4 <= len(letters) < len(found)
    assert all(later[0] - earlier[0] >= 12 for earlier, later in pairwise(letters))
    assert all(axis.left <= x - 8 and x + 8 <= axis.right for x, _ in letters)
    assert drawn.count("<line") == len(found)


def test_a_mark_at_the_edge_has_a_line_and_no_letter() -> None:
    report = realistic()
    alert = AlertBar(alert="Edge", firing_at=START, resolved_at=report.ended_at)
    report = report.model_copy(update={"alerts": (alert,), "deploys": ()})
    drawn = str(mark_lines(marks(report), WIDE.axis(report), 16, 100))
    assert "<text" not in drawn
    assert drawn.count("<line") == 2


def test_the_lives_of_one_alert_share_a_row_and_at_most_eight_rows_are_drawn() -> None:
    report = crowded()
    drawn, left_out = alert_rows(report)
    assert [len(row.lives) for row in drawn] == [3] * 8
    assert [row.number for row in [*drawn, *left_out]] == list(range(1, 13))
    assert "QuietFastBurn" in [row.alert for row in left_out]
    picture = str(events_drawing(report, WIDE))
    assert len(re.findall(r">alert \d+</text>", picture)) == 8
    assert picture.count("alert-firing") == 24


def test_an_alert_that_fired_is_drawn_before_those_that_stayed_quiet() -> None:
    quiet = [AlertBar(alert=f"Quiet{number}") for number in range(9)]
    fired = AlertBar(alert="Fired", firing_at=START + 9)
    report = realistic().model_copy(update={"alerts": (*quiet, fired)})
    drawn, left_out = alert_rows(report)
    assert "Fired" in [row.alert for row in drawn]
    assert [row.alert for row in left_out] == ["Quiet7", "Quiet8"]


def test_a_life_ends_at_its_resolution_else_with_its_phase_and_never_in_the_next() -> None:
    lives = (
        AlertBar(alert="A", firing_at=START + 5, resolved_at=START + 9),
        AlertBar(alert="A", firing_at=START + 12),
        AlertBar(alert="A", firing_at=START + 45, until=START + 77),
        AlertBar(alert="A", firing_at=START + 85, until=START + 120),
        AlertBar(alert="A", firing_at=START + 100),
    )
    report = realistic().model_copy(update={"alerts": lives})
    [row], _ = alert_rows(report)
    assert [end - START for end in ends(row, report)] == [9, 40, 77, 100, 150]


def test_bars_of_a_phase_are_not_drawn_over_the_next() -> None:
    report = crowded()
    picture, axis = str(events_drawing(report, WIDE)), WIDE.axis(report)
    bars = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" [^>]*class="alert-firing"', picture)
    bars = bars or [
        (x, y, width)
        for x, y, width in re.findall(r'<rect class="alert-firing" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', picture)
    ]
    assert len(bars) == 24
    ends_of_phases = [axis.x(phase.end) for phase in report.phases]
    for x, _, width in bars:
        limit = next(end for end in ends_of_phases if float(x) < end)
        assert float(x) + float(width) <= limit + 0.2


def test_drawings_show_no_backticks() -> None:
    faults = (FaultBar(label="kill `a1` now", injected_at=START + 1),)
    picture = events_drawing(realistic().model_copy(update={"faults": faults}), WIDE)
    assert "kill a1 now, not undone" in picture


def test_marks_are_numbered_when_there_are_several_alerts() -> None:
    report = realistic()
    twice = report.model_copy(update={"alerts": (*report.alerts, AlertBar(alert="Quiet", pending_at=START + 3))})
    assert [mark.text for mark in marks(twice)] == ["P2", "D", "P1", "F1", "N1", "R1"]


def test_a_deploy_is_drawn_through_every_chart_and_told_in_words() -> None:
    report = realistic()
    picture = str(events_drawing(report, WIDE))
    assert 'class="deploy"' in picture and "1.4.2</text>" in picture
    assert "Deploy of 1.4.2 at 22 s." in picture
    charts = [str(chart_drawing(chart, report, WIDE, 1)) for chart in report.charts]
    assert all('class="mark mark-deployed"' in chart for chart in charts)
    before = report.model_copy(update={"deploys": (Deploy(release="1", at=START - 1),)})
    assert "mark-deployed" not in str(chart_drawing(report.charts[0], before, WIDE, 1))


def test_latency_has_a_band_from_its_lowest_to_its_highest_quantile_that_bridges_no_gap() -> None:
    report = realistic()
    latency = report.charts[1]
    (band,) = re.findall(r'd="([^"]+)" class="band"', str(chart_drawing(latency, report, WIDE, 1)))
    assert band.count("Z") == 1
    torn = tuple(
        line.model_copy(update={"points": tuple(p for p in line.points if not START + 50 < p[0] < START + 70)})
        for line in latency.series
    )
    drawn = str(chart_drawing(latency.model_copy(update={"series": torn}), report, WIDE, 1))
    (band,) = re.findall(r'd="([^"]+)" class="band"', drawn)
    assert band.count("Z") == 2
    assert "band" not in str(chart_drawing(report.charts[0], report, WIDE, 1))


def test_an_alert_is_judged_against_its_promise() -> None:
    report = realistic()
    pending, firing, _, resolved = changes(report.alerts[0], report)
    assert (firing.measured, firing.promise, firing.judgement) == ("32 s", "30-35 s", "in time")
    assert (resolved.measured, resolved.promise, resolved.judgement) == ("4.8 s", "3-7 s", "in time")
    assert pending.verdict is None
    late = AlertBar(alert="Late", firing_at=START + 9, promised_firing=Span(start=START + 2, end=START + 8))
    never = AlertBar(alert="Never", promised_firing=Span(start=START + 2, end=START + 8))
    assert changes(late, report)[1].judgement == "late"
    assert changes(never, report)[1].judgement == "did not happen"
    assert changes(never, report)[1].verdict == "FAIL"


def test_an_alert_that_was_active_before_the_run_is_not_said_to_have_begun_never_or_in_it() -> None:
    report = realistic()
    fired = AlertBar(alert="Fired", firing_at=START, resolved_at=START + 9, active_before=True)
    assert [change.measured for change in changes(fired, report)] == ["already", "already", "already", "9 s"]
    waited = AlertBar(alert="Waited", pending_at=START, firing_at=START + 8, active_before=True)
    assert [change.measured for change in changes(waited, report)] == ["already", "8 s", "never", "never"]


@pytest.mark.parametrize("seconds", [0, 1, 7, 150, 599, 600, 3600, 86_400, 700_000])
def test_ticks_of_time_are_few_and_inside(seconds: float) -> None:
    axis = TimeAxis(START, START + seconds, 58, 850)
    ticks = axis.ticks(70)
    assert 1 <= len(ticks) <= 13
    assert all(axis.left <= axis.x(at) <= axis.right for at, _ in ticks)
    assert all(later[0] - earlier[0] > 0 for earlier, later in pairwise(ticks))


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0003, 500.0], [1e-9, 1e9], [812.0], [-3.0, 4.0], [5e-324]])
def test_every_value_stands_inside_the_plot(values: list[float], logarithmic: bool) -> None:
    axis = value_axis(values, 150, 16, logarithmic=logarithmic)
    assert all(16 <= axis.y(value) <= 150 for value in [*values, *axis.ticks])
    assert 1 <= len(axis.ticks) <= 22


def test_a_logarithmic_zero_stands_on_the_bottom_line_and_is_marked() -> None:
    report = realistic()
    points = ((START + 1, 0.0), (START + 2, 100.0))
    chart = Chart(title="t", unit="ms", series=(Series(label="p50", points=points),), logarithmic=True)
    assert "≤ " in chart_drawing(chart, report, WIDE, 1)


def test_labels_stay_apart_and_inside() -> None:
    places = apart([100, 100, 101, 150, 20], 15, 20, 150)
    ordered = sorted(places)
    assert all(later - earlier >= 15 for earlier, later in pairwise(ordered))
    assert ordered[0] >= 20
    assert ordered[-1] <= 150


def test_a_cut_label_never_shows_a_cut_figure() -> None:
    report = realistic()
    name = "a long name of a line that fills the room beside its end"
    chart = Chart(title="t", unit="ms", series=(Series(label=name, points=((START, 812.0),)),))
    shown = re.findall(r"</title>([^<]*…)</text>", chart_drawing(chart, report, WIDE, 1))
    assert shown
    assert all("812" not in text for text in shown)
    assert f"<title>{name} 812 ms</title>" in chart_drawing(chart, report, WIDE, 1)


def test_text_is_cut_to_its_room() -> None:
    assert fitted("steady load", 12, 1000) == "steady load"
    assert text_width(fitted("w" * 4000, 12, 100), 12) <= 100
    assert fitted("wide", 12, 3) == ""


def test_elements_escape_text_and_attributes() -> None:
    made = element("text", "<b>&\u2028", data_x='"><script>')
    assert made == '<text data-x="&#34;&gt;&lt;script&gt;">&lt;b&gt;&amp;\ufffd</text>'


def test_figures_of_a_phase_leave_out_the_others() -> None:
    report = realistic()
    rows = dict(phase_figures(report.charts[1], report.phases))
    assert rows["p95"][2].startswith("794 ms (39.6 ms to 8")
    assert "to 44" in rows["p95"][0]
    late = Chart(
        title="t",
        unit="ms",
        series=(Series(label="p95", points=((START + 149, 1.0),)),),
        limits=(Limit(value=2, label="l"),),
    )
    assert phase_figures(late, report.phases) == [("p95", ["no data", "no data", "1 ms"])]


def test_limits_too_close_for_a_label_each_are_named_in_one_line() -> None:
    far, near = ((0, 500, 900), (14.4, 6, 3, 1)), ((0, 5, 20), (18, 2))
    for (values, limits), rows in ((far, 1), (near, 2)):
        points = [(START + second, float(value)) for second, value in enumerate(values)]
        named = tuple(Limit(value=limit, label=f"tier {limit:g}") for limit in limits)
        chart = Chart(title="Burn rate", unit="x", series=(Series(label="fast", points=tuple(points)),), limits=named)
        drawn = chart_drawing(chart, realistic(), WIDE, 1)
        labels = re.findall(r"<text[^>]*limit-label[^>]*>([^<]*)<", drawn)
        assert len(labels) == rows
        assert all(f"tier {limit:g}: {limit:g}x" in ", ".join(labels) for limit in limits)
