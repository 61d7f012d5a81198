"""A cache that was emptied: how that is seen; what it held comes back by itself."""

from typing import Literal

from sloproof.chaos.dependency_protocol import flushes, redis_command
from sloproof.chaos.effect import Observation, Showing
from sloproof.errors import PartFailed


class CacheEmptied(Showing):
    """A cache has been flushed since the fault began.

    Args:
        name: the cache.
        url: where it answers.
        flushes: how many flushes it had counted before.
        keys: how many keys it held before.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["cache_emptied"] = "cache_emptied"
    name: str
    url: str
    flushes: int
    keys: int
    allowed: tuple[str, ...] = ()

    def observe(self) -> Observation:
        """Read the cache's own count of flushes."""
        try:
            times = flushes(self.url, allowed=self.allowed) - self.flushes
            keys = int(redis_command(self.url, "DBSIZE", allowed=self.allowed))
        except (OSError, PartFailed) as error:
            return Observation(False, False, str(error))
        live = times > 0 and self.keys > 0
        counted = f"`{self.name}` counts {times} flush{'' if times == 1 else 'es'}"
        return Observation(live, live, f"{counted}; it held {self.keys} keys, now {keys}")
