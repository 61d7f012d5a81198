"""One gate at a time, nothing stale, and no pass that the process behind it did not end with."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sloproof.gate.child_run import GateCommand, understood
from sloproof.gate.desk import Answer, Desk

PASSED = {"gate": "release", "verdict": "PASS", "exit_code": 0, "findings": []}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def on_a_desk(talk: Callable[[Desk, list[tuple[str, str]], asyncio.Event, Clock], Awaitable[None]]) -> None:
    """Let somebody talk to a desk whose gates take until the event is set."""

    async def main() -> None:
        begun: list[tuple[str, str]] = []
        done, clock = asyncio.Event(), Clock()

        async def decide(gate: str, release: str) -> dict[str, Any]:
            begun.append((gate, release))
            await done.wait()
            return {**PASSED, "gate": gate, "release": release, "number": len(begun)}

        await talk(Desk(decide, keep=60, clock=clock), begun, done, clock)

    asyncio.run(main())


def state(answer: Answer) -> tuple[str, str]:
    return answer.state, str(answer.document["verdict"])


def test_who_waits_too_short_is_told_that_it_runs_and_gets_the_decision_later() -> None:
    async def talk(desk: Desk, begun: list[tuple[str, str]], done: asyncio.Event, _: Clock) -> None:
        assert state(await desk.ask("release", "1", 0.01)) == ("running", "RUNNING")
        done.set()
        assert state(await desk.ask("release", "1", 5)) == ("decided", "PASS")
        assert begun == [("release", "1")]

    on_a_desk(talk)


def test_another_gate_or_another_release_has_to_wait_its_turn() -> None:
    async def talk(desk: Desk, begun: list[tuple[str, str]], done: asyncio.Event, _: Clock) -> None:
        await desk.ask("release", "1", 0.01)
        assert desk.busy_with == "release"
        assert state(await desk.ask("promote", "1", 5)) == ("busy", "BUSY")
        assert state(await desk.ask("release", "2", 5)) == ("busy", "BUSY")
        done.set()
        await desk.ask("release", "1", 5)
        assert desk.busy_with == ""
        assert state(await desk.ask("release", "2", 5)) == ("decided", "PASS")
        assert begun == [("release", "1"), ("release", "2")]

    on_a_desk(talk)


def test_a_decision_counts_for_a_while_and_then_no_longer() -> None:
    async def talk(desk: Desk, _: list[tuple[str, str]], done: asyncio.Event, clock: Clock) -> None:
        done.set()
        first = await desk.ask("release", "1", 5)
        clock.now = 60
        assert await desk.ask("release", "1", 5) == first
        clock.now = 60.1
        assert (await desk.ask("release", "1", 5)).document["number"] == 2

    on_a_desk(talk)


def test_past_the_most_that_are_kept_the_oldest_is_forgotten_and_not_the_new_one() -> None:
    async def talk(desk: Desk, begun: list[tuple[str, str]], done: asyncio.Event, clock: Clock) -> None:
        done.set()
        for number in range(101):
            clock.now = number / 10
            await desk.ask("release", str(number), 5)
        assert len(begun) == 101
        await desk.ask("release", "100", 5)
        await desk.ask("release", "1", 5)
        assert len(begun) == 101
        await desk.ask("release", "0", 5)
        assert begun[101:] == [("release", "0")]

    on_a_desk(talk)


def test_closing_ends_what_runs() -> None:
    ended = []

    async def main() -> None:
        async def decide(gate: str, release: str) -> dict[str, Any]:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(gate)
            return PASSED

        desk = Desk(decide, keep=60, clock=Clock())
        await desk.ask("release", "", 0.01)
        await desk.close()

    asyncio.run(main())
    assert ended == ["release"]


def test_a_decision_is_believed_that_says_what_its_exit_code_says() -> None:
    assert understood(json.dumps(PASSED).encode(), b"", 0, "release") == PASSED
    failed = {**PASSED, "verdict": "FAIL", "exit_code": 1}
    assert understood(json.dumps(failed).encode(), b"", 1, "release") == failed


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (PASSED, 1),
        (PASSED, -9),
        ({**PASSED, "exit_code": 1}, 1),
        ({**PASSED, "gate": "other"}, 0),
        ({**PASSED, "verdict": "FAIL"}, 0),
        ([], 0),
        (None, 0),
    ],
)
def test_a_process_that_contradicts_itself_or_says_nothing_never_passes(document: Any, code: int) -> None:
    output = b"" if document is None else json.dumps(document).encode()
    told = understood(output, b"error: it broke\n", code, "release")
    assert told["verdict"] == "UNDECIDED"
    assert told["exit_code"] != 0
    assert "it broke" in told["headline"]


def test_what_a_caller_sends_is_never_an_option() -> None:
    words = GateCommand(Path("/w"), ["--take=2h"]).words("--help", "--prometheus=http://elsewhere")
    assert words[-2:] == ["--", "--help"]
    assert "--release=--prometheus=http://elsewhere" in words
