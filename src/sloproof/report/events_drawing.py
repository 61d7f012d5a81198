"""The top of the timeline: phases, faults and alerts as bars over the shared time axis."""

from collections.abc import Callable

from markupsafe import Markup

from sloproof.report import wording
from sloproof.report.alert_times import AlertRow, alert_rows, changes, ends
from sloproof.report.axes import TimeAxis
from sloproof.report.drawing import (
    AXIS_ROW,
    MARK_ROW,
    TEXT,
    Layout,
    background,
    fault_edges,
    grid,
    hatch,
    mark_lines,
    marks,
    time_axis,
    wall_clock,
)
from sloproof.report.model import AlertBar, Deploy, FaultBar, Phase, RunReport, Span
from sloproof.report.svg import element, fitted, text_width

_TOP = MARK_ROW + 4
_ROW = 34.0
_BAR = 12.0
_LABEL = 14.0


def events_drawing(report: RunReport, layout: Layout, prefix: str = "") -> Markup:
    """Phases, faults and alerts of a run as one SVG.

    Args:
        report: the run.
        layout: its measures.
        prefix: of its ids, for pages with several runs.
    """
    axis = layout.axis(report)
    rows = _rows(report, axis)
    bottom = _TOP + _ROW * len(rows)
    identity = f"{prefix}events-{layout.name}"
    parts = [
        element("title", "Phases, faults and alerts over the time of the run", id=f"{identity}-title"),
        element("desc", description(report), id=f"{identity}-desc"),
        hatch(f"{identity}-hatch"),
        background(report, axis, MARK_ROW, bottom, f"{identity}-hatch"),
        grid(axis, layout, MARK_ROW, bottom),
        mark_lines(marks(report), axis, MARK_ROW, bottom),
        *(row(_TOP + _ROW * number) for number, row in enumerate(rows)),
        *(_gutter(name, layout, _TOP + _ROW * number) for number, name in enumerate(_names(report))),
        time_axis(axis, layout, bottom + 14),
        wall_clock(axis, bottom + 14 + AXIS_ROW),
    ]
    view = {"viewBox": f"0 0 {layout.width:g} {bottom + 2 * AXIS_ROW + 4:g}"}
    named = {"aria-labelledby": f"{identity}-title", "aria-describedby": f"{identity}-desc"}
    return element("svg", *parts, role="img", class_=layout.name, **view, **named)


def description(report: RunReport) -> str:
    """The same in words, for who cannot see it."""

    def since(at: float) -> str:
        return wording.elapsed(at - report.started_at)

    told = [f"Phase {phase.name}: {since(phase.start)} to {since(phase.end)}." for phase in report.phases]
    told += [f"Deploy of {deploy.release} at {since(deploy.at)}." for deploy in report.deploys]
    for fault in report.faults:
        undone = "not undone" if fault.undone_at is None else f"undone at {since(fault.undone_at)}"
        told.append(f"Fault {fault.label}: injected at {since(fault.injected_at)}, {undone}.")
    for alert in report.alerts:
        states = [f"{change.state} at {since(change.at)}" for change in changes(alert, report) if change.at is not None]
        told.append(f"Alert {alert.alert}: {', '.join(states) or 'stayed quiet'}.")
    return " ".join(told)


def _names(report: RunReport) -> list[str]:
    drawn, _ = alert_rows(report)
    alerts = [f"alert {row.number}" if len(drawn) > 1 else "alert" for row in drawn]
    early = ["phase"] * bool(report.phases) + ["deploy"] * bool(report.deploys)
    return early + ["fault"] * len(report.faults) + alerts


def _rows(report: RunReport, axis: TimeAxis) -> list[Callable[[float], Markup]]:
    rows: list[Callable[[float], Markup]] = []
    if report.phases:
        rows.append(lambda y: Markup("").join(_phase(phase, axis, y) for phase in report.phases))
    if report.deploys:
        rows.append(lambda y: Markup("").join(_deploy(deploy, axis, y) for deploy in report.deploys))
    rows.extend((lambda y, fault=fault: _fault(fault, axis, y)) for fault in report.faults)  # type: ignore[misc]
    drawn, _ = alert_rows(report)
    rows.extend((lambda y, row=row: _alert(row, report, axis, y)) for row in drawn)  # type: ignore[misc]
    return rows


def _gutter(name: str, layout: Layout, y: float) -> Markup:
    return element("text", name, x=layout.left - 8, y=y + _LABEL + _BAR - 2, text_anchor="end", class_="tick")


def _phase(phase: Phase, axis: TimeAxis, y: float) -> Markup:
    left, right = axis.x(phase.start), axis.x(phase.end)
    text = element("text", fitted(phase.name, TEXT, right - left - 8), x=left + 5, y=y + _LABEL - 4, class_="label")
    bar = element("rect", x=left, y=y + _LABEL, width=max(right - left - 2, 1), height=4, class_="phase-bar")
    return element("g", element("title", phase.name), text, bar)


def _deploy(deploy: Deploy, axis: TimeAxis, y: float) -> Markup:
    x, middle = axis.x(deploy.at), y + _LABEL + _BAR / 2
    mark = element("path", d=f"M{x:.1f} {middle - 6:.1f}l6 6l-6 6l-6 -6z", class_="deploy")
    return element("g", element("title", deploy.release), _bar_label(deploy.release, x, axis, y), mark)


def _fault(fault: FaultBar, axis: TimeAxis, y: float) -> Markup:
    left, right = fault_edges(axis, fault.injected_at, fault.undone_at)
    undone = "not undone" if fault.undone_at is None else f"for {wording.elapsed(fault.undone_at - fault.injected_at)}"
    bar = element("rect", x=left, y=y + _LABEL, width=right - left, height=_BAR, class_="fault-bar")
    full = wording.unquoted(f"{fault.label}, {undone}")
    return element("g", element("title", full), _bar_label(full, left, axis, y), bar)


def _bar_label(text: str, left: float, axis: TimeAxis, y: float) -> Markup:
    """The text above a bar, from its left edge, or shifted left as far as it needs."""
    cut = fitted(text, TEXT, axis.right - axis.left)
    x = max(min(left, axis.right - text_width(cut, TEXT)), axis.left)
    return element("text", cut, x=x, y=y + _LABEL - 3, class_="label")


def _alert(row: AlertRow, report: RunReport, axis: TimeAxis, y: float) -> Markup:
    frames = [_promised(span, axis, y) for life in row.lives for span in (life.promised_firing, life.promised_clearing)]
    bars = [_life(life, end, axis, y) for life, end in zip(row.lives, ends(row, report), strict=True)]
    began = [life.began_at for life in row.lives if life.began_at is not None]
    quiet = "" if began else " stayed quiet"
    label = _bar_label(row.alert + quiet, axis.x(min(began, default=axis.start)), axis, y)
    return element("g", element("title", row.alert), *frames, *bars, label)


def _life(alert: AlertBar, end: float, axis: TimeAxis, y: float) -> Markup:
    parts = []
    if alert.pending_at is not None:
        until = end if alert.firing_at is None else alert.firing_at
        parts.append(_state(Span(start=alert.pending_at, end=max(until, alert.pending_at)), axis, y, "pending"))
    if alert.firing_at is not None:
        parts.append(_state(Span(start=alert.firing_at, end=max(end, alert.firing_at)), axis, y, "firing"))
    if alert.notified_at is not None:
        x, middle = axis.x(alert.notified_at), y + _LABEL + _BAR / 2
        parts.append(element("path", d=f"M{x - 5:.1f} {middle - 5:.1f}l10 5l-10 5z", class_="notified"))
    return Markup("").join(parts)


def _state(span: Span, axis: TimeAxis, y: float, state: str) -> Markup:
    """A bar; that of a pending alert is thinner, so that shape tells them apart as well as colour."""
    left, right, inset = axis.x(span.start), axis.x(span.end), 4 if state == "pending" else 0
    box = {"x": left, "y": y + _LABEL + inset, "width": max(right - left, 2), "height": _BAR - 2 * inset}
    return element("rect", class_=f"alert-{state}", **box)


def _promised(span: Span | None, axis: TimeAxis, y: float) -> Markup:
    if span is None:
        return Markup("")
    left, right = axis.x(span.start), axis.x(span.end)
    box = {"x": left - 1, "y": y + _LABEL - 2, "width": max(right - left, 2) + 2, "height": _BAR + 4}
    return element("rect", class_="promised", **box)
