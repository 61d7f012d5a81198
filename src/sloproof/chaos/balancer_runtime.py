"""Runtime keys of an Envoy, which spoil requests: how they are put back, and how it is seen that they work."""

from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import Unreachable
from sloproof.chaos.patience import insist
from sloproof.chaos.undoing import Undoing
from sloproof.errors import PartFailed

_CLOCK_SLACK = 2.0  # Envoy tells its uptime in whole seconds


class EnvoyRuntime(Undoing):
    """Put runtime keys of an Envoy back.

    Args:
        admin: base URL of its admin port.
        values: the value of each key before the fault; an empty string takes the override away.
        envoy_started_at: when that Envoy began, epoch seconds; a later one has lost the fault with its memory.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["envoy_runtime"] = "envoy_runtime"
    admin: str
    values: dict[str, str]
    envoy_started_at: float
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The admin port."""
        return self.admin

    def perform(self, patience: float) -> str:
        """Set the keys and read them back."""
        insist(lambda: self._envoy.override(self.values))
        return "runtime keys read back: " + ", ".join(f"{key}={value or 'unset'}" for key, value in self.values.items())

    def ended(self) -> str | None:
        """Nothing listens there any more, or an Envoy that began later."""
        gone = f"the lab is down: the Envoy at `{self.admin}` is gone, and the fault with it"
        try:
            later = self._envoy.started_at() > self.envoy_started_at + _CLOCK_SLACK
            return f"the lab is down: another Envoy now answers at `{self.admin}`" if later else None
        except Unreachable as error:
            return gone if error.refused else None
        except (PartFailed, KeyError, ValueError):
            return None

    def is_over(self) -> bool:
        """The keys are as they were."""
        try:
            return self._envoy.overrides(list(self.values)) == self.values
        except PartFailed:
            return False

    @property
    def _envoy(self) -> EnvoyAdmin:
        return EnvoyAdmin(self.admin, allowed=self.allowed)


class RequestsSpoilt(Showing):
    """The fault filter's own counter rises while its keys are set.

    Args:
        admin: base URL of the Envoy's admin port.
        counter: `delays_injected` or `aborts_injected`.
        before: what it stood at before the fault.
        values: the runtime keys that the fault sets.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["requests_spoilt"] = "requests_spoilt"
    admin: str
    counter: str
    before: int
    values: dict[str, str]
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Read the keys and the counter."""
        admin = EnvoyAdmin(self.admin, allowed=self.allowed)
        try:
            keys_set = admin.overrides(list(self.values)) == self.values
            spoilt = admin.injected(self.counter) - self.before
        except PartFailed as error:
            return Observation(False, False, error.message)
        keys = "the runtime keys read back as set" if keys_set else "the runtime keys are not what was set"
        live = keys_set and spoilt > 0
        return Observation(live, live, f"{keys}; Envoy's `{self.counter}` rose by {spoilt}")
