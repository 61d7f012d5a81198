"""A pooled PostgreSQL that is patient with short failures, and never for long."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

Connection = psycopg.AsyncConnection[DictRow]
T = TypeVar("T")

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_TRIES = 3
_PATIENCE = 2.0
"""Seconds that a request waits for the database at most, tries included."""
_FIRST_PAUSE = 0.05
_WAIT_FOR_CONNECTION = 0.5
_WAITING_PER_CONNECTION = 4
"""Requests that may queue for each connection; the next one is turned away at once."""

log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """The database did not answer within the patience of one request."""


class Database:
    """One pool of connections; where to connect comes from libpq's own environment variables.

    Args:
        pool_size: most connections.
    """

    def __init__(self, pool_size: int) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            "connect_timeout=2",
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs={"autocommit": True, "row_factory": dict_row, "options": "-c statement_timeout=1500"},
            min_size=2,
            max_size=pool_size,
            timeout=_WAIT_FOR_CONNECTION,
            max_waiting=_WAITING_PER_CONNECTION * pool_size,
            reconnect_timeout=5.0,
            reconnect_failed=_try_again,
            open=False,
            name="tasks",
        )
        self._running: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Start to fill the pool, without waiting for it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection, within two seconds."""
        await self._pool.close(timeout=2.0)

    async def row(self, query: LiteralString, parameters: Mapping[str, Any]) -> DictRow | None:
        """The first row of a statement that may safely be sent twice; None when there is none.

        Raises:
            DatabaseUnavailable: after `_PATIENCE` seconds or `_TRIES` tries, or at once when too many wait already.
        """
        return await self._patiently(lambda connection: _row(connection, query, parameters))

    async def rows(self, query: LiteralString, parameters: Mapping[str, Any]) -> list[DictRow]:
        """All rows of a statement that may safely be sent twice.

        Raises:
            DatabaseUnavailable: after `_PATIENCE` seconds or `_TRIES` tries, or at once when too many wait already.
        """
        return await self._patiently(lambda connection: _rows(connection, query, parameters))

    async def answers(self, within: float) -> bool:
        """Whether a trivial query comes back within so many seconds."""
        try:
            await self._within(within, self._once(_select_one, within))
        except (TimeoutError, *TRANSIENT):
            return False
        return True

    async def _patiently(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            return await self._within(_PATIENCE, self._tries(work, time.monotonic() + _PATIENCE))
        except (TimeoutError, *TRANSIENT) as error:
            raise DatabaseUnavailable(str(error) or "time-out") from error

    async def _within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        # Work that is late is left to end by itself, never cancelled: a cancelled wait can lose the pool a connection.
        # What is left cannot pile up: it holds one of the pool's connections, or the pool's own time-out ends it.
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise TimeoutError
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Nobody may be left to ask for it; unasked, asyncio would log it as lost.
            task.exception()

    async def _tries(self, work: Callable[[Connection], Awaitable[T]], until: float) -> T:
        for attempt in range(1, _TRIES):
            try:
                return await self._once(work, until - time.monotonic())
            except TooManyRequests:
                raise
            except TRANSIENT as error:
                log.warning("database try failed", extra={"attempt": attempt, "error": str(error)})
                await asyncio.sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        return await self._once(work, until - time.monotonic())

    async def _once(self, work: Callable[[Connection], Awaitable[T]], left: float) -> T:
        """One try; the pool raises PoolTimeout when no time is left."""
        connection = None
        try:
            async with self._pool.connection(timeout=min(_WAIT_FOR_CONNECTION, left)) as connection:
                return await work(connection)
        except TRANSIENT:
            if connection is not None and connection.closed:
                # After a restart of the database every pooled connection is dead; one check replaces them all.
                await self._pool.check()
            raise


async def _try_again(pool: AsyncConnectionPool[Any]) -> None:
    """Let a pool that has given up connect once more, and so on until the database is back.

    Left alone it would stay empty for ever under load: only a new request makes it grow, and none gets so far while
    its queue is full of requests whose patience is over, which the pool still counts.
    """
    await pool.check()


async def _select_one(connection: Connection) -> None:
    await connection.execute("select 1")


async def _row(connection: Connection, query: LiteralString, parameters: Mapping[str, Any]) -> DictRow | None:
    cursor = await connection.execute(query, parameters)
    return await cursor.fetchone()


async def _rows(connection: Connection, query: LiteralString, parameters: Mapping[str, Any]) -> list[DictRow]:
    cursor = await connection.execute(query, parameters)
    return await cursor.fetchall()
