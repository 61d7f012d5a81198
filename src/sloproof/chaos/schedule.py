"""When experiments and drills run by themselves: cron expressions in a time zone, and what is done then."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator

from sloproof.chaos.experiment import Experiment
from sloproof.definition import Definition, Length, Name
from sloproof.slo import SLO

LATEST = timedelta(minutes=10)
RUN = timedelta(hours=1)
_FIELDS = 5
_PLAIN = re.compile(r"[0-9A-Za-z*,/ -]+")
_SPECIAL = re.compile(r"(?<![A-Za-z])L|LW|#")
"""The last day, and the second Sunday: only some of those who read a schedule know them."""


class Drill(Definition):
    """A drill of an objective, to be run by a schedule.

    Args:
        slo: the objective.
        tier: one burn tier; None for all of them.
        scale: what windows are divided by.
        all_of_service: drill every objective of its service together.
    """

    kind: Literal["drill"] = "drill"
    slo: SLO
    tier: Name | None = None
    scale: int = Field(default=60, ge=1)
    all_of_service: bool = False

    def __init__(self, slo: SLO, **others: Any) -> None:
        super().__init__(**{"slo": slo, **others})

    @model_validator(mode="after")
    def _one_or_all(self) -> Self:
        if self.tier is not None and self.all_of_service:
            raise ValueError("a `tier` is one objective's; leave it out where all of the service is drilled")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """The command after `sloproof`."""
        tier = ("--tier", self.tier) if self.tier else ()
        every = ("--all",) if self.all_of_service else ()
        return ("drill", self.slo.identity, *tier, *every, "--scale", str(self.scale))


class Errand(Definition):
    """What a schedule does: commands after `sloproof`, one after the other.

    Args:
        before: what is brought up first; empty for nothing.
        run: what it is about; its exit code is the errand's.
        after: what is ended in any case, unless `before` was refused; empty for nothing.
    """

    before: tuple[str, ...] = ()
    run: tuple[str, ...]
    after: tuple[str, ...] = ()


class Schedule(Definition):
    """When an experiment or a drill runs by itself.

    Args:
        name: short name, also of its timer, job and log.
        cron: five fields: minute, hour, day of the month, month, day of the week, such as `0 3 * * 1`.
        run: the experiment or the drill.
        timezone: the clock that the fields are told on, such as `Europe/Lisbon`.
        late: how late it may still begin: after that it is missed, and told to be.
        deadline: how long it may take before it is ended.
        own_system: an experiment's system is brought up for it and ended afterwards; False for one that runs anyway.
            A drill always has its own.
    """

    name: Name
    cron: str
    run: Annotated[Experiment | Drill, Field(union_mode="left_to_right")]
    timezone: str = "UTC"
    late: Length = LATEST
    deadline: Length = RUN
    own_system: bool = True

    @property
    def system(self) -> str:
        """The system that is broken."""
        return self.run.system if isinstance(self.run, Experiment) else self.run.slo.service.name

    @property
    def errand(self) -> Errand:
        """What is done."""
        if isinstance(self.run, Drill):
            return Errand(run=self.run.words)
        run = ("chaos", "run", self.run.name)
        if not self.own_system:
            return Errand(run=run)
        return Errand(before=("lab", "up", self.system), run=run, after=("lab", "down", self.system))

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every time it is due after a moment, in its own time zone; an hour that a clock skips is made up for."""
        return iter(CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone))))

    @field_validator("cron")
    @classmethod
    def _understood(cls, cron: str) -> str:
        cron = " ".join(cron.split())
        if len(cron.split()) != _FIELDS:
            raise ValueError(
                f"`{cron}` has not five fields: minute, hour, day of the month, month, day of the week, as `0 3 * * 1`"
            )
        if not _PLAIN.fullmatch(cron) or _SPECIAL.search(cron.upper().replace("JUL", "")):
            raise ValueError(
                f"`{cron}` uses more than numbers, names, `*`, `,`, `-` and `/`, which not every cron reads"
            )
        return cron

    @field_validator("timezone")
    @classmethod
    def _known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"`{timezone}` is no time zone; give one as `UTC` or `Europe/Lisbon`") from None
        return timezone

    @model_validator(mode="after")
    def _comes(self) -> Self:
        wrong = _wrong(self.cron)
        if wrong is None:
            return self
        minute, hour, day, _, weekday = self.cron.split()
        if _wrong(f"{minute} {hour} {day} * {weekday}") is None:
            raise ValueError(f"`{self.cron}` never comes: no year has such a day")
        raise ValueError(f"`{self.cron}` cannot be read: {wrong}")


def _wrong(cron: str) -> str | None:
    """What is wrong with an expression, in the library's words; None where it comes."""
    try:
        next(CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return str(error).lower()
    except StopIteration:
        return "it never comes"
    return None
