"""A small HTTP server as a process of its own, which can be frozen, fails on request, and keeps exact books.

It answers `GET /books` with what it counted; everything else is a request that it counts. One process, one thread:
it keeps up with several times the rates of these tests.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Books:
    """What the server counted: requests, failed ones, and for each request when it was read and when answered."""

    asked: int
    failed: int
    read_at: list[float]
    answered_at: list[float]


class CountedServer:
    """The handle on the process.

    Args:
        slots: requests that are worked on at once; the others queue.
        hold: seconds that each is held.
        failing: share of answers that are a 503, ratio of 1.
        silent: accept and read, but never answer.
        answer: the status of an answer that does not fail.
    """

    def __init__(
        self, *, slots: int = 1000, hold: float = 0.0, failing: float = 0.0, silent: bool = False, answer: int = 200
    ) -> None:
        settings = json.dumps({"slots": slots, "hold": hold, "failing": failing, "silent": silent, "answer": answer})
        self.process = subprocess.Popen([sys.executable, __file__, settings], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def freeze(self, seconds: float) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.process.pid, signal.SIGCONT)

    def books(self) -> Books:
        with urllib.request.urlopen(f"{self.url}/books", timeout=20) as answer:
            return Books(**json.load(answer))

    def __enter__(self) -> "CountedServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)


class _Served(asyncio.Protocol):
    """One connection; requests without bodies, one after the other."""

    def __init__(self, settings: dict[str, Any], slots: asyncio.Semaphore, books: dict[str, Any]) -> None:
        self._settings, self._slots, self._books = settings, slots, books
        self._text = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._text += data
        while (end := self._text.find(b"\r\n\r\n")) >= 0:
            head, self._text = self._text[:end], self._text[end + 4 :]
            self._serve(head)

    def _serve(self, head: bytes) -> None:
        if head.startswith(b"GET /books "):
            self._write(200, json.dumps(self._books).encode())
            return
        self._books["asked"] += 1
        self._books["read_at"].append(time.time())
        if self._settings["hold"]:
            asyncio.get_running_loop().create_task(self._hold())
        elif not self._settings["silent"]:
            self._answer()

    async def _hold(self) -> None:
        async with self._slots:
            await asyncio.sleep(self._settings["hold"])
            self._answer()

    def _answer(self) -> None:
        fails = random.random() < self._settings["failing"]
        self._books["failed"] += fails
        self._books["answered_at"].append(time.time())
        self._write(503 if fails else self._settings["answer"], b"ok")

    def _write(self, status: int, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body)


async def _serve(settings: dict[str, Any]) -> None:
    books: dict[str, Any] = {"asked": 0, "failed": 0, "read_at": [], "answered_at": []}
    slots = asyncio.Semaphore(settings["slots"])
    server = await asyncio.get_running_loop().create_server(
        lambda: _Served(settings, slots, books), "127.0.0.1", 0, backlog=4096
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
