"""The undo ledger, the journal and the locks: what is on disk, and what a crash leaves of it."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sloproof.chaos import journal, process_identity
from sloproof.chaos.balancer_runtime import EnvoyRuntime, RequestsSpoilt
from sloproof.chaos.ledger import Entry, Ledger, ledger_beside
from sloproof.chaos.lost_instance import InstanceRunning
from sloproof.chaos.process_identity import ProcessIdentity, identify, this_process
from sloproof.chaos.run_lock import hold
from sloproof.chaos.undo import undo_all
from sloproof.errors import PartFailed, Refused, UndoFailed

NOBODY = "http://127.0.0.1:1"
EVERY_STEP = Path(__file__).with_name("every_step.jsonl")
"""A fault with each undo and each effect, as version 0.1.0 writes them; lines are added here and never changed."""


def entry(name: str = "1-delay-requests", run: Path = Path("/run/one"), **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "id": f"{name}-0",
        "run": run,
        "system": "tasks",
        "lab_file": Path("/nowhere/lab.json"),
        "fault": name,
        "description": "delay 30 % of requests",
        "undo": EnvoyRuntime(admin=NOBODY, values={"fault.key": ""}, envoy_started_at=0.0),
        "effect": RequestsSpoilt(admin=NOBODY, counter="delays_injected", before=0, values={"fault.key": "30"}),
        "deadline": time.time() + 60,
        "owner": this_process(),
    }
    return Entry(**(fields | changes))


def test_a_fault_stays_open_until_it_is_undone(tmp_path: Path) -> None:
    ledger, opened = Ledger(tmp_path / "made" / "ledger.jsonl"), entry()
    assert ledger.open_entries() == []
    ledger.open(opened)
    ledger.note(opened, "injected", "keys set")
    ledger.note(opened, "undo_failed", "Envoy is silent")
    assert ledger.open_entries() == [opened]
    ledger.note(opened, "undone", "keys read back")
    assert ledger.open_entries() == []


def test_every_line_is_synced_to_disk_before_the_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "ledger.jsonl", []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, path.stat().st_size))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    Ledger(path).open(entry())
    assert synced == [
        (path.stat().st_ino, path.stat().st_size),
        (tmp_path.stat().st_ino, path.stat().st_size),
    ], "the whole line, then the folder that got a new file"


def test_a_ledger_of_an_earlier_version_is_read_and_written_as_it_was() -> None:
    contents = Ledger(EVERY_STEP).read()
    assert contents.unreadable == 0
    before = [json.loads(line) for line in EVERY_STEP.read_text().splitlines()]
    written = [json.loads(entry.model_dump_json()) for entry in contents.entries]
    assert [as_known_then(now, then) for now, then in zip(written, before, strict=True)] == before


def as_known_then(now: Any, then: Any) -> Any:
    """What is written now, without what nobody knew of then; that must be unknown."""
    if not isinstance(then, dict):
        return now
    assert not [name for name in now.keys() - then.keys() if now[name] is not None]
    return {name: as_known_then(now[name], then[name]) for name in then if name in now}


def test_entries_of_other_runs_are_told_apart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    first, second = entry(id="a"), entry(id="b", run=Path("/run/two"))
    ledger.open(first)
    ledger.open(second)
    ledger.close_run(first.run, "it has ended")
    assert ledger.open_entries(Path("/run/two")) == [second]
    assert ledger.read().closed == {Path("/run/one")}


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_torn_last_line_hides_nothing_and_the_next_line_starts_afresh(tmp_path: Path, cut: int) -> None:
    ledger, path = Ledger(tmp_path / "ledger.jsonl"), tmp_path / "ledger.jsonl"
    first, torn, third = entry(id="first"), entry(id="torn"), entry(id="third")
    ledger.open(first)
    ledger.open(torn)
    path.write_bytes(path.read_bytes()[:-cut])
    assert ledger.open_entries() == ([first] if cut > 1 else [first, torn])
    ledger.open(third)
    assert third in ledger.open_entries()
    assert ledger.read().unreadable == (1 if cut > 1 else 0)


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.open(entry(id="first"))
    before = ledger.path.read_bytes()
    code = "import resource,sys;from pathlib import Path;from sloproof.chaos.ledger import Ledger\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))\n"
    code += "Ledger(Path(sys.argv[1])).close_run(Path('/run/one'), 'a reason that is too long for the disk')"
    room = str(len(before) + 20)
    failed = subprocess.run(
        [sys.executable, "-c", code, str(ledger.path), room], capture_output=True, text=True, timeout=30, check=False
    )
    assert "PartFailed: cannot write the undo ledger" in failed.stderr
    assert ledger.path.read_bytes() == before


def test_many_writers_never_mix_their_lines(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")

    def write(writer: int) -> None:
        for number in range(20):
            ledger.open(entry(id=f"{writer}-{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    contents = ledger.read()
    assert contents.unreadable == 0
    assert {e.id for e in contents.entries} == {f"{w}-{n}" for w in range(4) for n in range(20)}


def test_only_one_has_the_turn_and_death_gives_it_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    code = "import sys,time;from pathlib import Path;from sloproof.chaos.ledger import Ledger\n"
    code += "with Ledger(Path(sys.argv[1])).turn():\n print('mine', flush=True)\n time.sleep(60)"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(ledger.path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "mine\n"
        with pytest.raises(PartFailed, match="another process has held"), ledger.turn(timeout=0.1):
            pass
    finally:
        holder.kill()
        holder.wait(timeout=10)
        holder.stdout.close()
    with ledger.turn(timeout=5):
        pass


def test_the_ledger_lies_in_the_workspace_of_the_lab(tmp_path: Path) -> None:
    lab_file = tmp_path / ".sloproof" / "lab" / "tasks" / "lab.json"
    assert ledger_beside(lab_file) == tmp_path.resolve() / ".sloproof" / "ledger.jsonl"


def test_undoing_an_empty_ledger_does_nothing(tmp_path: Path) -> None:
    assert undo_all(tmp_path / "ledger.jsonl", print) == []
    assert not list(tmp_path.iterdir())


def test_a_fault_whose_lab_is_gone_is_gone_with_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.open(entry(run=tmp_path / "run", lab_file=tmp_path / "lab.json"))
    ledger.open(entry("2-kill-instance", tmp_path / "run", lab_file=tmp_path / "lab.json", undo=running(tmp_path)))
    undone = undo_all(ledger.path, print)
    assert [done.evidence.split(":")[0] for done in undone] == ["the lab is down", "the lab is down"]
    assert undo_all(ledger.path, print) == []


def test_a_fault_whose_lab_should_be_there_but_is_silent_is_named_as_left(tmp_path: Path) -> None:
    ledger, lab_file = Ledger(tmp_path / "ledger.jsonl"), tmp_path / "lab.json"
    lab_file.write_text(
        f'{{"system": "tasks", "envoy_admin": "{NOBODY}", "instances": {{}}, '
        f'"supervisor_socket": "{tmp_path}/s", "restart_delay_folder": "{tmp_path}"}}'
    )
    ledger.open(entry(run=tmp_path / "run", lab_file=lab_file))
    ledger.open(entry("2-kill-instance", tmp_path / "run", lab_file=lab_file, undo=running(tmp_path)))
    said: list[str] = []
    with pytest.raises(UndoFailed) as failure:
        undo_all(ledger.path, said.append)
    assert failure.value.exit_code == 7
    assert failure.value.message.count("could not undo: delay 30 % of requests") == 2
    assert len(said) == 2
    assert len(ledger.open_entries()) == 2
    assert tmp_path / "run" in ledger.read().closed, "nothing more is injected"


def test_an_undo_never_sends_anything_to_a_target_that_is_not_allowed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    step = EnvoyRuntime(admin="http://192.0.2.1:9901", values={"fault.key": ""}, envoy_started_at=0.0)
    ledger.open(entry(run=tmp_path / "run", undo=step))
    with pytest.raises(UndoFailed, match="not a listed target"):
        undo_all(ledger.path, print)


def running(folder: Path) -> InstanceRunning:
    return InstanceRunning(
        supervisor_socket=folder / "s",
        name="a1",
        health=f"{NOBODY}/healthz",
        restart_delay_file=folder / "a1",
        previous=None,
        envoy_admin=NOBODY,
    )


def test_the_journal_is_readable_after_a_torn_line(tmp_path: Path) -> None:
    journal.record(tmp_path / "run", "started", detail="one")
    with (tmp_path / "run" / journal.EVENTS).open("a") as file:
        file.write('{"at": 1.0, "kind": "inj')
    assert [event.kind for event in journal.read_events(tmp_path / "run")] == ["started"]
    journal.record(tmp_path / "run", "finished", detail="completed")
    assert [event.kind for event in journal.read_events(tmp_path / "run")] == ["started", "finished"]
    assert journal.read_events(tmp_path / "elsewhere") == []


def test_two_runs_on_one_system_are_refused_and_on_two_are_not(tmp_path: Path) -> None:
    first = hold(tmp_path, "tasks")
    with pytest.raises(Refused, match=f"already going on \\(process {os.getpid()}\\)") as refusal:
        hold(tmp_path, "tasks")
    assert refusal.value.exit_code == 5
    hold(tmp_path, "commission").close()
    first.close()
    hold(tmp_path, "tasks").close()


@pytest.mark.parametrize("read", ["_from_proc", "_from_ps"])
def test_a_pid_means_a_process_only_together_with_its_beginning(read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if read == "_from_proc" and not Path("/proc/self/stat").exists():
        pytest.skip("no /proc here")
    monkeypatch.setattr(process_identity, "started", getattr(process_identity, read))
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identify(process.pid)
    assert identity.alive
    assert not ProcessIdentity(pid=process.pid, started="another time").alive, "the number was given again"
    process.kill()
    deadline = time.monotonic() + 10
    while identity.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not identity.alive, "a zombie is dead"
    process.wait(timeout=10)
    assert process.stdin is not None
    process.stdin.close()
    assert not identify(process.pid).alive
