"""How pressure is prepared; importing this teaches `prepare` about it."""

import os
import shutil
import uuid
from pathlib import Path

from sloproof.chaos.disk_space import DiskFilled, FileGone, fill
from sloproof.chaos.preparation import prepare
from sloproof.chaos.prepare_instance import well_instance, work_until
from sloproof.chaos.prepared import Prepared
from sloproof.chaos.pressure import AffinityBack, CPUPressed, MemoryHeld, confine, cpus_of
from sloproof.chaos.pressure_faults import LARGEST_SHARE, FillDisk, PressCPU, PressMemory, format_size
from sloproof.chaos.process_group import available_memory, waited_seconds
from sloproof.chaos.target import Target
from sloproof.chaos.undo_step import WorkerThen
from sloproof.chaos.work import BurnCPU, HoldMemory
from sloproof.chaos.worker_process import WorkerEnded, new_worker_file, start_worker
from sloproof.errors import PartFailed, Refused

_MEGABYTE = 1024 * 1024


@prepare.register
def _(fault: PressCPU, target: Target, allowed: tuple[str, ...]) -> Prepared:
    if not hasattr(os, "sched_setaffinity"):
        raise PartFailed(f"cannot {fault.describe()}: this system cannot tie a process to a CPU; nothing was sent")
    found, file = well_instance(fault, fault.instance, target, allowed), new_worker_file()
    process, cpus = found.process, cpus_of(found.pid)
    cpu = cpus[-1]

    def apply() -> str:
        order = BurnCPU(until=work_until(fault.lasts), cpus=(cpu,), processes=fault.processes, stress_ng=_stress_ng())
        confine(process, (cpu,))
        return f"process {start_worker(file, order)} keeps CPU {cpu} busy; `{fault.instance}` runs there alone"

    holder = str(target.supervisor_socket)
    then = AffinityBack(process=process, name=fault.instance, cpus=cpus, holder=holder)
    effect = CPUPressed(worker=file, process=process, cpu=cpu, waited=waited_seconds(found.pid))
    return Prepared(WorkerThen(worker=WorkerEnded(file=file, holder=holder), then=then), effect, apply)


@prepare.register
def _(fault: PressMemory, target: Target, allowed: tuple[str, ...]) -> Prepared:
    well_instance(fault, fault.instance, target, allowed)
    _check_room(fault.size, available_memory(), "of memory are available")
    file = new_worker_file()

    def apply() -> str:
        order = HoldMemory(until=work_until(fault.lasts), bytes=fault.size, stress_ng=_stress_ng())
        return f"process {start_worker(file, order)} takes {format_size(fault.size)} of memory"

    undo = WorkerEnded(file=file, holder=str(target.supervisor_socket))
    return Prepared(undo, MemoryHeld(worker=file, bytes=fault.size), apply)


@prepare.register
def _(fault: FillDisk, target: Target, allowed: tuple[str, ...]) -> Prepared:
    well_instance(fault, fault.instance, target, allowed)
    _check_room(fault.size, shutil.disk_usage(target.folder).free, f"are free at `{target.folder}`")
    file = target.folder / f"fill-{uuid.uuid4().hex}"

    def apply() -> str:
        fill(file, fault.size)
        return f"`{file}` takes {format_size(fault.size)}"

    undo = FileGone(file=file, holder=str(target.supervisor_socket))
    return Prepared(undo, DiskFilled(file=file, bytes=fault.size), apply)


def _check_room(size: int, free: int, what: str) -> None:
    if size * LARGEST_SHARE > free:
        raise Refused(
            f"{format_size(size)} is more than a quarter of the {free // _MEGABYTE} MiB that {what}; nothing was sent",
            hint=f"take {free // LARGEST_SHARE // _MEGABYTE}MiB at most",
        )


def _stress_ng() -> Path | None:
    found = shutil.which("stress-ng")
    return Path(found) if found else None
