"""`sloproof demo` ended at every awkward moment: whatever happens to it, its lab and its faults end with it."""

import signal
from pathlib import Path

import pytest

from sloproof.chaos.journal import EVENTS, read_events
from tests.integration.cli_runs import Started, Workspace, eventually

pytestmark = pytest.mark.integration
STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143}


def broken(workspace: Workspace, experiment: str) -> bool:
    """The fault of this experiment is in place."""
    folder = next(iter(workspace.runs()), workspace.root) / experiment
    return (folder / EVENTS).exists() and "injected" in [event.kind for event in read_events(folder)]


def assert_nothing_is_left(command: Started, within: float) -> None:
    assert command.runtimes
    assert eventually(lambda: command.workspace.state is None, within)
    assert eventually(lambda: not command.left(), within), command.left()
    assert not any(runtime.exists() for runtime in command.runtimes)
    assert eventually(lambda: not command.workspace.ledger.open_entries(), within)


@pytest.mark.parametrize(
    ("number", "group", "phase"),
    [
        (signal.SIGTERM, True, r"1/5 (.*\n)*.*starting 10 programs"),
        (signal.SIGINT, True, r"2/5 steady load.*\n +steady  00:"),
        (signal.SIGTERM, False, "lose-one-instance"),
        (signal.SIGINT, False, "slow-backend"),
        (signal.SIGTERM, True, "5/5"),
    ],
)
def test_an_interrupted_demo_leaves_nothing(
    parts: Path, tmp_path: Path, number: signal.Signals, group: bool, phase: str
) -> None:
    lengths = {"lose-one-instance": {"away": "12s"}, "slow-backend": {"slow": "12s"}}
    workspace = Workspace(tmp_path / "slos", steady="2s", **lengths.get(phase, {}))
    with workspace.started("demo", "--no-open") as command:
        if "/5" in phase:
            command.wait_until_said(phase, 90)
        else:
            command.wait_until(lambda: broken(workspace, phase), 90)
        command.send(number, group=group)
        assert command.ended(90) == STOPPED[number], command.said
        assert_nothing_is_left(command, 5)


def test_a_killed_demo_takes_its_lab_and_its_fault_with_it(parts: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "slos", steady="2s", away="30s")
    with workspace.started("demo", "--no-open") as command:
        command.wait_until(lambda: broken(workspace, "lose-one-instance"), 90)
        command.process.kill()
        command.process.wait(10)
        assert eventually(lambda: workspace.state is None, 20)
        assert_nothing_is_left(command, 15)
