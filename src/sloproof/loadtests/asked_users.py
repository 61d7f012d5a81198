"""How many users a shape asks for from moment to moment, at the speed at which it lets them come and go."""

import math


class AskedUsers:
    """The number of users that should run, told each change as it is asked for."""

    def __init__(self) -> None:
        self._since = 0.0
        self._first = 0.0
        self._goal = 0
        self._speed = math.inf

    def change(self, at: float, users: int, spawn_rate: float) -> None:
        """From a moment on, another number is asked for.

        Args:
            at: seconds, on any clock that goes on.
            users: how many there are to be.
            spawn_rate: how many come or go in a second until then.
        """
        self._first, self._since = self._at(at), at
        self._goal, self._speed = users, spawn_rate if spawn_rate > 0 else math.inf

    def at(self, when: float) -> int:
        """How many there should be by a moment, rounded down."""
        return math.floor(self._at(when))

    def _at(self, when: float) -> float:
        moved = self._speed * max(0.0, when - self._since) if when > self._since else 0.0
        missing = self._goal - self._first
        return float(self._goal) if moved >= abs(missing) else self._first + math.copysign(moved, missing)
