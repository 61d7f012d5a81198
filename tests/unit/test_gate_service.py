"""The gates' service, called without a server: what is no request is told as one that is wrong."""

import asyncio
import json
from typing import Any

import pytest

from sloproof.gate.desk import Desk
from sloproof.gate.service import application


def ask(method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """The status and the document of one request."""
    decided: list[str] = []

    async def decide(gate: str, release: str) -> dict[str, Any]:
        decided.append(gate)
        return {"verdict": "PASS"}

    async def served() -> list[dict[str, Any]]:
        desk, sent = Desk(decide, keep=60, clock=lambda: 0.0), list[dict[str, Any]]()
        headers = [(b"host", b"127.0.0.1:9095")]
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(dict(message))

        await application(desk, ["release"], wait=5)(scope, receive, send)
        return sent

    sent = asyncio.run(served())
    status: int = sent[0]["status"]
    assert bool(decided) == (status == 200)
    return status, json.loads(b"".join(message.get("body", b"") for message in sent))


def test_a_gate_is_answered() -> None:
    assert ask("GET", "/gates/release", "wait=9s") == (200, {"verdict": "PASS"})


@pytest.mark.parametrize("wait", ["99999999999d", "soon", ""])
def test_a_wait_that_is_no_duration_is_told(wait: str) -> None:
    status, document = ask("GET", "/gates/release", f"wait={wait}")
    assert (status, document["verdict"]) == (400, "UNDECIDED")
    assert "`wait` is no duration" in document["headline"]


@pytest.mark.parametrize("body", [b"[" * 40_000, b"\xff", b"[]", b"{"])
def test_a_body_that_is_no_object_is_told(body: bytes) -> None:
    status, document = ask("POST", "/webhook/release", body=body)
    assert (status, document["verdict"]) == (400, "UNDECIDED")
    assert "no JSON object" in document["headline"]
