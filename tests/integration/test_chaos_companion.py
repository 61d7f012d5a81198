"""Processes that live beside a run: one that does not say that it is at work is none."""

from pathlib import Path

import psutil
import pytest

from sloproof.chaos.companion import start_companion
from sloproof.errors import PartFailed

pytestmark = pytest.mark.integration


def test_a_process_that_says_something_else_is_ended_and_told(tmp_path: Path) -> None:
    log = tmp_path / "chaos" / "watchdog.log"
    with pytest.raises(PartFailed) as failed:
        start_companion("the watchdog", "http.server", "--bind", "127.0.0.1", "0", log=log)
    assert failed.value.message.startswith("the watchdog did not start: it said `Serving HTTP on 127.0.0.1")
    assert f"see `{log}`" in failed.value.message
    assert not [one for one in psutil.Process().children() if "http.server" in one.cmdline()]


def test_a_process_that_dies_is_told_with_where_it_says_why(tmp_path: Path) -> None:
    log = tmp_path / "guard.log"
    with pytest.raises(PartFailed, match="the guard did not start"):
        start_companion("the guard", "sloproof.chaos.spend_guard", "no file", log=log)
    assert "ValueError" in log.read_text(encoding="utf-8")
