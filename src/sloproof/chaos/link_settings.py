"""Settings of links, which spoil what passes: how they are put back, and how it is seen that they work."""

from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.http_exchange import Unreachable
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.patience import insist
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed

_CLOCK_SLACK = 0.001


class LinksRestored(Undoing):
    """Put settings of links back.

    Args:
        control: base URL of the links' control port.
        settings: for each link, each setting's value before the fault.
        started_at: when that link process began, epoch seconds; a later one has lost the fault with its memory.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["links_restored"] = "links_restored"
    control: str
    settings: dict[str, dict[str, str]]
    started_at: float
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The control port."""
        return self.control

    def perform(self, patience: float) -> str:
        """Set them and read them back."""
        insist(lambda: self._links.change(self.settings))
        return "links read back: " + "; ".join(f"{name} {_plain(values)}" for name, values in self.settings.items())

    def ended(self) -> str | None:
        """Nothing listens there any more, or a link process that began later."""
        try:
            if self._links.started_at() > self.started_at + _CLOCK_SLACK:
                return f"the lab is down: other links now answer at `{self.control}`"
        except Unreachable as error:
            if error.refused:
                return f"the lab is down: the links at `{self.control}` are gone, and the fault with them"
        except (PartFailed, KeyError, ValueError):
            pass
        return None

    def is_over(self) -> bool:
        """The links have the settings that they had before."""
        try:
            return self._links.holds(self.settings)
        except PartFailed:
            return False

    @property
    def _links(self) -> LinkControl:
        return LinkControl(self.control, allowed=self.allowed)


class LinksSpoilt(Showing):
    """The settings of each link are as set, and something was seen to pass under them.

    Args:
        control: base URL of the links' control port.
        settings: for each link, the settings that the fault gave it.
        counter: which count of a link shows the effect.
        before: that count of each link before the fault.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["links_spoilt"] = "links_spoilt"
    control: str
    settings: dict[str, dict[str, str]]
    counter: str
    before: dict[str, int]
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Read the settings and the count of every link."""
        control = LinkControl(self.control, allowed=self.allowed)
        try:
            as_set = control.holds(self.settings)
            counts = control.counts(self.counter, list(self.settings))
        except PartFailed as error:
            return Observation(False, False, error.message)
        rises = {name: counts[name] - before for name, before in self.before.items()}
        rose = ", ".join(f"by {rise} on `{name}`" for name, rise in rises.items())
        settings = "the settings read back as set" if as_set else "the settings are not what was set"
        felt = as_set and any(rise > 0 for rise in rises.values())
        settled = as_set and all(rise > 0 for rise in rises.values())
        return Observation(felt, settled, f"{settings}; `{self.counter}` rose {rose}")


def _plain(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={value or 'none'}" for name, value in values.items())
