"""The worker of a fault: `python -m sloproof.chaos.worker FILE ORDER`, the order as JSON.

It writes who it is into its file, works until the order's time is over or it is killed, and ends when its file is
gone. The lock on the file is held by all that it starts, and freed by the kernel with the last of them.
"""

import contextlib
import mmap
import os
import random
import sys
import time
from collections.abc import Callable
from functools import singledispatch
from pathlib import Path
from typing import IO, Any, NoReturn

from pydantic import TypeAdapter

from sloproof.chaos.companion import say_ready
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.file_lock import lock
from sloproof.chaos.process_identity import this_process
from sloproof.chaos.work import BurnCPU, HoldMemory, KillAgain, Order, Report, VaryDelay
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_VARY_EVERY = 0.1
_NAP = 0.2
_PAGE = 4096
_BURN = 200_000

Tell = Callable[[int], None]
"""Writes how many times something was done."""


@singledispatch
def work(order: Any, tell: Tell) -> None:
    """Do what an order says until its time is over.

    Args:
        order: what to do.
        tell: told how many times it was done.
    """
    raise TypeError(f"no way to do {order!r}")


@work.register
def _(order: KillAgain, tell: Tell) -> None:
    supervisor, kills = Supervisor(order.supervisor_socket), 0
    while time.time() < order.until:
        with contextlib.suppress(PartFailed):
            kills += supervisor.signal(order.name, "KILL")
        tell(kills)
        _sleep(order.every, order.until)


@work.register
def _(order: VaryDelay, tell: Tell) -> None:
    admin, count, dice = EnvoyAdmin(order.admin, allowed=order.allowed), 0, random.Random()
    while time.time() < order.until:
        with contextlib.suppress(PartFailed):
            admin.set({order.key: str(dice.randint(order.shortest, order.longest))})
            count += 1
        tell(count)
        _sleep(_VARY_EVERY, order.until)


@work.register
def _(order: BurnCPU, tell: Tell) -> None:
    os.sched_setaffinity(0, order.cpus)
    if order.stress_ng is not None:
        _become(order.stress_ng, "--cpu", str(order.processes), order.until)
    for _ in range(order.processes - 1):
        if os.fork() == 0:
            break
    while time.time() < order.until:
        sum(range(_BURN))


@work.register
def _(order: HoldMemory, tell: Tell) -> None:
    with contextlib.suppress(OSError):
        # Should memory run out after all, this is what the kernel ends first.
        Path("/proc/self/oom_score_adj").write_text("1000")
    if order.stress_ng is not None:
        _become(order.stress_ng, "--vm", "1", order.until, "--vm-bytes", str(order.bytes), "--vm-keep")
    with mmap.mmap(-1, order.bytes) as memory:
        rounds = 0
        while time.time() < order.until:
            for page in range(0, order.bytes, _PAGE):
                memory[page] = rounds % 256
            rounds += 1
            tell(rounds)
            _sleep(_NAP, order.until)


def _become(program: Path, kind: str, count: str, until: float, *more: str) -> NoReturn:
    seconds = max(1, round(until - time.time()))
    command = [str(program), kind, count, "--timeout", f"{seconds}s", "--temp-path", "/tmp", "--quiet", *more]
    os.execv(program, command)


def _sleep(seconds: float, until: float) -> None:
    time.sleep(max(0.0, min(seconds, until - time.time())))


def _telling(file: IO[bytes]) -> Tell:
    identity = this_process()

    def tell(done: int) -> None:
        text = Report(process=identity, done=done).model_dump_json().encode() + b"\n"
        # It only grows, so that a reader never sees the rest of a longer text.
        os.pwrite(file.fileno(), text, 0)

    return tell


def main(arguments: list[str]) -> int:
    """Work as ordered: the file, the order."""
    path, order = Path(arguments[0]), _ORDER.validate_json(arguments[1])
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        return 0
    # Somebody may have taken the file away between its opening and its lock.
    if not lock(file, timeout=1.0) or os.fstat(file.fileno()).st_nlink == 0:
        return 0
    os.set_inheritable(file.fileno(), True)
    tell = _telling(file)
    tell(0)
    say_ready()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    work(order, tell)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
