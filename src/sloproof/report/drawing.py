"""What every drawing of a run shares: its measures, its time axis, and the events drawn through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from sloproof.report import wording
from sloproof.report.alert_times import alert_rows, changes
from sloproof.report.axes import TimeAxis
from sloproof.report.model import RunReport
from sloproof.report.svg import element, text_width

TEXT = 12.0
MARK_ROW = 16.0
AXIS_ROW = 18.0
_LETTER_GAP = 6.0
_LETTERS_FIRST = ("deployed", "firing", "resolved", "pending", "notified")


@dataclass(frozen=True)
class Layout:
    """The measures of a drawing, user units.

    Args:
        name: part of every id in the drawing.
        width: of the whole drawing.
        left: the gutter of the value axis.
        right: the gutter of the labels at line ends.
        labels_below: whether the labels stand under the plot, because the gutter is too small for them.
        plot: the height of a chart's plot.
        tick: the room that one tick of the time axis needs.
        buckets: stretches of time that keep their extremes.
    """

    name: str
    width: float
    left: float
    right: float
    labels_below: bool
    plot: float
    tick: float
    buckets: int

    def axis(self, report: RunReport) -> TimeAxis:
        """The time axis that all drawings of a report share."""
        return TimeAxis(report.started_at, report.ended_at, self.left, self.width - self.right)


WIDE = Layout(name="wide", width=1000, left=58, right=150, labels_below=False, plot=132, tick=70, buckets=400)
NARROW = Layout(name="narrow", width=400, left=52, right=14, labels_below=True, plot=120, tick=52, buckets=130)
LAYOUTS = (WIDE, NARROW)


@dataclass(frozen=True)
class Mark:
    """A deploy or an alert's change of state on the time axis; `text` is `F`, or `F2` among several alerts."""

    at: float
    state: str
    text: str


def marks(report: RunReport) -> list[Mark]:
    """Every deploy, and every change of state of an alert that is drawn, within the run, in the order of time."""
    drawn, _ = alert_rows(report)
    found = [
        Mark(change.at, change.state, f"{change.letter}{row.number}" if len(drawn) > 1 else change.letter)
        for row in drawn
        for alert in row.lives
        for change in changes(alert, report)
        if change.at is not None and _within(change.at, report)
    ]
    found += [Mark(deploy.at, "deployed", "D") for deploy in report.deploys if _within(deploy.at, report)]
    return sorted(found, key=lambda mark: mark.at)


def _within(at: float, report: RunReport) -> bool:
    return report.started_at <= at <= report.ended_at


def hatch(identity: str) -> Markup:
    """The definition of the pattern that faults are filled with."""
    stripe = element("path", d="M0 8L8 0", class_="hatch-line")
    ground = element("rect", width=8, height=8, class_="hatch-ground")
    units = {"patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", ground, stripe, id=identity, width=8, height=8, **units))


def background(report: RunReport, axis: TimeAxis, top: float, bottom: float, hatch_id: str) -> Markup:
    """Phase bands and fault bars over the height of a plot."""
    parts = []
    for number, phase in enumerate(report.phases):
        box = {
            "x": axis.x(phase.start),
            "width": axis.x(phase.end) - axis.x(phase.start),
            "y": top,
            "height": bottom - top,
        }
        parts.append(element("rect", class_=f"phase phase-{number % 2}", **box))
    for fault in report.faults:
        left, right = fault_edges(axis, fault.injected_at, fault.undone_at)
        box = {"x": left, "width": right - left, "y": top, "height": bottom - top}
        parts.append(element("rect", class_="fault", fill=f"url(#{hatch_id})", **box))
    return Markup("").join(parts)


def fault_edges(axis: TimeAxis, injected_at: float, undone_at: float | None) -> tuple[float, float]:
    """Left and right edge of a fault, at least two units apart so that it is seen."""
    left = axis.x(injected_at)
    right = axis.x(axis.end if undone_at is None else undone_at)
    return left, max(right, left + 2)


def mark_lines(found: Sequence[Mark], axis: TimeAxis, top: float, bottom: float) -> Markup:
    """Alert marks as lines through a plot, their letters above it; letters without room of their own are left out."""
    lines = [
        element("line", x1=axis.x(mark.at), x2=axis.x(mark.at), y1=top, y2=bottom, class_=f"mark mark-{mark.state}")
        for mark in found
    ]
    letters = [
        element("text", text, x=x, y=top - 4, class_="mark-letter", text_anchor="middle")
        for x, text in _letters(found, axis)
    ]
    return Markup("").join(lines + letters)


def _letters(found: Sequence[Mark], axis: TimeAxis) -> list[tuple[float, str]]:
    placed: list[tuple[float, str]] = []
    for mark in sorted(found, key=lambda mark: _LETTERS_FIRST.index(mark.state)):
        x, half = axis.x(mark.at), text_width(mark.text, TEXT) / 2
        inside = axis.left + half <= x <= axis.right - half
        if inside and all(abs(x - other) >= half + text_width(text, TEXT) / 2 + _LETTER_GAP for other, text in placed):
            placed.append((x, mark.text))
    return sorted(placed)


def grid(axis: TimeAxis, layout: Layout, top: float, bottom: float) -> Markup:
    """The lines of the time axis through a plot."""
    xs = [axis.x(at) for at, _ in axis.ticks(layout.tick)]
    return Markup("").join(element("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid") for x in xs)


def time_axis(axis: TimeAxis, layout: Layout, y: float) -> Markup:
    """Seconds since the start, under a plot."""
    parts = [
        element("text", text, x=axis.x(at), y=y, text_anchor="middle", class_="tick")
        for at, text in axis.ticks(layout.tick)
    ]
    return Markup("").join(parts)


def wall_clock(axis: TimeAxis, y: float) -> Markup:
    """The wall clock at both ends of the time axis."""
    return element("text", f"{wording.clock(axis.start)} UTC", x=axis.left, y=y, class_="tick") + element(
        "text", wording.clock(axis.end), x=axis.right, y=y, text_anchor="end", class_="tick"
    )


def apart(wanted: Sequence[float], distance: float, top: float, bottom: float) -> list[float]:
    """Places for labels: near where they are wanted, at least a distance apart, within bounds where they fit.

    Args:
        wanted: user units down, in any order.
        distance: user units.
        top: user units.
        bottom: user units.

    Returns:
        One place for each wanted one, in the same order.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [min(max(wanted[index], top), bottom) for index in order]
    for earlier, later in pairwise(range(len(placed))):
        placed[later] = max(placed[later], placed[earlier] + distance)
    if placed and placed[-1] > bottom:
        placed[-1] = bottom
        for later, earlier in pairwise(reversed(range(len(placed)))):
            placed[earlier] = min(placed[earlier], placed[later] - distance)
    return [place for _, place in sorted(zip(order, placed, strict=True))]
