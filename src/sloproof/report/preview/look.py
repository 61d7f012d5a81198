"""What a drawing gets and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from sloproof.prometheus_answers import ActiveAlert
from sloproof.report import wording
from sloproof.report.preview.asking import Reply
from sloproof.report.preview.dashboard import Panel, Target
from sloproof.report.preview.reading import Field, field_of
from sloproof.report.preview.time_range import TimeRange
from sloproof.report.svg import element

PIXELS_PER_COLUMN = 60
PIXELS_PER_ROW = 38
"""Of Grafana's grid: rows of 30 pixels, 8 between them."""


_NARROW, _MIDDLE = 380.0, 700.0
_SCALED = 1.3
"""How much a drawing may shrink before it is drawn anew."""
_SHAPES = ("drawing", "drawing both", "drawing three")


@dataclass(frozen=True)
class Span:
    """A stretch of time that an annotation marks, epoch seconds; `colour` as Grafana names it."""

    start: float
    end: float
    text: str
    colour: str


@dataclass(frozen=True)
class Look:
    """A panel with the answers to its queries.

    Args:
        number: its place on the page, from 1; part of its ids.
        panel: what is drawn.
        replies: an answer for each of its targets.
        shown: its range.
        step: seconds between points.
        fill: puts variables into a query.
        say: puts variables into what readers read.
        spans: annotations on its graphs.
        alerts: of Prometheus; only where the panel lists them.
    """

    number: int
    panel: Panel
    replies: tuple[tuple[Target, Reply], ...]
    shown: TimeRange
    step: float
    fill: Callable[[str], str]
    say: Callable[[str], str]
    spans: tuple[Span, ...] = ()
    alerts: tuple[ActiveAlert, ...] = ()

    @property
    def title(self) -> str:
        """The panel's title with its variables filled in."""
        return self.say(self.panel.title)

    @property
    def width(self) -> float:
        """User units of a drawing as wide as the panel."""
        return self.panel.place.w * PIXELS_PER_COLUMN - 24.0

    @property
    def height(self) -> float:
        """User units below the panel's heading."""
        return self.panel.place.h * PIXELS_PER_ROW - 56.0

    @property
    def sizes(self) -> list[tuple[float, str]]:
        """The widths that it is drawn in, user units, and their classes: text must be legible on any screen."""
        middle = [(_MIDDLE, "middle")] if self.width > _MIDDLE * _SCALED else []
        narrow = [(_NARROW, "narrow")] if self.width > _NARROW * _SCALED else []
        return [(self.width, "wide"), *middle, *narrow]

    def field(self, name: str = "", ref: str = "", kind: str = "number") -> Field:
        """The options of one series or column."""
        return field_of(self.panel.defaults, self.panel.overrides, name, ref, kind)


@dataclass(frozen=True)
class Drawn:
    """A panel's inside.

    Args:
        body: markup in which everything foreign is escaped.
        empty: whether nothing was measured.
        notes: what a reader has to know that the drawing does not say.
    """

    body: Markup
    empty: bool = False
    notes: tuple[str, ...] = ()


def side_by_side(drawings: list[Markup]) -> Markup:
    """Drawings of the same in several sizes, of which the style sheet shows one."""
    return element("div", *drawings, class_=_SHAPES[len(drawings) - 1])


def nothing(look: Look) -> Drawn:
    """The inside of a panel without any measurement; never like one that is fine."""
    words = look.field().read(None).text or wording.NO_DATA
    return Drawn(element("p", words, class_="absent"), empty=True)
