"""A target as a process of its own that logs people in, counts what it is asked, and tells its books."""

import json
import subprocess
import sys
import urllib.request
from typing import Any

SERVER = """
import asyncio, json

asked, tokens = {}, set()

def answer(method, path, headers, body):
    if path == "/books":
        return 200, {"asked": asked, "tokens": len(tokens)}
    key = method + " " + path.split("?")[0]
    asked[key] = asked.get(key, 0) + 1
    if path == "/login":
        token = f"token-{len(tokens) + 1}"
        tokens.add(token)
        return 200, {"token": token, "who": json.loads(body or b"{}").get("email", "")}
    if path == "/expire":
        tokens.clear()
        return 200, {}
    if path.startswith("/private") and headers.get("authorization", "")[7:] not in tokens:
        return 401, {}
    if path.startswith("/broken"):
        return 500, {}
    return 200, {"path": path, "body": body.decode(), "id": 7, "itens": []}

async def connection(reader, writer):
    try:
        while head := (await reader.readuntil(b"\\r\\n\\r\\n")).decode():
            lines = head.split("\\r\\n")
            method, path, _ = lines[0].split(" ")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, content = answer(method, path, headers, body)
            text = json.dumps(content).encode()
            writer.write(b"HTTP/1.1 %d X\\r\\ncontent-type: application/json\\r\\n" % status)
            writer.write(b"content-length: %d\\r\\n\\r\\n" % len(text) + text)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


class LocustTarget:
    """The target's handle."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def books(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/books", timeout=10) as answer:
            books: dict[str, Any] = json.load(answer)
        return books

    @property
    def asked(self) -> dict[str, int]:
        """Method and path -> how often it was asked."""
        asked: dict[str, int] = self.books()["asked"]
        return asked

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
