"""Which load is to run, against what: a profile of the workspace or any locustfile, the lab or a given target."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.distribution import MASTER, distribution_of
from sloproof.cli.numbers import share_of
from sloproof.cli.options import duration
from sloproof.errors import UsageError
from sloproof.loadtests.locust_process import GivenLocustfile
from sloproof.loadtests.plan import MOST_USERS
from sloproof.loadtests.profile import LoadProfile

if TYPE_CHECKING:
    from sloproof.loadtests.distribution import Distribution
    from sloproof.workspace import Workspace

UNNAMED = "unnamed"
"""The system of a locustfile that nobody named."""
FOR_A_WHILE = timedelta(minutes=1)
"""How long a locustfile without a shape runs where nobody says."""
LONGEST = timedelta(hours=1)
"""How long a shape may go on where nobody says."""
_NO_LETTER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What was typed after `sloproof load run`; None for what was not."""

    name: str | None = None
    locustfile: str | None = None
    system: str | None = None
    users: int | None = None
    spawn_rate: str | None = None
    duration: str | None = None
    target: str | None = None
    fraction: str = "1"
    stop_early: bool | None = None
    processes: int | None = None
    expect_workers: int | None = None
    master_bind: str = MASTER
    against: str | None = None

    @property
    def command(self) -> str:
        """The command that does the same again."""
        options = {
            "locustfile": self.locustfile,
            "system": self.system,
            "users": self.users,
            "spawn-rate": self.spawn_rate,
            "duration": self.duration,
            "target": self.target,
            "fraction": None if self.fraction == "1" else self.fraction,
            "processes": self.processes,
            "expect-workers": self.expect_workers,
            "master-bind": None if self.master_bind == MASTER else self.master_bind,
            "against": self.against,
        }
        typed = [f"--{option} {value}" for option, value in options.items() if value is not None]
        if self.stop_early is not None:
            typed.append("--stop-early" if self.stop_early else "--to-the-end")
        return " ".join(["sloproof load run", *([self.name] if self.name else []), *typed])


@dataclass(frozen=True)
class ChosenLoad:
    """What runs.

    Args:
        profile: the load.
        given: a locustfile in place of the profile's own.
        target: the address to load; empty for the locustfile's own hosts; None for the lab of the profile's system.
        distribution: the processes that send it; None for one.
    """

    profile: LoadProfile
    given: GivenLocustfile | None
    target: str | None
    distribution: "Distribution | None" = None


def chosen_load(workspace: "Workspace", wishes: Wishes) -> ChosenLoad:
    """What to run.

    Raises:
        UsageError: the words contradict each other, or name what does not exist.
    """
    load = _load(workspace, wishes)
    profile = load.profile
    if wishes.stop_early is not None:
        profile = profile.model_copy(update={"stop_early": wishes.stop_early})
    processes = wishes.processes or profile.processes
    distribution = distribution_of(processes, wishes.expect_workers, wishes.master_bind)
    return replace(load, profile=profile, distribution=distribution)


def _load(workspace: "Workspace", wishes: Wishes) -> ChosenLoad:
    if (wishes.name is None) == (wishes.locustfile is None):
        raise UsageError(
            "give the name of a load profile, or a locustfile, and not both",
            hint="`sloproof load run steady`, or `sloproof load run --locustfile FILE --target URL`",
        )
    if wishes.locustfile is None:
        return _named(workspace, wishes)
    system = wishes.system or UNNAMED
    given, profile = _given(wishes.locustfile, system, wishes)
    if wishes.target is not None or wishes.system is None:
        return ChosenLoad(profile, given, wishes.target or "")
    _require_in_lab(system, f"--locustfile {wishes.locustfile} --system {system}")
    return ChosenLoad(profile, given, None)


def _named(workspace: "Workspace", wishes: Wishes) -> ChosenLoad:
    own = {"--users": wishes.users, "--spawn-rate": wishes.spawn_rate, "--duration": wishes.duration}
    told = [option for option, value in {**own, "--system": wishes.system}.items() if value is not None]
    if told:
        raise UsageError(
            f"`{told[0]}` goes with `--locustfile`: a load profile says that itself",
            hint="`--fraction` runs a profile in a part of its length",
        )
    profile = workspace.named(LoadProfile, wishes.name or "").shortened(share_of(wishes.fraction))
    if wishes.target is None:
        _require_in_lab(profile.system, profile.name)
    return ChosenLoad(profile, None, wishes.target)


def _require_in_lab(system: str, words: str) -> None:
    from sloproof.lab.systems import SYSTEMS

    if system not in SYSTEMS:
        raise UsageError(
            f"the lab does not run `{system}`",
            hint=f"give the address of one that runs: `sloproof load run {words} --target URL`",
        )


def _given(text: str, system: str, wishes: Wishes) -> tuple[GivenLocustfile, LoadProfile]:
    path = Path(text)
    if path.suffix != ".py":
        raise UsageError(f"`{text}` is no locustfile", hint="give the path of a Python file")
    if wishes.users is not None and not 1 <= wishes.users <= MOST_USERS:
        raise UsageError(f"`--users {wishes.users}` cannot be run", hint=f"give at least 1 and at most {MOST_USERS:,}")
    asked = None if wishes.duration is None else duration(wishes.duration, "--duration")
    profile = LoadProfile(
        name=_NO_LETTER.sub("-", path.stem.lower()).strip("-0123456789") or "given",
        system=system,
        locustfile=path.name,
        users=1 if wishes.users is None else wishes.users,
        spawn_rate=_rate(wishes.spawn_rate),
        duration=asked or FOR_A_WHILE,
    )
    given = GivenLocustfile(path=path, folder=Path.cwd(), longest=asked or LONGEST)
    return given, profile.shortened(share_of(wishes.fraction))


def _rate(text: str | None) -> Decimal:
    """Users started in a second; Locust's own default is one."""
    try:
        rate = Decimal(text or "1")
    except InvalidOperation as error:
        raise UsageError(f"`--spawn-rate {text}` is no number", hint="give users per second, as `10`") from error
    if not rate.is_finite() or rate <= 0:
        raise UsageError(f"`--spawn-rate {text}` starts nobody", hint="give users per second, as `10`")
    return rate
