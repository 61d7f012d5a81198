"""Settings of all tests, and the order in which several workers take them."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # no test measures time
settings.load_profile("shared machine")

WAITING = 1
"""Workers beyond the number of cores, for an integration test waits as much as it computes."""
LONGEST = (
    "test_chaos_dependencies.py",
    "test_chaos_dependencies_undone.py",
    "test_chaos_kill_matrix.py",
    "test_generated_by_tools.py",
    "test_scenarios.py",
    "test_chaos_toolkit.py",
    "test_loadtests_capacity.py",
    "test_drill_live.py",
    "test_gate_live.py",
    "test_cli_load_bad_input.py",
    "test_prove_mutants.py",
    "test_chaos_outside_the_lab.py",
    "test_loadtests_seed_profiles.py",
    "test_cli_runs.py",
    "test_loadtests_distributed.py",
    "test_cli_demo.py",
    "test_loadtests_locust_process.py",
    "test_prove.py",
)
"""Files that take minutes, longest first: a worker that took one of them last would keep the others waiting."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return (os.cpu_count() or 1) + WAITING


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begins with what takes longest where several workers share the files; the order stays as it is for one."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _turn(item.path))


def _turn(file: Path) -> int:
    if file.name in LONGEST:
        return LONGEST.index(file.name)
    return len(LONGEST) + (file.parent.name != "integration")
