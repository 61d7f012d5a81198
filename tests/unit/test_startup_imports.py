"""Starting is cheap, and patches nothing: what is heavy is imported by the command that needs it."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "chaoslib",
    "chaostoolkit",
    "gevent",
    "grafanalib",
    "httpx",
    "locust",
    "numpy",
    "pandas",
    "prometheus_api_client",
    "promql_parser",
    "psutil",
    "psycopg",
    "pydantic",
    "requests",
    "rich",
    "starlette",
    "yaml",
}
HELP = "import sys; sys.argv = ['sloproof', *{words}]; from sloproof.cli import main; assert main() == 0"
DEFINITIONS = "from sloproof import SLO, BurnPolicy, CustomPanels, Experiment, KillInstance, LoadProfile, Service"
OF_DEFINITIONS = {"promql_parser", "pydantic", "yaml"}
OF_TYPERS_OPTIONS = {"pydantic"}


def imported(code: str, folder: Path) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running code."""
    dump = f"{code}\nprint('modules:', *{{name.partition('.')[0] for name in __import__('sys').modules}})"
    done = subprocess.run(
        [sys.executable, "-c", dump], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].removeprefix("modules: ").split())


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    assert imported("import sloproof", tmp_path) & HEAVY == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"]], ids=str)
def test_starting_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    assert imported(HELP.format(words=words), tmp_path) & HEAVY == set()


@pytest.mark.parametrize("words", [["lab", "--help"], ["chaos", "run", "--help"]], ids=str)
def test_help_on_a_command_imports_nothing_that_the_command_needs(words: list[str], tmp_path: Path) -> None:
    assert imported(HELP.format(words=words), tmp_path) & HEAVY <= OF_TYPERS_OPTIONS


def test_definitions_import_only_what_they_are_made_of(tmp_path: Path) -> None:
    assert imported(DEFINITIONS, tmp_path) & HEAVY <= OF_DEFINITIONS


def test_a_heavy_import_would_be_seen(tmp_path: Path) -> None:
    assert imported("import yaml", tmp_path) & HEAVY == {"yaml"}


def test_the_module_is_the_command_too() -> None:
    done = subprocess.run([sys.executable, "-m", "sloproof", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, "sloproof")
