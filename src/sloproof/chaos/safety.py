"""What chaos runs of a workspace may do, and when: `[tool.sloproof.safety]`."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, field_validator, model_validator

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.faults import Fault
from sloproof.definition import Definition, Length, exact, format_duration, plain

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

PerCent = Annotated[Decimal, exact("percentage"), Field(gt=0)]


class Safety(Definition):
    """Limits of every chaos run of a workspace; what is not given is not limited.

    Args:
        days: of the week, on which a run may begin.
        hours: of the day, in which a run may begin and must end, as `09:00-17:00`; `22:00-06:00` goes past midnight.
        time_zone: in which days and hours are told, such as `Europe/Lisbon`; must be given with them.
        most_spend: of an error budget that one run may spend, per cent; predicted before it, measured during it.
        most_burn: times too fast that an error budget may burn, measured over the run.
        most_instances: that may be broken at once.
        most_percent: of the requests that a fault may spoil, per cent.
        longest_fault: that a fault may last.
        lab_budget: what is left of the error budget is a limit in a lab with divided windows, too. Nobody but the
            runs themselves sends traffic there, so a single fault spends such a budget.
    """

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True)

    days: tuple[Day, ...] = ()
    hours: str = ""
    time_zone: str = ""
    most_spend: PerCent | None = None
    most_burn: PerCent | None = None
    most_instances: Annotated[int, Field(ge=1)] | None = None
    most_percent: Annotated[PerCent, Field(le=100)] | None = None
    longest_fault: Length | None = None
    lab_budget: bool = False

    @field_validator("hours")
    @classmethod
    def _two_times(cls, hours: str) -> str:
        if hours:
            _clock_times(hours)
        return hours

    @model_validator(mode="after")
    def _a_known_zone(self) -> Self:
        if (self.days or self.hours) and not self.time_zone:
            raise ValueError('hours and days are told in a time zone; give `time-zone = "UTC"` or your own')
        if self.time_zone:
            try:
                ZoneInfo(self.time_zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"`{self.time_zone}` is no time zone; write it as `Europe/Lisbon` or `UTC`") from None
        return self

    def why_not_now(self, now: datetime, lasts: timedelta) -> str:
        """Why a run may not begin; empty when it may.

        Args:
            now: with its time zone.
            lasts: how long the run takes.
        """
        if not (self.days or self.hours):
            return ""
        zone = ZoneInfo(self.time_zone)
        local = now.astimezone(zone)
        if self.hours and not self._within(local, lasts):
            return (
                f"it is {local:%a %H:%M} in `{self.time_zone}`, and runs that last {format_duration(lasts)} "
                f"begin and end within {self.hours}"
            )
        day = DAYS[self._day_of(local).weekday()]
        if self.days and day not in self.days:
            return (
                f"it is `{day}` in `{self.time_zone}`, and runs begin on {', '.join(f'`{one}`' for one in self.days)}"
            )
        return ""

    def breaches(self, experiment: Experiment) -> Iterator[str]:
        """What an experiment does that no run may do, in words; nothing when it keeps every limit.

        Args:
            experiment: the definition.
        """
        for fault in experiment.faults:
            if self.longest_fault is not None and fault.length > self.longest_fault:
                yield f"`{fault.describe()}` lasts longer than {format_duration(self.longest_fault)}"
            percent = getattr(fault, "percent", None)
            if self.most_percent is not None and percent is not None and percent > self.most_percent:
                yield f"`{fault.describe()}` spoils more than {plain(self.most_percent)} % of the requests"
        broken = most_at_once(experiment.faults)
        if self.most_instances is not None and len(broken) > self.most_instances:
            names = ", ".join(f"`{name}`" for name in sorted(broken))
            yield f"{names} are broken at once, and at most {self.most_instances} may be"

    def _within(self, local: datetime, lasts: timedelta) -> bool:
        begin, end = self._opening(local)
        # Compared as moments, so that a change of the clocks in between counts as it should.
        return begin <= local and local.timestamp() + lasts.total_seconds() <= end.timestamp()

    def _opening(self, local: datetime) -> tuple[datetime, datetime]:
        """The stretch of hours that a moment lies in, or the next one of its day."""
        first, last = _clock_times(self.hours)
        day = self._day_of(local)
        begin = datetime.combine(day.date(), first, local.tzinfo)
        end = datetime.combine(day.date() + timedelta(days=1 if last <= first else 0), last, local.tzinfo)
        return begin, end

    def _day_of(self, local: datetime) -> datetime:
        """The day that an hour belongs to: after midnight, the stretch of the evening before goes on."""
        if self.hours:
            first, last = _clock_times(self.hours)
            if last <= first and local.time() < last:
                return local - timedelta(days=1)
        return local


def most_at_once(faults: Sequence[Fault]) -> frozenset[str]:
    """The instances that are broken at the moment when most of them are.

    Args:
        faults: of one experiment.
    """
    found: frozenset[str] = frozenset()
    for moment in (fault.at for fault in faults):
        broken = {
            str(name)
            for fault in faults
            if fault.at <= moment < fault.end and (name := getattr(fault, "instance", None)) is not None
        }
        found = max(found, frozenset(broken), key=len)
    return found


def _clock_times(hours: str) -> tuple[time, time]:
    parts = [part.strip() for part in hours.split("-")]
    try:
        first, last = (time.fromisoformat(part) for part in parts)
    except ValueError:
        raise ValueError(f"`{hours}` is no stretch of hours; write it as `09:00-17:00`") from None
    if first == last or any(moment.tzinfo for moment in (first, last)):
        raise ValueError(f"`{hours}` is no stretch of hours; write it as `09:00-17:00`, and the zone as `time-zone`")
    return first, last
