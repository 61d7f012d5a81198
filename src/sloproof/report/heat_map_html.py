"""The heat map of gates as one HTML file: no network, no script, and nothing foreign is executed."""

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from sloproof.foreign_text import visible
from sloproof.report import wording
from sloproof.report.page import SYMBOLS, page_environment, policy, template_text
from sloproof.verdict.heat_map import HeatCell, HeatMap

_SHORT = 12


def render_html(found: HeatMap) -> str:
    """Write a heat map as one self-contained page.

    Args:
        found: gates over releases.

    Returns:
        The page; equal maps give equal pages, to the byte. Its content security policy allows its own style sheet
        and nothing else. A release that a gate did not decide is an empty cell that says so, in no verdict's colour.
    """
    style = template_text("report.css")
    page = _environment().get_template("heat_map.html")
    return page.render(
        map=found, style=Markup(style), policy=policy(style), columns=[short(release) for release in found.releases]
    )


def short(release: str) -> str:
    """A release's name for a narrow column: commits and long names are cut, which is shown."""
    text = visible(release)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def cell_in_words(cell: HeatCell) -> str:
    """Everything that a cell stands for."""
    decision = cell.decision
    when = f"{wording.day(decision.at)} {wording.clock(decision.at)} UTC"
    before = f"; before that: {', '.join(verdict.value for verdict in cell.earlier)}" if cell.earlier else ""
    return f"{cell.verdict.value}, run {decision.number}, {when}{before}"


@cache
def _environment() -> Environment:
    environment = page_environment("heat_map.html")
    environment.globals.update(cell_in_words=cell_in_words, symbols=SYMBOLS)
    return environment
