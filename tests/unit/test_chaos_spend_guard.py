"""The guard of a run fails closed, unless a fault keeps Prometheus away on purpose."""

import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.chaos import spend_guard
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.process_identity import ProcessIdentity, identify
from sloproof.chaos.spend_guard import Orders, Spans, since_away, watch
from sloproof.errors import GuardStopped

SILENCE = 0.3
RUN = 4 * SILENCE


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessIdentity]:
    """A run that lasts four times as long as the guard bears silence."""
    monkeypatch.setattr(spend_guard, "LONGEST_SILENCE", SILENCE)
    monkeypatch.setattr(spend_guard, "EVERY", 0.02)
    with subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({RUN})"]) as process:
        yield identify(process.pid)


def orders(folder: Path, away: Spans) -> Orders:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    Ledger(folder / "ledger.jsonl")
    (folder / "run").mkdir()
    return Orders(
        prometheus=nobody,
        allowed=(),
        limits=(),
        started_at=time.time(),
        away=away,
        run=folder / "run",
        ledger=folder / "ledger.jsonl",
    )


def test_a_prometheus_that_is_silent_ends_the_run(tmp_path: Path, owner: ProcessIdentity) -> None:
    assert watch(orders(tmp_path, ()), owner) == GuardStopped.exit_code


def test_a_prometheus_that_a_fault_keeps_away_does_not_end_the_run(tmp_path: Path, owner: ProcessIdentity) -> None:
    assert watch(orders(tmp_path, ((0.0, 60.0),)), owner) == 0


def test_silence_counts_from_the_end_of_the_fault_that_keeps_prometheus_away(
    tmp_path: Path, owner: ProcessIdentity
) -> None:
    told = orders(tmp_path, ((0.0, SILENCE),))
    assert watch(told, owner) == GuardStopped.exit_code
    assert time.time() - told.started_at >= 2 * SILENCE


def test_silence_is_told_from_the_end_of_a_span_however_late_anybody_looks() -> None:
    spans = ((10.0, 20.0), (40.0, 50.0))
    told = [since_away(spans, at) for at in (9.0, 10.0, 20.0, 27.0, 45.0, 58.0)]
    assert told == [math.inf, 0.0, 0.0, 7.0, 0.0, 8.0]
