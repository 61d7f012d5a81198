"""A generator that sent nothing: its log tells why, without Locust's tables."""

from pathlib import Path

import pytest

from sloproof.errors import DefinitionError, PartFailed
from sloproof.loadtests.load_files import LoadFiles
from sloproof.loadtests.nothing_sent import Raised, did_not_begin, last_raised

RAISED = """[2026-11-22 11:37:36,852] INFO/locust.runners: All users spawned
Traceback (most recent call last):
  File "/somewhere/locust/user/task.py", line 358, in run
    self.execute_next_task()
  File "/shop/loadtests/users/visitors.py", line 7, in visit
    raise KeyError("seed")
KeyError: 'seed'

[2026-11-22 11:37:38,232] INFO/locust.main: Shutting down (exit code 0)
"""
TABLES = """Type     Name                           # reqs      # fails |    Avg
--------|-------------------------------|-------|-------------|-------
         Aggregated                          0     0(0.00%) |      0
"""


def test_the_locustfile_s_own_line_is_found() -> None:
    assert last_raised(RAISED, "loadtests/users/visitors.py") == Raised("KeyError: 'seed'", 7)
    assert last_raised(RAISED, "elsewhere.py") == Raised("KeyError: 'seed'", 0)


def test_the_last_of_several_exceptions_counts() -> None:
    later = RAISED.replace("line 7", "line 9").replace("KeyError", "ValueError").replace("'seed'", "'late'")
    assert last_raised(RAISED + later, "visitors.py") == Raised("ValueError: 'late'", 9)


def test_a_log_without_a_traceback_tells_of_no_exception() -> None:
    assert last_raised("KeyError: 'seed'\n", "visitors.py") is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("KeyError: 'seed'", "did not begin within 30 s: KeyError: 'seed'"),
        ("KeyboardInterrupt", "did not begin within 30 s: it spins or waits here"),
    ],
)
def test_a_generator_that_never_began_names_the_line_that_held_it(error: str, told: str) -> None:
    found = did_not_begin("loadtests/users/visitors.py", RAISED.replace("KeyError: 'seed'", error), 30, "it ended")
    assert isinstance(found, DefinitionError)
    assert (found.problems[0].path, found.problems[0].line) == ("loadtests/users/visitors.py", 7)
    assert told in found.problems[0].what


def test_a_generator_that_said_nothing_is_a_part_that_failed() -> None:
    found = did_not_begin("visitors.py", "", 30, "the load generator was stopped with signal 9")
    assert isinstance(found, PartFailed) and "stopped with signal 9" in found.message


def test_the_tables_of_locust_are_no_part_of_what_it_said_last(tmp_path: Path) -> None:
    files = LoadFiles(tmp_path)
    files.folder.mkdir()
    files.log.write_text(RAISED + TABLES)
    assert files.last_log_lines() == RAISED.rstrip()
