"""Runs the command line as its users do: each folder beside this file is one scenario.

| file | what it is |
|---|---|
| `workspace/` | laid over the workspace that all scenarios begin with, `tests/scenarios/workspace` |
| `before` | shell lines that bring the workspace into its state; they must succeed |
| `command` | the line that is judged |
| `stdout`, `stderr`, `exit` | what it must say, and how it must end |
| `changed` | the files that it may touch: `new`, `changed` or `removed`; nothing where the file is empty |

`REGENERATE_GOLDEN=1 pytest tests/scenarios` writes what is said now; read the difference before you keep it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from sloproof import __version__

HERE = Path(__file__).parent
FIRST_WORKSPACE = HERE / "workspace"
SCENARIOS = sorted(file.parent.name for file in HERE.glob("*/command"))
TOLD = ("stdout", "stderr", "exit", "changed")
TIMEOUT = 60
Seen = dict[str, str]
IGNORED = (".sloproof", "__pycache__")


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Seen]]]:
    """What each chosen scenario says; they share nothing, so they run side by side."""
    chosen = {
        item.callspec.params["scenario"]
        for item in request.session.items
        if hasattr(item, "callspec") and "scenario" in item.callspec.params
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {name: pool.submit(run, HERE / name, tmp_path_factory.mktemp(name)) for name in sorted(chosen)}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, seen: Mapping[str, Future[Seen]]) -> None:
    case, told = HERE / scenario, seen[scenario].result(TIMEOUT * len(SCENARIOS))
    if os.environ.get("REGENERATE_GOLDEN"):
        for name in TOLD:
            (case / name).write_text(told[name])
    assert told == {name: (case / name).read_text() for name in TOLD}


def test_a_command_that_fails_changes_no_file() -> None:
    failing = [name for name in SCENARIOS if (HERE / name / "exit").read_text() != "0\n"]
    assert len(failing) > len(SCENARIOS) / 2
    assert [name for name in failing if (HERE / name / "changed").read_text()] == []


def run(case: Path, home: Path) -> Seen:
    """One scenario in a workspace of its own."""
    folder = home / "work"
    shutil.copytree(FIRST_WORKSPACE, folder)
    if (case / "workspace").is_dir():
        shutil.copytree(case / "workspace", folder, dirs_exist_ok=True)
    environment = surroundings(home)
    if (case / "before").is_file():
        prepare((case / "before").read_text(), folder, environment)
    return observe((case / "command").read_text().strip(), folder, environment)


def surroundings(home: Path) -> dict[str, str]:
    """The same terminal everywhere, and no parts of a lab."""
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin")),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "COLUMNS": "80",
        "PYTHONHASHSEED": "random",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def prepare(lines: str, folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-eu", "-c", lines],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def observe(command: str, folder: Path, environment: Mapping[str, str]) -> Seen:
    """What a command says, how it ends, and which files it touches."""
    before = contents(folder)
    done = subprocess.run(
        ["nice", "-n", "5", "sh", "-c", command],  # it gives way to what runs beside it and has promises to keep
        check=False,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return {
        "stdout": masked(done.stdout, folder),
        "stderr": masked(done.stderr, folder),
        "exit": f"{done.returncode}\n",
        "changed": "".join(f"{line}\n" for line in differences(before, contents(folder))),
    }


def masked(text: str, folder: Path) -> str:
    """Only what must vary: where the workspace lies, and the version."""
    text = text.replace(str(folder.resolve()), "WORKSPACE").replace(f"sloproof {__version__}", "sloproof VERSION")
    text = re.sub(r"\b\d{8}T\d{6}\.\d{3}-", "TIME-", text)  # folders of runs
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and not any(part in IGNORED for part in file.relative_to(folder).parts)
    }


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    new = [f"new {name}" for name in after.keys() - before.keys()]
    removed = [f"removed {name}" for name in before.keys() - after.keys()]
    changed = [f"changed {name}" for name in before.keys() & after.keys() if before[name] != after[name]]
    return sorted(new + removed + changed)
