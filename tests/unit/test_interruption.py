"""Interrupted commands put all back, however impatient somebody is, and tell the first signal in the exit code."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

COMMAND = """
import sys, time
from sloproof.cli.interruption import Interrupted, interruptible

def ready():
    print("ready", flush=True)
    sys.stdin.readline()

try:
    with interruptible():
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            ready()
            print("put back", flush=True)
except Interrupted as interruption:
    ready()
    sys.exit(128 + interruption.signal)
"""


@contextmanager
def started() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def goes_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def says(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_later_signals_neither_cut_the_ending_short_nor_change_its_exit_code(
    first: signal.Signals, second: signal.Signals
) -> None:
    with started() as process:
        assert says(process) == "ready"
        process.send_signal(first)
        assert says(process) == "ready"
        process.send_signal(second)
        goes_on(process)
        assert says(process) == "put back"
        assert says(process) == "ready"
        process.send_signal(second)
        goes_on(process)
        _, complaints = process.communicate(timeout=20)
        assert process.returncode == 128 + first
        assert complaints.strip() == "already ending: what was started or broken is put back first"
