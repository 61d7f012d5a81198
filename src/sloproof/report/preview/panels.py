"""One panel after the other: asked, drawn, and told what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sloproof.grafana import Annotation as Mark
from sloproof.report.preview.asking import Asker, Question, Reply
from sloproof.report.preview.bands import bands
from sloproof.report.preview.dashboard import Annotation, Dashboard, Panel, Target
from sloproof.report.preview.figures import bar_gauge, gauge, stat
from sloproof.report.preview.frames import with_labels
from sloproof.report.preview.graph import graph
from sloproof.report.preview.look import PIXELS_PER_COLUMN, Drawn, Look, Span
from sloproof.report.preview.time_range import TimeRange, least_step, own_range, rate_interval, step_of
from sloproof.report.preview.variables import Variable, built_in, filled
from sloproof.report.preview.words import alerts, placeholder, prose, table
from sloproof.report.sampling import segments

ALERT_LIST = "alertlist"
_DRAWINGS: Mapping[str, Callable[[Look], Drawn]] = {
    "timeseries": graph,
    "graph": graph,
    "stat": stat,
    "singlestat": stat,
    "gauge": gauge,
    "bargauge": bar_gauge,
    "state-timeline": bands,
    "status-history": bands,
    "table": table,
    "table-old": table,
    "text": prose,
    ALERT_LIST: alerts,
}
_SILENT = ("text", ALERT_LIST)
"""Kinds that ask Prometheus no query of their own."""

State = Literal["shown", "empty", "partial", "failed", "foreign"]
"""`partial`: Prometheus warned, or only some queries were answered; `foreign`: of a kind that is not drawn here."""


@dataclass(frozen=True)
class Scene:
    """What all panels of a dashboard share.

    Args:
        dashboard: the dashboard.
        shown: its range.
        scrape: seconds between scrapes.
        variables: with their values, by name.
    """

    dashboard: Dashboard
    shown: TimeRange
    scrape: float
    variables: Mapping[str, Variable]


@dataclass(frozen=True)
class Told:
    """A panel that was drawn.

    Args:
        number: its place on the page, from 1.
        panel: as the dashboard has it.
        look: what it was drawn from.
        drawn: its inside.
        state: what became of it.
        problems: errors and warnings, each once.
    """

    number: int
    panel: Panel
    look: Look
    drawn: Drawn
    state: State
    problems: tuple[str, ...]


def told_panels(scene: Scene, asker: Asker, spans: tuple[Span, ...]) -> list[Told]:
    """Every panel of a dashboard, rows left out.

    Args:
        scene: the dashboard and its surroundings.
        asker: answers queries.
        spans: annotations.
    """
    panels = [panel for panel in scene.dashboard.panels if not panel.is_row]
    return [_told(number, panel, scene, asker, spans) for number, panel in enumerate(panels, start=1)]


def _told(number: int, panel: Panel, scene: Scene, asker: Asker, spans: tuple[Span, ...]) -> Told:
    shown = own_range(scene.shown, panel.time_from, panel.time_shift)
    least = least_step(panel.interval, scene.scrape)
    step = step_of(shown, panel.place.w * PIXELS_PER_COLUMN, least)
    own = built_in(shown, step, rate_interval(step, least), scene.dashboard.title)

    fill = partial(filled, variables=scene.variables, built_in=own)
    say = partial(filled, variables=scene.variables, built_in=own, style="text")
    targets = () if panel.kind in _SILENT else panel.targets
    replies = tuple((target, _asked(target, asker, fill, shown, step)) for target in targets)
    active, problem = asker.alerts() if panel.kind == ALERT_LIST else ((), "")
    look = Look(number, panel, replies, shown, step, fill, say, spans, active)
    draw = _DRAWINGS.get(panel.kind, placeholder)
    drawn = draw(look) if not problem else Drawn(placeholder(look).body, empty=True)
    return Told(number, panel, look, drawn, *_outcome(look, drawn, problem))


def _asked(target: Target, asker: Asker, fill: Callable[[str], str], shown: TimeRange, step: float) -> Reply:
    end = shown.end
    # Grafana asks at whole steps, so that a page that is drawn anew does not flicker.
    start = shown.start // step * step
    return asker.ask(Question(fill(target.expression), target.instant, start, end, step))


def _outcome(look: Look, drawn: Drawn, problem: str) -> tuple[State, tuple[str, ...]]:
    errors = list(dict.fromkeys([*([problem] if problem else []), *(r.error for _, r in look.replies if r.error)]))
    warnings = list(dict.fromkeys(warning for _, reply in look.replies for warning in reply.warnings))
    problems = (*errors, *(f"Prometheus warns: {warning}" for warning in warnings))
    answered = any(not reply.error for _, reply in look.replies)
    if errors and not answered:
        return "failed", problems
    if problems:
        return "partial", problems
    if look.panel.kind not in _DRAWINGS:
        return "foreign", ()
    return ("empty" if drawn.empty else "shown"), ()


def kept_spans(annotation: Annotation, shown: TimeRange, kept: Sequence[Mark]) -> tuple[Span, ...]:
    """The marks with every tag that the annotation asks for, as far as the range goes."""
    return tuple(
        Span(max(mark.start, shown.start), min(mark.end, shown.end), mark.text, annotation.colour)
        for mark in kept
        if set(annotation.tags) <= set(mark.tags) and mark.end >= shown.start and mark.start <= shown.end
    )


def spans_of(annotation: Annotation, scene: Scene, asker: Asker) -> tuple[tuple[Span, ...], Reply]:
    """Where an annotation's query has a value other than zero, and the answer itself.

    Args:
        annotation: with an expression.
        scene: the dashboard and its surroundings.
        asker: answers queries.
    """
    step = step_of(scene.shown, 300, scene.scrape)
    own = built_in(scene.shown, step, rate_interval(step, scene.scrape), scene.dashboard.title)
    start = scene.shown.start // step * step
    reply = asker.ask(
        Question(filled(annotation.expression, scene.variables, own), False, start, scene.shown.end, step)
    )
    spans = []
    for series in reply.series:
        points: Sequence[tuple[float, float | None]] = [(at, value or None) for at, value in series.points]
        words = with_labels(annotation.title, series.labels) or annotation.name
        spans += [Span(run[0][0], run[-1][0] + step, words, annotation.colour) for run in segments(points, step / 2)]
    return tuple(spans), reply
