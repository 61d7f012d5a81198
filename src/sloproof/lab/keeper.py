"""Ends the lab when its time is over or its owner is gone: `python -m sloproof.lab.keeper FOLDER`.

It runs under supervisord. So that it is not ended half-way by the very shutdown that it asks for, the ending is
done by a process in a session of its own: `python -m sloproof.lab.keeper --end FOLDER RUNTIME`.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sloproof.lab import processes
from sloproof.lab.state import load_state
from sloproof.lab.take_down import end, sweep

ORDERS_FILE = Path("config", "keeper.json")
READY_FILE = Path("config", "ready")
_STEP = 0.5
_LONGEST_ENDING = 120.0


class Watched(BaseModel):
    """A process that must stay, told from a later one with the same id by when it was started."""

    model_config = ConfigDict(frozen=True)

    pid: int
    birth: float | None

    @property
    def gone(self) -> bool:
        """It has ended."""
        return self.birth is None or processes.birth(self.pid) != self.birth


class Orders(BaseModel):
    """What the keeper watches.

    Args:
        deadline: seconds since the epoch; None for no end.
        owner: the lab ends with this process; None for a lab that outlives the command that started it.
        starter: the lab ends with this process for as long as it is not ready.
        runtime: the lab's temporary folder.
    """

    model_config = ConfigDict(frozen=True)

    deadline: float | None
    owner: Watched | None
    starter: Watched
    runtime: Path


def watched(pid: int) -> Watched:
    """A process as it is now."""
    return Watched(pid=pid, birth=processes.birth(pid))


def reason_to_end(orders: Orders, *, ready: bool, now: float, supervised: bool) -> str:
    """Why the lab must end now; empty when it need not.

    Args:
        orders: what is watched.
        ready: `up` has finished.
        now: seconds since the epoch.
        supervised: supervisord, the keeper's parent, still lives.
    """
    if orders.deadline is not None and now >= orders.deadline:
        return "its lifetime is over"
    if orders.owner is not None and orders.owner.gone:
        return f"its owner, process {orders.owner.pid}, is gone"
    if not ready and orders.starter.gone:
        return f"process {orders.starter.pid} went away while it started the lab"
    return "" if supervised else "supervisord is gone"


def keep(folder: Path) -> None:
    """Watch until there is a reason to end the lab, then have it ended."""
    orders = Orders.model_validate_json((folder / ORDERS_FILE).read_bytes())
    supervisord = os.getppid()
    while True:
        supervised = os.getppid() == supervisord
        ready = (folder / READY_FILE).exists()
        reason = reason_to_end(orders, ready=ready, now=time.time(), supervised=supervised)
        if reason:
            break
        time.sleep(_STEP)
    _note(f"ending the lab: {reason}")
    _end_elsewhere(folder, orders.runtime)
    if supervised:
        # Gone earlier, it would be started again, and would end the lab a second time.
        time.sleep(_LONGEST_ENDING)


def _end_elsewhere(folder: Path, runtime: Path) -> None:
    with (folder / "logs" / "keeper-end.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "sloproof.lab.keeper", "--end", str(folder), str(runtime)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def end_this_lab(folder: Path, runtime: Path) -> None:
    """End the lab with this temporary folder, but no later one that took its place in the folder."""
    state = load_state(folder)
    if state is not None and state.runtime == runtime:
        end(state, _note)
    else:
        sweep(runtime)


def main(arguments: list[str]) -> None:
    """Keep a lab, or end one."""
    match arguments:
        case ["--end", folder, runtime]:
            end_this_lab(Path(folder), Path(runtime))
        case [folder]:
            keep(Path(folder))
        case _:
            raise SystemExit("usage: python -m sloproof.lab.keeper FOLDER")


if __name__ == "__main__":
    main(sys.argv[1:])
