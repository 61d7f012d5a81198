"""Holds the connections of a PostgreSQL, idle in a transaction: `python -m sloproof.lab.strain.connections ORDERS`.

Where to connect comes from libpq's own environment variables. It ends with its orders' `until`, or by a signal;
PostgreSQL then frees every connection by itself.
"""

import sys
import time
from pathlib import Path

import psycopg

from sloproof.lab.strain.orders import Orders

_STEP = 0.1
_CONNECT = "connect_timeout=3"
_OTHERS = """
    select pid from pg_stat_activity
    where usename = current_user and backend_type = 'client backend' and pid <> all(%(mine)s)
    order by backend_start
"""
_USABLE = """
    select sum(case name when 'max_connections' then setting::int else -setting::int end)
    from pg_settings where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
"""


class Held:
    """The connections that are held.

    Args:
        leave: how many others may have.
    """

    def __init__(self, leave: int) -> None:
        # One that is in no transaction: within one, `pg_stat_activity` is read once and then repeated.
        self._watcher = psycopg.connect(_CONNECT, autocommit=True)
        self._connections: list[psycopg.Connection] = []
        self._leave = leave
        row = self._watcher.execute(_USABLE).fetchone()
        self._wanted = max(1, int(row[0] if row else 0) - leave)
        self.refused = 0

    @property
    def count(self) -> int:
        """How many are held, the watching one included."""
        return len(self._connections) + 1

    @property
    def complete(self) -> bool:
        """Whether nobody else can have more than is left for them."""
        return self.count >= self._wanted

    def grow(self) -> None:
        """Open connections until none is to be had; then end those of others that are too many."""
        try:
            while not self.complete:
                self._connections.append(self._open())
        except psycopg.OperationalError:
            self.refused += 1
            self._end_others(self._wanted - self.count)

    def others(self) -> int:
        """How many others are connected."""
        return len(self._pids_of_others())

    def _end_others(self, too_many: int) -> None:
        for pid in self._pids_of_others()[:too_many]:
            self._watcher.execute("select pg_terminate_backend(%s)", (pid,))

    def _pids_of_others(self) -> list[int]:
        mine = [connection.info.backend_pid for connection in (self._watcher, *self._connections)]
        return [pid for (pid,) in self._watcher.execute(_OTHERS, {"mine": mine}).fetchall()]

    @staticmethod
    def _open() -> psycopg.Connection:
        connection = psycopg.connect(_CONNECT)
        connection.execute("select 1")
        # The transaction stays open: a forgotten `commit` is how clients leak connections.
        return connection


def refused(leave: int) -> bool:
    """Whether one more client is refused; not asked where connections are left for others."""
    if leave:
        return False
    try:
        psycopg.connect(_CONNECT).close()
    except psycopg.OperationalError:
        return True
    return False


def main(arguments: list[str]) -> None:
    """Hold connections until the orders' end."""
    orders = Orders(Path(arguments[0]))
    leave = int(orders["leave"])
    held = Held(leave)
    while not orders.last:
        held.grow()
        if held.complete:
            # With some left for others, being complete is the effect; with none, a client must be seen refused.
            held.refused += refused(leave)
            felt = held.refused if leave == 0 else 1
            others = held.others()
            evidence = f"{held.count} connections are held, {others} are left to others, {held.refused} were refused"
            orders.report(holds=held.count, felt=felt, evidence=evidence)
            time.sleep(5 * _STEP)
        else:
            time.sleep(_STEP)


if __name__ == "__main__":
    main(sys.argv[1:])
