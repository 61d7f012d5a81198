"""A cache in front of the database's reads: it makes them cheap, and its loss makes nothing wrong.

Whatever goes wrong with it counts as a miss. After a failure it is left alone for a moment, so that a cache that
hangs costs a few requests its time-out and not all of them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sloproof.lab.tasks.metrics import CacheMetrics

TIME_TO_LIVE = 5
"""Seconds that an answer is kept; the longest that it can be stale, too, when a write could not reach the cache."""

PATIENCE = 0.1
"""Seconds that one command may take."""

LEFT_ALONE = 1.0
"""Seconds without another try after a failure."""

_IDLE = 16


class CacheFailed(Exception):
    """The cache did not answer in time, or not as it should."""


class Redis:
    """A few connections to one Redis, each for one command at a time.

    Args:
        port: where it answers on loopback.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._rest_until = 0.0

    async def send(self, *commands: tuple[str | bytes, ...]) -> list[bytes | None]:
        """Send commands together and read their answers.

        Raises:
            CacheFailed: not answered within `PATIENCE`, refused, or failed a moment ago.
        """
        if time.monotonic() < self._rest_until:
            raise CacheFailed("it failed a moment ago")
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._exchange(commands)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self._rest_until = time.monotonic() + LEFT_ALONE
            raise CacheFailed(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _exchange(self, commands: tuple[tuple[str | bytes, ...], ...]) -> list[bytes | None]:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(b"".join(_encoded(command) for command in commands))
            answers = [await _answer(reader) for _ in commands]
        except BaseException:
            # An answer that comes late must not be taken for that of another command.
            writer.transport.abort()
            raise
        if len(self._idle) < _IDLE:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return answers


class AnswerCache:
    """Ready answers of one kind, kept for their owner until the owner changes something.

    Args:
        redis: where they are kept; None to keep none.
        metrics: where hits, misses and failures are counted.
    """

    def __init__(self, redis: Redis | None, metrics: CacheMetrics) -> None:
        self._redis = redis
        self._metrics = metrics

    async def read(self, owner: str, name: str, make: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        """An answer from the cache, or made and kept.

        Args:
            owner: whose answer it is.
            name: which of the owner's answers.
            make: makes it; None is not kept.
        """
        if self._redis is None:
            return await make()
        try:
            (kept,) = await self._redis.send(("HGET", _key(owner), name))
        except CacheFailed:
            self._metrics.error()
            return await make()
        if kept is not None:
            self._metrics.hit()
            return kept
        self._metrics.miss()
        made = await make()
        if made is not None:
            await self._keep(owner, name, made)
        return made

    async def forget(self, owner: str) -> None:
        """Drop all answers of an owner who has changed something."""
        if self._redis is not None:
            await self._tried(("DEL", _key(owner)))

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.close()

    async def _keep(self, owner: str, name: str, made: bytes) -> None:
        key = _key(owner)
        await self._tried(("HSET", key, name, made), ("EXPIRE", key, str(TIME_TO_LIVE)))

    async def _tried(self, *commands: tuple[str | bytes, ...]) -> None:
        assert self._redis is not None
        try:
            await self._redis.send(*commands)
        except CacheFailed:
            self._metrics.error()


def _key(owner: str) -> str:
    return f"tarefas:{owner}"


def _encoded(command: tuple[str | bytes, ...]) -> bytes:
    words = [word.encode() if isinstance(word, str) else word for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


async def _answer(reader: asyncio.StreamReader) -> bytes | None:
    head = (await reader.readuntil(b"\r\n")).rstrip()
    if head[:1] in b"+:":
        return head[1:]
    if head[:1] != b"$":
        raise ValueError(head[1:].decode(errors="replace"))
    length = int(head[1:])
    return None if length < 0 else (await reader.readexactly(length + 2))[:-2]
