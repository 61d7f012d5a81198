"""Users of a load keep the cookies that the target sets, each its own, as browsers do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_loadtests_locust_process import Target, start

pytestmark = pytest.mark.integration

USERS = """
from locust import {base}, constant_pacing, task

class Visitor({base}):
    wait_time = constant_pacing(0.1)

    @task
    def visit(self):
        self.client.get("/before")
        self.client.get("/login")
        self.client.get("/after")
        self.client.get("/logout")
"""


class Shop(Target):
    """Sets a cookie of its own to whoever logs in, and takes it back."""

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.split("\r\n")
        path = lines[0].split(" ")[1]
        self.paths.append(path)
        self.headers.append({k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)})
        cookie = {
            "/login": f"set-cookie: visitor={len(self.paths)}; Path=/\r\n",
            "/logout": "set-cookie: visitor=gone; Path=/; Max-Age=0\r\n",
        }.get(path, "")
        writer.write(f"HTTP/1.1 200 OK\r\n{cookie}content-length: 2\r\n\r\nok".encode())
        await writer.drain()


@pytest.fixture
def shop() -> Iterator[Shop]:
    server = Shop()
    server.start()
    yield server
    server.end()


@pytest.mark.parametrize("base", ["FastHttpUser", "HttpUser"])
def test_a_cookie_is_sent_from_when_it_was_set_until_it_was_taken_back(tmp_path: Path, shop: Shop, base: str) -> None:
    with start(tmp_path, shop.url, USERS.format(base=base), users=2, duration="2s") as load:
        load.wait(60)
    sent: dict[str, list[str]] = {}
    for path, headers in zip(shop.paths, shop.headers, strict=True):
        sent.setdefault(path, []).append(headers.get("cookie", ""))
    assert set(sent["/before"]) == set(sent["/login"]) == {""}
    assert len(set(sent["/after"])) == len(sent["/after"]) > 4
    assert all(cookie.startswith("visitor=") for cookie in sent["/after"])
    assert set(sent["/logout"]) <= set(sent["/after"])
