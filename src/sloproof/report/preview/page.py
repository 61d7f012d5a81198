"""A dashboard as one HTML file: no network, no script, nothing foreign is executed."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from jinja2 import Environment
from markupsafe import Markup

from sloproof.errors import UsageError
from sloproof.grafana import Annotation as Mark
from sloproof.report.page import page_environment, policy, template_text
from sloproof.report.preview.asking import Asker, Reply
from sloproof.report.preview.colours import colour_rules, colours_in
from sloproof.report.preview.dashboard import COLUMNS, Annotation, Dashboard, Panel, read_dashboard
from sloproof.report.preview.look import Span
from sloproof.report.preview.panels import Scene, State, Told, kept_spans, spans_of, told_panels
from sloproof.report.preview.time_range import time_range
from sloproof.report.preview.units import digits
from sloproof.report.preview.variables import built_in, chosen, filled
from sloproof.report.preview.words import link

WORDS: Mapping[State, str] = {
    "shown": "with data",
    "empty": "no data",
    "partial": "partial",
    "failed": "not answered",
    "foreign": "not drawn",
}
_SYMBOLS: Mapping[State, str] = {"shown": "✓", "empty": "–", "partial": "!", "failed": "✗", "foreign": "□"}
_SMALL, _HALF = 6, 12
_FIGURES = ("stat", "singlestat", "gauge")


Marked = tuple[Annotation, tuple[Span, ...], Reply]
"""Annotations with what they mark and the answer to their query."""


@dataclass(frozen=True)
class Request:
    """What is drawn, and from where.

    Args:
        source: the dashboard's JSON.
        name: of its file, for messages.
        server: address of the Prometheus, as it is shown.
        now: epoch seconds.
        scrape: seconds between scrapes.
        time_from: instead of the dashboard's own range; empty for that.
        time_to: the same.
        choices: values of variables, by name.
        kept: marks that Grafana would have kept itself: runs and deploys that the workspace's history knows.
    """

    source: str
    name: str
    server: str
    now: float
    scrape: float
    time_from: str = ""
    time_to: str = ""
    choices: Mapping[str, Sequence[str]] | None = None
    kept: Sequence[Mark] = ()


@dataclass(frozen=True)
class Preview:
    """A page and what became of its panels.

    Args:
        page: the HTML.
        counts: panels in each state.
        problems: what went wrong, each with its panel.
        measured: whether any panel that asks Prometheus has data, or none asks.
    """

    page: str
    counts: Mapping[State, int]
    problems: tuple[str, ...]
    measured: bool

    @property
    def complete(self) -> bool:
        """Whether Prometheus answered every query in full, and had anything to say."""
        return self.measured and not self.problems


def preview(request: Request, asker: Asker) -> Preview:
    """Draw a dashboard.

    Args:
        request: which one, and when.
        asker: answers its queries.

    Returns:
        The page; equal answers give equal pages, to the byte. Its content security policy allows its own style
        sheet and nothing else.

    Raises:
        UsageError: the JSON is no dashboard, a time is none, or a variable is not the dashboard's.
    """
    dashboard = read_dashboard(request.source, request.name)
    shown = time_range(request.time_from or dashboard.time_from, request.time_to or dashboard.time_to, request.now)
    choices = request.choices or {}
    _refuse_unknown(choices, dashboard)
    variables = chosen(dashboard.variables, choices, asker, shown, request.server)
    scene = Scene(dashboard, shown, request.scrape, variables)
    marked = [
        (one, kept_spans(one, shown, request.kept), Reply()) if one.own else (one, *spans_of(one, scene, asker))
        for one in dashboard.annotations
        if not one.own or (one.tags and request.kept)
    ]
    spans = tuple(span for _, found, _ in marked for span in found)
    told = told_panels(scene, asker, spans)
    counts = _counts(told)
    problems = _problems(told, marked, scene)
    asking = [one for one in told if one.look.replies]
    return Preview(
        page=_written(request, scene, told, marked, problems),
        counts={state: counts[state] for state in get_args(State)},
        problems=tuple(words for _, words in problems),
        measured=not asking or any(not one.drawn.empty for one in asking),
    )


def _written(
    request: Request, scene: Scene, told: Sequence[Told], marked: Sequence[Marked], problems: Sequence[tuple[int, str]]
) -> str:
    dashboard = scene.dashboard
    style = template_text("report.css") + template_text("preview.css") + _rules(dashboard, request.source)
    counts = _counts(told)
    return (
        _environment()
        .get_template("preview.html")
        .render(
            dashboard=dashboard,
            scene=scene,
            request=request,
            style=Markup(style),
            policy=policy(style),
            blocks=_blocks(dashboard, told, scene),
            counts=[(one, _SYMBOLS[one], WORDS[one], counts[one]) for one in get_args(State) if counts[one]],
            problems=problems,
            marks=[(one.name, len(found)) for one, found, reply in marked if not reply.error],
            own_marks=[one.name for one in dashboard.annotations if one.own and not (one.tags and request.kept)],
            links=[link(title, _filled(address, scene)) for title, address in dashboard.links],
            scrape=digits(request.scrape, None),
            states=(WORDS, _SYMBOLS),
        )
    )


def _counts(told: Sequence[Told]) -> Counter[State]:
    """Panels in each state; words are neither measured nor missing."""
    return Counter(one.state for one in told if one.panel.kind != "text")


def _refuse_unknown(choices: Mapping[str, Sequence[str]], dashboard: Dashboard) -> None:
    names = [str(raw.get("name")) for raw in dashboard.variables]
    for name in choices:
        if name not in names:
            hint = f"it has {', '.join(f'`{one}`' for one in names)}" if names else "it has none at all"
            raise UsageError(f"the dashboard has no variable `{name}`", hint=hint)


@cache
def _environment() -> Environment:
    return page_environment("preview.html")


def _filled(words: str, scene: Scene) -> str:
    return filled(words, scene.variables, built_in(scene.shown, 60, 240, scene.dashboard.title), "text")


def _problems(told: Sequence[Told], marked: Sequence[Marked], scene: Scene) -> list[tuple[int, str]]:
    """What went wrong, each once, with the number of the first panel that it went wrong for; 0 for none."""
    found = [(0, f"variable {one.name}", one.told) for one in scene.variables.values() if one.told]
    for annotation, _, reply in marked:
        errors = [reply.error] if reply.error else [f"Prometheus warns: {warning}" for warning in reply.warnings]
        found += [(0, f"annotations {annotation.name}", error) for error in errors]
    found += [(one.number, one.look.title, problem) for one in told for problem in one.problems]
    by_words: dict[str, list[tuple[int, str]]] = {}
    for number, whose, words in found:
        by_words.setdefault(words, []).append((number, whose))
    return [(those[0][0], f"{those[0][1]}{_others(len(those) - 1)}: {words}") for words, those in by_words.items()]


def _others(count: int) -> str:
    return f" and {count} more" if count else ""


def _blocks(dashboard: Dashboard, told: Sequence[Told], scene: Scene) -> list[dict[str, Any]]:
    """Rows and panels from the top, as the template wants them."""
    left, blocks = iter(told), []
    for panel in dashboard.panels:
        if panel.is_row:
            blocks.append({"row": _filled(panel.title, scene), "repeat": panel.repeat})
        else:
            blocks.append(_block(next(left)))
    return [{"id": f"b{index}", **block} for index, block in enumerate(blocks)]


def _block(one: Told) -> dict[str, Any]:
    panel = one.panel
    return {
        "row": None,
        "told": one,
        "title": one.look.title,
        "description": one.look.say(panel.description),
        "notes": [*one.drawn.notes, *_notes(panel)],
        "size": _size(panel),
        "links": [link(one.look.say(title), one.look.fill(address)) for title, address in panel.links],
    }


def _notes(panel: Panel) -> list[str]:
    """What a reader has to know of the panel itself."""
    notes = []
    if panel.repeat:
        notes.append(f"Grafana repeats this panel for each value of `{panel.repeat}`; it is drawn once here")
    if panel.shared:
        notes.append("Grafana's own library holds the rest of this panel, and the file does not")
    if panel.time_from:
        notes.append(f"last {panel.time_from.removeprefix('now-')}")
    if panel.time_shift:
        notes.append(f"shifted by {panel.time_shift}")
    return notes


def _size(panel: Panel) -> str:
    """How much room a panel gets where there is too little for 24 columns."""
    if panel.kind in _FIGURES and panel.place.w <= _SMALL:
        return "small"
    return "half" if panel.place.w <= _HALF else "full"


def _rules(dashboard: Dashboard, source: str) -> str:
    """The page's own part of the style sheet: where each block stands, and the dashboard's colours."""
    rows = _rows_in_use(dashboard.panels)
    areas = []
    for index, panel in enumerate(dashboard.panels):
        place = panel.place
        x, w = (0, COLUMNS) if panel.is_row else (place.x, place.w)
        areas.append(f"  #b{index} {{ grid-area: {rows[place.y]} / {x + 1} / span {place.h} / span {w}; }}")
    placed = "\n".join(areas)
    colours = colour_rules(colours_in(json.loads(source)))
    return f"\n@media screen and (min-width: 1000px) {{\n{placed}\n}}\n{colours}"


def _rows_in_use(panels: Sequence[Panel]) -> dict[int, int]:
    """The line of the page's grid for each row of the dashboard's; rows that no panel covers take no room."""
    covered = sorted({row for panel in panels for row in range(panel.place.y, panel.place.y + panel.place.h)})
    return {row: line for line, row in enumerate(covered, start=1)}


def states_in_words(counts: Mapping[State, int]) -> str:
    """How many panels are in which state, in one line."""
    told = [f"{counts[state]} {WORDS[state]}" for state in get_args(State) if counts[state]]
    return ", ".join(told) or "none that asks anything"
