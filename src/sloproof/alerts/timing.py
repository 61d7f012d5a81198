"""The clock that rules run on: scrape and evaluation intervals, and the factor that divides every window."""

from datetime import timedelta

from pydantic import Field, model_validator

from sloproof.definition import Definition, Length, format_duration

SCRAPES_IN_BASE_WINDOW = 4
"""Below four scrapes a rate loses 2-3 % of the events and jumps (measured at 60 s scrapes)."""


class Timing(Definition):
    """How often things happen, and how much shorter every window is than its name says.

    Args:
        scale: the factor every window is divided by; 1 for real rules.
        scrape: the scrape interval of the servers that will run the rules, not divided.
        evaluation: how often the base and the paging rules are evaluated at scale 1.
        slow_evaluation: how often the windows of a day and more are evaluated at scale 1.
        base: the window of the two recorded series at scale 1.
    """

    scale: int = Field(default=1, ge=1)
    scrape: Length = timedelta(seconds=30)
    evaluation: Length = timedelta(seconds=30)
    slow_evaluation: Length = timedelta(minutes=2)
    base: Length = timedelta(minutes=5)

    @model_validator(mode="after")
    def _enough_scrapes(self) -> "Timing":
        if self.real(self.base) < self.scrape * SCRAPES_IN_BASE_WINDOW:
            raise ValueError(
                f"the base window of `{format_duration(self.base)}` divided by `{self.scale}` holds fewer than "
                f"{SCRAPES_IN_BASE_WINDOW} scrapes of `{format_duration(self.scrape)}`; "
                "scrape more often or divide by less"
            )
        return self

    def real(self, nominal: timedelta) -> timedelta:
        """The wall-clock length of a nominal one."""
        return nominal if self.scale == 1 else nominal / self.scale

    def slo_steps(self, window: timedelta) -> int:
        """How many evaluations of the base rules a nominal window holds; the scale divides both, so it cancels."""
        return window // self.evaluation


REAL = Timing()
"""Real windows, with scrapes and evaluations every 30 s."""
