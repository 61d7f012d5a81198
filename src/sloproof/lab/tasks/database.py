"""A pooled PostgreSQL that is patient with short failures, and never for long."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

Connection = psycopg.AsyncConnection[DictRow]
T = TypeVar("T")

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TooManyRequests)
_TRIES = 3
_PATIENCE = 2.0
"""Seconds that a request waits for the database at most, tries included."""
_FIRST_PAUSE = 0.05

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
            timeout=0.5,
            max_waiting=200,
            reconnect_timeout=5.0,
            open=False,
            name="tasks",
        )

    async def open(self) -> None:
        """Start to fill the pool, without waiting for it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection, within two seconds."""
        await self._pool.close(timeout=2.0)

    async def row(self, query: LiteralString, parameters: Mapping[str, Any]) -> DictRow | None:
        """The first row of a statement that may safely be sent twice; None when there is none.

        Raises:
            DatabaseUnavailable: after `_PATIENCE` seconds or `_TRIES` tries.
        """
        return await self._patiently(lambda connection: _row(connection, query, parameters))

    async def rows(self, query: LiteralString, parameters: Mapping[str, Any]) -> list[DictRow]:
        """All rows of a statement that may safely be sent twice.

        Raises:
            DatabaseUnavailable: after `_PATIENCE` seconds or `_TRIES` tries.
        """
        return await self._patiently(lambda connection: _rows(connection, query, parameters))

    async def answers(self, within: float) -> bool:
        """Whether a trivial query comes back within so many seconds."""
        try:
            async with asyncio.timeout(within), self._pool.connection() as connection:
                await connection.execute("select 1")
        except (TimeoutError, *TRANSIENT):
            return False
        return True

    async def _patiently(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._tries(work)
        except (TimeoutError, *TRANSIENT) as error:
            raise DatabaseUnavailable(str(error) or "time-out") from error

    async def _tries(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        for attempt in range(1, _TRIES):
            try:
                return await self._once(work)
            except TRANSIENT as error:
                log.warning("database try failed", extra={"attempt": attempt, "error": str(error)})
                await asyncio.sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
                # After a restart of the database every pooled connection is dead; one check replaces them all.
                await self._pool.check()
        return await self._once(work)

    async def _once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._pool.connection() as connection:
            return await work(connection)


async def _row(connection: Connection, query: LiteralString, parameters: Mapping[str, Any]) -> DictRow | None:
    cursor = await connection.execute(query, parameters)
    return await cursor.fetchone()


async def _rows(connection: Connection, query: LiteralString, parameters: Mapping[str, Any]) -> list[DictRow]:
    cursor = await connection.execute(query, parameters)
    return await cursor.fetchall()
