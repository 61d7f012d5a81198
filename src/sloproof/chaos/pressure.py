"""CPU and memory pressure: how an instance gets its CPUs back, and how the pressure is seen."""

import contextlib
import os
import time
from pathlib import Path
from typing import Literal

from sloproof.chaos.effect import Observation, Showing
from sloproof.chaos.process_group import cpu_seconds, resident_bytes, waited_seconds
from sloproof.chaos.process_identity import ProcessIdentity
from sloproof.chaos.undoing import Undoing
from sloproof.chaos.worker_process import is_at_work
from sloproof.errors import PartFailed

_STEP = 0.1
_ATTEMPTS = 10
_ENOUGH_CPU = 0.2
_MEGABYTE = 1024 * 1024


class AffinityBack(Undoing):
    """Let a process run on the CPUs that it ran on before.

    Args:
        process: the process; whoever has its number later is left alone.
        name: what people call it.
        cpus: the CPUs that it ran on.
        holder: socket of the supervisord that keeps it.
    """

    kind: Literal["affinity_back"] = "affinity_back"
    process: ProcessIdentity
    name: str
    cpus: tuple[int, ...]
    holder: str

    @property
    def place(self) -> str:
        """The supervisord that keeps it."""
        return self.holder

    def perform(self, patience: float) -> str:
        """Give all its threads their CPUs back."""
        confine(self.process, self.cpus)
        if not self.process.alive:
            return f"process {self.process.pid} of `{self.name}` has ended"
        return f"process {self.process.pid} of `{self.name}` runs on its {len(self.cpus)} CPUs again"

    def ended(self) -> str | None:
        """Its process has ended."""
        return None if self.process.alive else f"process {self.process.pid} of `{self.name}` has ended"

    def is_over(self) -> bool:
        """All its threads may use its CPUs."""
        return not self.process.alive or _affinities(self.process.pid) <= {frozenset(self.cpus)}


def confine(process: ProcessIdentity, cpus: tuple[int, ...]) -> None:
    """Let all threads of a process run on these CPUs only; nothing happens when it has ended.

    Args:
        process: the process.
        cpus: the CPUs.

    Raises:
        PartFailed: it starts threads faster than they can be found.
    """
    for _ in range(_ATTEMPTS):
        if not process.alive or _affinities(process.pid) <= {frozenset(cpus)}:
            return
        for thread in _threads(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, cpus)
        time.sleep(_STEP)
    raise PartFailed(f"the threads of process {process.pid} do not keep to the CPUs {sorted(cpus)}")


def cpus_of(pid: int) -> tuple[int, ...]:
    """The CPUs that a process may use, in order."""
    return tuple(sorted(os.sched_getaffinity(pid)))


def _threads(pid: int) -> list[int]:
    return [int(path.name) for path in Path(f"/proc/{pid}/task").glob("[0-9]*")]


def _affinities(pid: int) -> set[frozenset[int]]:
    found = set()
    for thread in _threads(pid):
        with contextlib.suppress(ProcessLookupError):
            found.add(frozenset(os.sched_getaffinity(thread)))
    return found


class CPUPressed(Showing):
    """The worker uses CPU time on the one CPU that is left to the instance.

    Args:
        worker: file of the worker.
        process: the instance's process.
        cpu: the CPU that both share.
        waited: seconds that the instance had waited for a CPU before the fault; None when nobody can tell.
    """

    kind: Literal["cpu_pressed"] = "cpu_pressed"
    worker: Path
    process: ProcessIdentity
    cpu: int
    waited: float | None

    def observe(self) -> Observation:
        """Look at what the worker uses and at what the instance may use."""
        worker = is_at_work(self.worker)
        if worker is None or not self.process.alive:
            return Observation(False, False, "the worker or the instance has ended")
        used = cpu_seconds(worker.pid)
        confined = _affinities(self.process.pid) == {frozenset((self.cpu,))}
        seen = f"the worker has used {used:.1f} s of CPU {self.cpu}; the instance " + (
            "has only that one" if confined else "may use others"
        )
        now = waited_seconds(self.process.pid)
        if now is not None and self.waited is not None:
            seen += f" and has waited {now - self.waited:.2f} s for it"
        live = confined and used >= _ENOUGH_CPU
        return Observation(live, live, seen)


class MemoryHeld(Showing):
    """The worker holds the memory that it was told to.

    Args:
        worker: file of the worker.
        bytes: how much it is to hold.
    """

    kind: Literal["memory_held"] = "memory_held"
    worker: Path
    bytes: int

    def observe(self) -> Observation:
        """Look at what the worker holds."""
        worker = is_at_work(self.worker)
        if worker is None:
            return Observation(False, False, "the worker has ended")
        held = resident_bytes(worker.pid)
        live = held >= self.bytes
        return Observation(live, live, f"the worker holds {held // _MEGABYTE} MiB of {self.bytes // _MEGABYTE} MiB")
