"""Whether a dependency can do its work, asked in its own protocol and without a password."""

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from sloproof.errors import PartFailed
from sloproof.targets import check_target

TIMEOUT = 2.0
"""Seconds for connecting, and again for each read."""

_PROTOCOL_3 = 196_608  # PostgreSQL's wire protocol, version 3.0
_AUTHENTICATION = b"R"


def accepts(url: str, *, allowed: Sequence[str] = ()) -> bool:
    """Whether a dependency accepts work at this moment.

    A PostgreSQL that is starting or stopping refuses before it asks for a password, one that is full does so too;
    this is what `pg_isready` looks at. A Redis must answer `PING`.

    Args:
        url: `postgresql://host:port/database` or `redis://host:port`.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        Refused: the target is not allowed; nothing was sent.
        PartFailed: the URL's protocol is not known.
    """
    scheme = urlsplit(url).scheme
    try:
        if scheme == "postgresql":
            return _postgres_answer(url, allowed) == _AUTHENTICATION
        if scheme == "redis":
            return redis_command(url, "PING", allowed=allowed) == "PONG"
    except OSError:
        return False
    raise PartFailed(f"no way to ask `{url}` whether it works")


def flushes(url: str, *, allowed: Sequence[str] = ()) -> int:
    """How often a Redis was emptied since it started.

    Raises:
        Refused: the target is not allowed; nothing was sent.
        OSError: it does not answer.
    """
    stats = redis_command(url, "INFO", "commandstats", allowed=allowed).splitlines()
    line = next((line for line in stats if line.startswith("cmdstat_flushall:")), "calls=0,")
    return int(line.partition("calls=")[2].partition(",")[0])


def redis_command(url: str, *words: str, allowed: Sequence[str] = ()) -> str:
    """Send one command to a Redis and read its whole answer.

    Args:
        url: `redis://host:port`.
        words: the command.
        allowed: targets beyond loopback that the workspace lists.

    Returns:
        The answer, a simple string, a number or a bulk string, as text.

    Raises:
        Refused: the target is not allowed; nothing was sent.
        OSError: it does not answer.
        PartFailed: it answered with an error.
    """
    with _connected(url, allowed) as connection, connection.makefile("rb") as answers:
        parts = [word.encode() for word in words]
        connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        head = answers.readline().decode().rstrip("\r\n")
        if head.startswith("-"):
            raise PartFailed(f"`{url}` refused `{words[0]}`: {head[1:]}")
        if head.startswith("$"):
            return answers.read(int(head[1:])).decode()
        return head[1:]


def _postgres_answer(url: str, allowed: Sequence[str]) -> bytes:
    database = urlsplit(url).path.strip("/")
    fields = b"".join(word.encode() + b"\0" for word in ("user", database, "database", database)) + b"\0"
    with _connected(url, allowed) as connection:
        connection.sendall(struct.pack("!ii", len(fields) + 8, _PROTOCOL_3) + fields)
        return connection.recv(1)


@contextmanager
def _connected(url: str, allowed: Sequence[str]) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    check_target(url, allowed)
    with socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT) as connection:
        yield connection
