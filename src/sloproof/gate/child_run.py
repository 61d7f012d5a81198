"""A gate as a process of its own, so that a service outlives what it decides and reads definitions anew."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PASSED = "PASS"
_LAST_WORDS = 300


@dataclass(frozen=True)
class GateCommand:
    """How a gate is decided in a process of its own.

    Args:
        workspace: the working directory of that process.
        options: words after the gate's name, the same for every gate.
    """

    workspace: Path
    options: Sequence[str] = ()

    def words(self, gate: str, release: str) -> list[str]:
        """The command line; what callers send is never a word of its own that could be an option."""
        own = [f"--release={release}"] if release else []
        return [sys.executable, "-m", "sloproof", "gate", "run", "--report=json=-", *own, *self.options, "--", gate]


async def decide(command: GateCommand, gate: str, release: str) -> dict[str, Any]:
    """Decide a gate, and wait for it.

    Args:
        command: how.
        gate: its name.
        release: what is judged; empty for what the command finds itself.

    Returns:
        The decision's document. Where the process ended without one, or the two contradict each other, an undecided
        one. Cancelled, it ends the process and waits until that has put everything back.
    """
    child = await asyncio.create_subprocess_exec(
        *command.words(gate, release),
        cwd=command.workspace,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, said = await child.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        await child.wait()
        raise
    sys.stderr.write(said.decode(errors="replace"))
    return understood(output, said, child.returncode or 0, gate)


def understood(output: bytes, said: bytes, code: int, gate: str) -> dict[str, Any]:
    """What a process that ended says of a gate.

    Args:
        output: its standard output, the decision as JSON.
        said: its standard error.
        code: its exit code.
        gate: what it was asked.
    """
    try:
        document = json.loads(output)
        if _agrees(document, code, gate):
            return dict(document)
    except ValueError:
        pass
    last = said.decode(errors="replace").strip()[-_LAST_WORDS:]
    why = f"the gate ended with {code} and without a decision" + (f": {last}" if last else "")
    return {"gate": gate, "verdict": "UNDECIDED", "exit_code": code or 6, "headline": why, "findings": []}


def _agrees(document: object, code: int, gate: str) -> bool:
    """Whether a document is this gate's, and says what the exit code says: only 0 is a pass."""
    if not isinstance(document, Mapping) or document.get("gate") != gate or document.get("exit_code") != code:
        return False
    return (document.get("verdict") == _PASSED) == (code == 0)
