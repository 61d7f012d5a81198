"""Panels of a workspace's own, beside the generated ones."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sloproof.dashboards.expressions import check_panel_expression
from sloproof.definition import Definition
from sloproof.slo import Service


def _readable(text: str) -> str:
    check_panel_expression(text)
    return text


PanelExpression = Annotated[str, AfterValidator(_readable)]
"""PromQL as Grafana sends it: `$__rate_interval` may stand for the window of a raw rate."""

_Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Step(Definition):
    """A colour from a value on.

    Args:
        at: in the panel's unit; None for the colour below all others.
        colour: Grafana's name of it, such as `red`, `yellow` or `green`.
    """

    at: Decimal | None = None
    colour: _Words


class Panel(Definition):
    """One panel that somebody wants beside the objectives.

    Args:
        title: a few words; unique among the panels it is given with.
        description: what a reader sees there, and when to worry.
        expression: PromQL; a raw counter is read as `rate(...[$__rate_interval])`.
        unit: a Grafana unit such as `percentunit`, `reqps`, `s`, `ms`, `bytes` or `short`.
        legend: the name of each line; `{{label}}` becomes the label's value.
        limit: a value at which a line is drawn, in the unit; none by default.
        kind: `lines` over time; `figure` for one number now; `gauge` for a dial, one a series.
        steps: colours by value, from below; the first one without `at`.
        stacked: whether the lines are stacked, for shares of a whole.
        width: of 24 columns.
    """

    title: _Words
    description: _Words
    expression: PanelExpression
    unit: _Words
    legend: str = ""
    limit: Decimal | None = None
    kind: Literal["lines", "figure", "gauge"] = "lines"
    steps: tuple[Step, ...] = ()
    stacked: bool = False
    width: Literal[6, 8, 12, 24] = 12

    @model_validator(mode="after")
    def _rising(self) -> "Panel":
        if not self.steps:
            return self
        values = [step.at for step in self.steps[1:] if step.at is not None]
        if self.steps[0].at is not None or len(values) < len(self.steps) - 1 or values != sorted(set(values)):
            raise ValueError("`steps` go upwards: the first one without `at`, each other one with a larger `at`")
        if self.limit is not None:
            raise ValueError("give `limit` or `steps`, not both")
        return self


class CustomPanels(Definition):
    """The panels that are added to one service's dashboard.

    Args:
        service: whose dashboard.
        panels: in the order they are shown, after the objectives.
    """

    service: Service
    panels: tuple[Panel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> "CustomPanels":
        titles = [panel.title for panel in self.panels]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two panels bear the title `{title}`; readers tell panels apart by it")
        return self
