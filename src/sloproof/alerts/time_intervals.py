"""Times of the week, for tickets that can wait until somebody is there."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from sloproof.definition import Definition, Name

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
END_OF_DAY = "24:00"
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"


class TimeInterval(Definition):
    """A part of each week.

    Args:
        name: what it is called in routes, such as `nights`.
        weekdays: the days it begins on; empty means every day.
        start: when it begins on each of them, `HH:MM`.
        end: when it ends, `HH:MM` or `24:00`; at or before `start` means on the next day.
        location: the time zone, such as `Europe/Lisbon`; UTC by default.
    """

    name: Name
    weekdays: tuple[Weekday, ...] = ()
    start: str = Field(default="00:00", pattern=_TIME)
    end: str = Field(default=END_OF_DAY, pattern=_TIME)
    location: str = Field(default="UTC", min_length=1)

    @field_validator("start")
    @classmethod
    def _begins(cls, start: str) -> str:
        if start == END_OF_DAY:
            raise ValueError("`24:00` ends a day; an interval that begins there begins at `00:00` of the next one")
        return start

    @model_validator(mode="after")
    def _lasts(self) -> "TimeInterval":
        if self.start == self.end:
            raise ValueError(f"it begins and ends at `{self.start}`; for whole days leave `start` and `end` out")
        return self

    def document(self) -> dict[str, Any]:
        """The interval as Alertmanager reads it; one that crosses midnight becomes two parts."""
        if self.start < self.end:
            return {"name": self.name, "time_intervals": [self._part(self.start, self.end, self.weekdays)]}
        next_days = tuple(WEEK[(WEEK.index(day) + 1) % len(WEEK)] for day in self.weekdays)
        parts = [self._part(self.start, END_OF_DAY, self.weekdays)]
        if self.end != "00:00":
            parts.append(self._part("00:00", self.end, next_days))
        return {"name": self.name, "time_intervals": parts}

    def _part(self, start: str, end: str, weekdays: tuple[Weekday, ...]) -> dict[str, Any]:
        days = {"weekdays": list(weekdays)} if weekdays else {}
        return {"times": [{"start_time": start, "end_time": end}], **days, "location": self.location}
