"""Holds a lock on a table of a PostgreSQL: `python -m sloproof.lab.strain.locks ORDERS`.

Where to connect comes from libpq's own environment variables. It ends with its orders' `until`, or by a signal;
PostgreSQL then frees the lock by itself.
"""

import sys
import time
from pathlib import Path

import psycopg
from psycopg import sql

from sloproof.lab.strain.orders import Orders

_STEP = 0.1
_CONNECT = "connect_timeout=3"
_MODES = {"exclusive": sql.SQL("exclusive"), "access exclusive": sql.SQL("access exclusive")}
_TAKE = sql.SQL("lock table {table} in {mode} mode")
_WAITING = "select count(distinct pid) from pg_locks where not granted and %(holder)s = any(pg_blocking_pids(pid))"


def take(connection: psycopg.Connection, table: str, mode: str) -> None:
    """Take the lock in a transaction that stays open.

    Raises:
        psycopg.Error: there is no such table, or its lock was not to be had within 5 s.
    """
    connection.execute("set local lock_timeout = '5s'")
    connection.execute(_TAKE.format(table=sql.Identifier(table), mode=_MODES[mode]))


def main(arguments: list[str]) -> None:
    """Hold the lock until the orders' end."""
    orders = Orders(Path(arguments[0]))
    table, mode = str(orders["table"]), str(orders["mode"])
    with psycopg.connect(_CONNECT) as holder, psycopg.connect(_CONNECT, autocommit=True) as watcher:
        take(holder, table, mode)
        most = 0
        while not orders.last:
            row = watcher.execute(_WAITING, {"holder": holder.info.backend_pid}).fetchone()
            most = max(most, int(row[0]) if row else 0)
            evidence = f"`{table}` is locked (`{mode}`); at most {most} clients waited for it at once"
            orders.report(holds=1, felt=most, evidence=evidence)
            time.sleep(_STEP)


if __name__ == "__main__":
    main(sys.argv[1:])
