"""Every kind of fault, its run ended at random moments: nothing is left broken, whoever was killed.

The cases are made from seeds and run several at once, each on a real lab of its own. A case is a tool process that
starts the Chaos Toolkit exactly as `sloproof chaos run` does.
"""

import contextlib
import math
import os
import queue
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.undo import undo_all
from sloproof.loadtests.profile import LoadProfile
from tests.integration.chaos_lab import WholeSystem, whole_system
from tests.integration.chaos_samples import EXAMPLES, kinds_of_fault
from tests.integration.chaos_system import wait_for

pytestmark = pytest.mark.integration

LOAD = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=1, duration="30s")
KILLS = int(os.environ.get("SLOPROOF_KILLS", "75"))
"""How many SIGKILLs over all kinds of faults, at least two each, and one more to everybody at once."""
SYSTEMS = int(os.environ.get("SLOPROOF_SYSTEMS", "3"))
SEED = int(os.environ.get("SLOPROOF_SEED", "20260101"))
PHASES = ("injected", "begin", "injecting", "started", "undone")
"""The journal's event after which the moment is drawn; `begin` is the start of the process."""
LONGEST_DELAY = {"injected": 0.9, "begin": 2.5, "injecting": 0.4, "started": 1.2, "undone": 0.005}
"""Seconds after the event; a run ends 5 to 25 ms after its last undo."""
VICTIMS = ("tool and child", "tool", "child", "watchdog")
ALL_AT_ONCE = "tool, child and watchdog"
PATIENCE = 100.0
"""Longer than every deadline: 0.2 s + 1.5 s + the longest grace of 60 s."""

TOOL = """
import resource, sys
from pathlib import Path
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.cli.interruption import interruptible

experiment, lab, folder, ledger = map(Path, sys.argv[1:5])
limit = int(sys.argv[5])
with interruptible():
    chaos = ChaosProcess.start(experiment, lab_file=lab, run_folder=folder, ledger=ledger)
    print(chaos.pid, flush=True)
    if limit:
        resource.prlimit(chaos.pid, resource.RLIMIT_FSIZE, (limit, limit))
    chaos.wait(60)
"""


@dataclass(frozen=True)
class Case:
    """One end of one run.

    Args:
        seed: names the case.
        fault: what is broken.
        number: the signal.
        victim: who gets it.
        phase: the event that is waited for.
        delay: seconds after that event.
        disk: bytes that a file may have; 0 for a disk that is not full.
    """

    seed: int
    fault: AnyFault
    number: signal.Signals | None
    victim: str
    phase: str
    delay: float
    disk: int = 0

    def __str__(self) -> str:
        ending = self.number.name if self.number else f"disk of {self.disk} bytes"
        return f"{self.seed}: {self.fault.kind}, {ending} to {self.victim}, {self.delay:.3f} s after `{self.phase}`"


@dataclass(frozen=True)
class End:
    """What a case left.

    Args:
        reached: the last event in the journal when the signal was sent; empty before the first.
        was_broken: a fault was in the ledger then, not yet put back; with a full disk: was ever in it.
        whole: the system is as it was, and no fault is open any more.
        watched: a watchdog was still there in the end.
        left: what the ledger still held, for the message.
    """

    reached: str
    was_broken: bool
    whole: bool
    watched: bool
    left: str


def kill_cases() -> list[Case]:
    dice = random.Random(SEED)
    each = max(2, math.ceil(KILLS / len(EXAMPLES)) - 1)  # one more of each kind is to all at once
    cases: list[Case] = []
    for place, fault in enumerate(EXAMPLES):
        for turn in range(place * each, (place + 1) * each):
            phase = PHASES[turn % len(PHASES)]
            # The watchdog is there once something was injected, and the child goes on without it.
            victims = VICTIMS if phase in ("injected", "undone") else VICTIMS[:3]
            victim = victims[turn // len(PHASES) % len(victims)]
            delay = dice.uniform(0, LONGEST_DELAY[phase])
            cases.append(Case(len(cases), fault, signal.SIGKILL, victim, phase, delay))
        cases.append(Case(len(cases), fault, signal.SIGKILL, ALL_AT_ONCE, "injected", 0))
    return cases


def signal_cases() -> list[Case]:
    dice = random.Random(SEED + 1)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    cases: list[Case] = []
    for index, fault in enumerate(EXAMPLES):
        # Few kinds get all three; of many kinds, each gets one.
        for number in numbers if len(EXAMPLES) <= 8 else (numbers[index % 3],):
            victim, phase = dice.choice(("child", "tool")), dice.choice(("started", "injecting", "injected"))
            cases.append(Case(1000 + len(cases), fault, number, victim, phase, dice.uniform(0, 1.0)))
    return cases


def full_disk_cases() -> list[Case]:
    dice = random.Random(SEED + 2)
    sizes = (300, 700, 1000, 1300)
    cases: list[Case] = []
    for fault in EXAMPLES:
        for size in sizes if len(EXAMPLES) <= 8 else (dice.choice(sizes),):
            disk = size + dice.randrange(300)
            cases.append(Case(2000 + len(cases), fault, None, "child", "begin", 0, disk))
    return cases


CASES = [*kill_cases(), *signal_cases(), *full_disk_cases()]


Ends = dict[int, End | Exception]


@pytest.fixture(scope="module")
def ends(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    """Every case, played on whichever system is free; one that could not be played spoils no other."""
    folder = tmp_path_factory.mktemp("matrix")
    with contextlib.ExitStack() as stack:
        free: queue.Queue[WholeSystem] = queue.Queue()
        for number in range(SYSTEMS):
            free.put(stack.enter_context(whole_system(folder / f"system-{number}")))

        def play_on_a_free_one(case: Case) -> tuple[int, End | Exception]:
            system = free.get()
            try:
                return case.seed, play(case, system, folder / str(case.seed))
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                return case.seed, error
            finally:
                free.put(system)

        with ThreadPoolExecutor(SYSTEMS) as pool:
            yield dict(pool.map(play_on_a_free_one, CASES))


def play(case: Case, system: WholeSystem, folder: Path) -> End:
    assert wait_for(system.is_whole, 60), "the case before left a fault"
    experiment = Experiment(
        name="one", system="tasks", load=LOAD, faults=(system.own(case.fault),), expect=[Balanced()]
    )
    folder.mkdir()
    document, ledger, run = folder / "one.json", folder / ".sloproof" / "ledger.jsonl", folder / "run"
    document.write_text(experiment_json(experiment))
    words = [str(document), str(system.lab_file), str(run), str(ledger), str(case.disk)]
    with (folder / "tool.log").open("wb") as log:
        tool = subprocess.Popen([sys.executable, "-c", TOOL, *words], stdout=subprocess.PIPE, stderr=log)
    assert tool.stdout is not None
    try:
        child = int(tool.stdout.readline())
        await_moment(case, run, tool)
        reached, was_broken = where_it_stands(run, ledger)
        if case.number is not None:
            send(case.number, case.victim, tool, child)
        else:
            tool.wait(timeout=PATIENCE)
            reached, was_broken = where_it_stands(run, ledger)[0], bool(Ledger(ledger).read().entries)
        whole = put_right(case, system, ledger)
        left = str([entry.description for entry in Ledger(ledger).open_entries()])
        return End(reached, was_broken, whole, not wait_for(lambda: not watchdogs(run), 20), left)
    finally:
        tool.kill() if tool.poll() is None and case.number is None else None
        tool.wait(timeout=PATIENCE)
        tool.stdout.close()


def await_moment(case: Case, run: Path, tool: subprocess.Popen[bytes]) -> None:
    if case.number is None:
        return
    end = time.monotonic() + 30
    while case.phase != "begin" and tool.poll() is None and time.monotonic() < end:
        if any(event.kind == case.phase for event in read_events(run)):
            break
        time.sleep(0.001)
    time.sleep(case.delay)


def where_it_stands(run: Path, ledger: Path) -> tuple[str, bool]:
    events = read_events(run)
    return (events[-1].kind if events else ""), bool(Ledger(ledger).open_entries())


def send(number: signal.Signals, victim: str, tool: subprocess.Popen[bytes], child: int) -> None:
    watching: list[psutil.Process] = []
    if "watchdog" in victim:
        with contextlib.suppress(psutil.NoSuchProcess):
            watching = psutil.Process(child).children()
    for process in watching:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    if "tool" in victim and tool.poll() is None:
        tool.send_signal(number)
    if "child" in victim:
        # The tool has not collected the child yet as long as it runs, so the number is still the child's.
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def put_right(case: Case, system: WholeSystem, ledger: Path) -> bool:
    """Whether nothing is left in the end, by itself, or by `sloproof chaos undo` where nobody lived to put it back."""
    if case.victim == ALL_AT_ONCE:
        undo_all(ledger, lambda sentence: None)
    if case.number is None:  # a ledger that could not be written is caught up once there is room again
        undone = wait_for(system.is_whole, PATIENCE)
        undo_all(ledger, lambda sentence: None)
        return undone and system.await_whole(ledger, 5)
    return system.await_whole(ledger, PATIENCE)


def watchdogs(run: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if "sloproof.chaos.watchdog" in words and str(run) in words:
                found.append(process.pid)
    return found


def test_every_kind_of_fault_has_an_example() -> None:
    shown = {fault.kind for fault in EXAMPLES}
    assert shown == kinds_of_fault(), "add an example to tests/integration/chaos_samples.py"


def test_the_matrix_is_as_large_as_promised() -> None:
    killed = Counter(case.fault.kind for case in CASES if case.number is signal.SIGKILL)
    assert killed.total() >= KILLS
    assert set(killed) == kinds_of_fault()
    assert {case.number for case in CASES} == {signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, None}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whenever_and_whoever_is_ended_nothing_is_left(case: Case, ends: Ends) -> None:
    end = ends[case.seed]
    if isinstance(end, Exception):
        raise end
    assert end.whole, f"{case}: a fault was left ({end.left}); the journal stood at `{end.reached}`"
    assert not end.watched, f"{case}: a watchdog is still there"


def played(ends: Ends, chosen: Callable[[Case], bool]) -> list[End]:
    found = [ends[case.seed] for case in CASES if chosen(case)]
    return [end for end in found if isinstance(end, End)]


def test_the_kills_came_at_every_step(ends: Ends) -> None:
    struck = played(ends, lambda case: case.number is signal.SIGKILL)
    reached = {end.reached for end in struck}
    assert {"", "injected"} <= reached
    assert {"undone", "rejoined"} & reached, "no kill came between an undo and the end of its run"
    broken = sum(end.was_broken for end in struck)
    assert broken >= len(struck) / 4, f"only {broken} of {len(struck)} kills came while something was broken"
    alone = played(ends, lambda case: case.victim == VICTIMS[0] and case.phase == "injected")
    assert any(end.was_broken for end in alone), "the watchdog never was the only one left to put something back"


def test_the_disk_was_full_before_and_after_the_injection(ends: Ends) -> None:
    full = played(ends, lambda case: case.number is None)
    assert any(end.was_broken for end in full), "no disk was full only after the injection"
    assert any(not end.was_broken for end in full), "no disk was full before the injection"
