"""What every row of a report is made of."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sloproof.definition import Definition

Verdict = Literal["PASS", "FAIL", "UNDECIDED"]
Unit = Literal["requests/s", "ms", "ratio", "x", "count"]


def _measured(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Measurement = Annotated[float | None, BeforeValidator(_measured)]
"""A number, or None where nothing was measured; NaN and infinities count as not measured."""

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[float, Measurement]
"""Epoch seconds and a value in the chart's unit."""


class Recorded(Definition):
    """A value that reads back what it wrote: derived figures are written, and worked out anew when read."""

    @model_validator(mode="before")
    @classmethod
    def _without_derived(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if key not in cls.model_computed_fields}
