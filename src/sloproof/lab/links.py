"""The network between the instances and their dependencies, as a process that can spoil it.

Run as `python -m sloproof.lab.links FILE`; the standard library is all it needs. FILE holds
`{"control": port, "links": {name: {"listen": port, "upstream": port}}}`; every port is on loopback.

The control port speaks HTTP: `GET /healthz`, `GET /links` for every link with its settings and counts, and
`POST /links/NAME?SETTING=VALUE` to change settings of one link (see `Settings`). Settings live in memory: a link
process that is started again spoils nothing.
"""

import asyncio
import json
import random
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

LOOPBACK = "127.0.0.1"
CUTS = ("", "blackhole", "reset")
_CHUNK = 65_536
_QUEUE = 64
_SLICES_PER_SECOND = 20
_CONNECT_TIMEOUT = 5.0
_CONTROL_TIMEOUT = 5.0
_LONGEST_REQUEST = 8192
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


@dataclass
class Settings:
    """How one link treats what passes through it.

    Args:
        delay_ms: every answer arrives so much later, milliseconds.
        bytes_per_second: most that passes in each direction of each connection; 0 for no limit.
        cut: `reset` ends connections with RST; `blackhole` accepts and passes nothing on until it is lifted, as
            a network that loses every packet does (TCP sends them again afterwards); empty for neither.
        percent: how many of the connections `cut` hits, per cent.
    """

    delay_ms: float = 0.0
    bytes_per_second: int = 0
    cut: str = ""
    percent: float = 100.0

    def changed(self, values: dict[str, str]) -> "Settings":
        """A copy with other values.

        Raises:
            ValueError: no such setting, or a value that cannot be.
        """
        known = {name: type(value) for name, value in asdict(self).items()}
        if strangers := values.keys() - known.keys():
            raise ValueError(f"no setting `{sorted(strangers)[0]}`")
        made = Settings(**{**asdict(self), **{name: known[name](value) for name, value in values.items()}})
        if made.cut not in CUTS or not 0 < made.percent <= 100 or not 0 <= made.delay_ms <= 60_000:  # noqa: PLR2004
            raise ValueError("a value that cannot be")
        if made.bytes_per_second < 0:
            raise ValueError("`bytes_per_second` is below 0")
        return made


@dataclass
class Counts:
    """What happened on one link since its process began.

    Args:
        connections: connections that were opened.
        open: connections that are open now.
        delayed: pieces of answers that came late.
        limited: pieces that had to wait for bandwidth.
        held: connections on which something was held back.
        reset: connections that were ended with RST.
        unreached: connections for which the dependency could not be reached.
    """

    connections: int = 0
    open: int = 0
    delayed: int = 0
    limited: int = 0
    held: int = 0
    reset: int = 0
    unreached: int = 0


@dataclass(eq=False)
class Connection:
    """One connection through a link: the client's end, and the dependency's once it is reached."""

    client: asyncio.StreamWriter
    dice: float
    upstream: asyncio.StreamWriter | None = None
    was_held: bool = False

    def reset(self) -> None:
        """End both ends with RST."""
        for end in (self.client, self.upstream):
            if end is not None:
                _reset(end)


@dataclass(eq=False)
class Link:
    """One loopback port that leads to one dependency.

    Args:
        name: such as `a1-postgres`.
        listen: where the instance connects.
        upstream: the dependency's own port.
    """

    name: str
    listen: int
    upstream: int
    settings: Settings = field(default_factory=Settings)
    counts: Counts = field(default_factory=Counts)
    connections: set[Connection] = field(default_factory=set)
    _lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def apply(self, settings: Settings) -> None:
        """Treat everything so from now on, the open connections included."""
        self.settings = settings
        # Whoever is held looks again at the new settings.
        self._lifted.set()
        self._lifted = asyncio.Event()
        if settings.cut == "reset":
            for connection in list(self.connections):
                self._reset_if_hit(connection)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until an end closes."""
        connection = Connection(writer, random.random() * 100)
        self.counts.connections += 1
        if self._reset_if_hit(connection):
            return
        self.connections.add(connection)
        self.counts.open += 1
        try:
            await self._carry(connection, reader)
        except OSError:
            connection.reset()
        finally:
            self.connections.discard(connection)
            self.counts.open -= 1
            for end in filter(None, (connection.client, connection.upstream)):
                end.close()

    async def _carry(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        await self._until_passable(connection)
        try:
            opening = asyncio.open_connection(LOOPBACK, self.upstream)
            back, upstream = await asyncio.wait_for(opening, _CONNECT_TIMEOUT)
        except (OSError, TimeoutError):
            self.counts.unreached += 1
            connection.reset()
            return
        connection.upstream = upstream
        there = asyncio.create_task(self._pump(connection, reader, upstream, late=False))
        here = asyncio.create_task(self._pump(connection, back, connection.client, late=True))
        _, left = await asyncio.wait({there, here}, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(there, here, return_exceptions=True)

    async def _pump(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool
    ) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUE)
        sender = asyncio.create_task(self._send(connection, waiting, writer))
        try:
            while data := await reader.read(_CHUNK):
                delay = self.settings.delay_ms / 1000 if late else 0.0
                self.counts.delayed += delay > 0
                await waiting.put((time.monotonic() + delay, data))
            await waiting.put((0.0, b""))
            await sender
        except OSError:
            pass
        finally:
            sender.cancel()

    async def _send(
        self, connection: Connection, waiting: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await waiting.get()
            if not data:
                return
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._until_passable(connection)
            await self._write(data, writer)

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while data:
            rate = self.settings.bytes_per_second
            size = max(1, rate // _SLICES_PER_SECOND) if rate else len(data)
            piece, data = data[:size], data[size:]
            if rate:
                self.counts.limited += 1
                await asyncio.sleep(len(piece) / rate)
            writer.write(piece)
            await writer.drain()

    async def _until_passable(self, connection: Connection) -> None:
        while self.settings.cut == "blackhole" and self._hits(connection):
            if not connection.was_held:
                connection.was_held = True
                self.counts.held += 1
            await self._lifted.wait()
        connection.was_held = False

    def _reset_if_hit(self, connection: Connection) -> bool:
        if self.settings.cut != "reset" or not self._hits(connection):
            return False
        self.counts.reset += 1
        connection.reset()
        return True

    def _hits(self, connection: Connection) -> bool:
        return connection.dice < self.settings.percent

    def document(self) -> dict[str, object]:
        """The link as the control port tells it."""
        ports = {"listen": self.listen, "upstream": self.upstream}
        return {**ports, "settings": asdict(self.settings), "counts": asdict(self.counts)}


class Control:
    """The control port.

    Args:
        links: every link by name.
    """

    def __init__(self, links: dict[str, Link]) -> None:
        self._links = links
        self._started_at = time.time()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(_CONTROL_TIMEOUT):
                head = (await reader.readuntil(b"\r\n\r\n"))[:_LONGEST_REQUEST]
                method, target = head.split(b"\r\n")[0].decode("latin-1").split(" ")[:2]
                status, content = self._answer(method, target)
                body = json.dumps(content).encode()
                writer.write(
                    f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
                    "connection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, target: str) -> tuple[str, dict[str, object]]:
        parts = urlsplit(target)
        if (method, parts.path) == ("GET", "/healthz"):
            return "200 OK", {"status": "ok"}
        if (method, parts.path) == ("GET", "/links"):
            links = {name: link.document() for name, link in self._links.items()}
            return "200 OK", {"started_at": self._started_at, "links": links}
        link = self._links.get(parts.path.removeprefix("/links/"))
        if method != "POST" or link is None:
            return "404 Not Found", {"error": "get /links, or post to /links/NAME?SETTING=VALUE"}
        try:
            settings = link.settings.changed(dict(parse_qsl(parts.query, keep_blank_values=True)))
        except ValueError as error:
            return "400 Bad Request", {"error": str(error)}
        link.apply(settings)
        return "200 OK", link.document()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def serve(configuration: Path) -> None:
    """Carry every link until the process ends."""
    wanted = json.loads(configuration.read_text(encoding="utf-8"))
    links = {name: Link(name, ports["listen"], ports["upstream"]) for name, ports in wanted["links"].items()}
    servers = [await asyncio.start_server(link.serve, LOOPBACK, link.listen, backlog=512) for link in links.values()]
    servers.append(await asyncio.start_server(Control(links).serve, LOOPBACK, wanted["control"]))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
