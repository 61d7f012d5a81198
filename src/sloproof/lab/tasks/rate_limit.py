"""A token bucket for each user, in the instance's memory."""

from collections.abc import Hashable

_MOST_BUCKETS = 10_000


class RateLimit:
    """Lets a user through at a steady rate, with bursts of two seconds' worth.

    Args:
        rate: requests per second; 0 lets everything through.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._burst = max(1.0, 2 * rate)
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def admits(self, user: Hashable, now: float) -> bool:
        """Whether a request of this user may go on.

        Args:
            user: whose bucket.
            now: monotonic seconds.
        """
        if self._rate <= 0:
            return True
        if len(self._buckets) >= _MOST_BUCKETS:
            self._buckets.clear()
        tokens, at = self._buckets.get(user, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        admitted = tokens >= 1
        self._buckets[user] = (tokens - 1 if admitted else tokens, now)
        return admitted
