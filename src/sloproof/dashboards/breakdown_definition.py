"""A dashboard that splits a service's requests by one label, as a workspace asks for it."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sloproof import names
from sloproof.dashboards.custom import PanelExpression
from sloproof.definition import Definition
from sloproof.slo import Service
from sloproof.slo.indicators import SelectorText

_Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Label = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class Breakdown(Definition):
    """One page that splits a service's requests by a label: by route, by tenant, by instance.

    Args:
        service: whose requests.
        label: of the series; `route`, `tenant`, `instance`, ...
        requests: selector of the counter of all requests.
        errors: selector of the counter of failed requests.
        histogram: selector of the latency histogram, named without `_bucket`; none where there is none.
        unit: the unit of the histogram's bucket edges.
        even: the values should have equal shares, as instances behind a balancer; the page then shows how even they
            are, and marks one that has more than `most` of its fair share.
        most: times the fair share above which one value has too much; only read where shares should be even.
        description: one sentence on what the values are.
    """

    service: Service
    label: _Label
    requests: SelectorText
    errors: SelectorText
    histogram: SelectorText | None = None
    unit: Literal["seconds", "milliseconds"] = "seconds"
    even: bool = False
    most: Annotated[Decimal, Field(gt=1)] = Decimal("1.5")
    description: _Words

    @property
    def dashboard(self) -> str:
        """The name of its dashboard."""
        return names.breakdown_dashboard(self.service.name, self.label)

    @property
    def latency_unit(self) -> str:
        """Grafana's name of the histogram's unit."""
        return "ms" if self.unit == "milliseconds" else "s"


class Capacity(Definition):
    """What fills up as a service grows, and whose exhaustion can be foreseen: CPU, connections, disk.

    Args:
        service: who uses it.
        title: a few words; unique within the service.
        description: what is full at the limit, and what to do before.
        expression: PromQL for what is used; a raw counter is read as `rate(...[$__rate_interval])`.
        limit: how much there is, in the unit.
        unit: a Grafana unit such as `percentunit`, `short` or `bytes`.
        legend: the name of each line; `{{label}}` becomes the label's value.
    """

    service: Service
    title: _Words
    description: _Words
    expression: PanelExpression
    limit: Annotated[Decimal, Field(gt=0)]
    unit: _Words
    legend: str = ""
