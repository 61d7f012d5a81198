"""Who may run a gate now, and which decision still counts: one gate at a time, and nothing stale."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

Decide = Callable[[str, str], Awaitable[dict[str, Any]]]
"""Decides a gate for a release."""
_MOST_KEPT = 100
"""Decisions; past that the oldest is forgotten, so that one who asks again for a new one does not start it again."""


@dataclass(frozen=True)
class Answer:
    """What can be said of a gate now.

    Args:
        state: decided, still running, or busy with another gate or release.
        document: the decision; else which gate runs.
    """

    state: Literal["decided", "running", "busy"]
    document: dict[str, Any]


class Desk:
    """Runs one gate at a time. Of one event loop.

    Args:
        decide: decides a gate.
        keep: for so many seconds after its end a decision answers those who ask for the same gate and release.
        clock: seconds, of a clock that never jumps.
    """

    def __init__(self, decide: Decide, *, keep: float, clock: Callable[[], float]) -> None:
        self._decide, self._keep, self._clock = decide, keep, clock
        self._decided: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._running: tuple[tuple[str, str], asyncio.Task[dict[str, Any]]] | None = None

    @property
    def busy_with(self) -> str:
        """The gate that runs; empty when none does."""
        return "" if self._running is None else self._running[0][0]

    async def ask(self, gate: str, release: str, wait: float) -> Answer:
        """The decision of a gate: one that still counts, else one that is begun now.

        Args:
            gate: its name.
            release: what is judged; empty when the caller did not say.
            wait: seconds to wait for it.
        """
        key = (gate, release)
        kept = self._kept(key)
        if kept is not None:
            return Answer("decided", kept)
        if self._running is None:
            self._running = (key, asyncio.create_task(self._run(key)))
        running, task = self._running
        if running != key:
            return Answer("busy", _state("BUSY", *running))
        await asyncio.wait({task}, timeout=wait)
        return Answer("decided", task.result()) if task.done() else Answer("running", _state("RUNNING", *key))

    async def close(self) -> None:
        """End what runs, and wait until it has put everything back."""
        if self._running is not None:
            task = self._running[1]
            task.cancel()
            await asyncio.wait({task})

    async def _run(self, key: tuple[str, str]) -> dict[str, Any]:
        try:
            document = await self._decide(*key)
            now = self._clock()
            self._decided = {one: kept for one, kept in self._decided.items() if now - kept[0] <= self._keep}
            self._decided[key] = (now, document)
            if len(self._decided) > _MOST_KEPT:
                del self._decided[min(self._decided, key=lambda one: self._decided[one][0])]
            return document
        finally:
            self._running = None

    def _kept(self, key: tuple[str, str]) -> dict[str, Any] | None:
        ended, document = self._decided.get(key, (float("-inf"), {}))
        return document if self._clock() - ended <= self._keep else None


def _state(word: str, gate: str, release: str) -> dict[str, Any]:
    return {"verdict": word, "gate": gate, "release": release, "findings": []}
