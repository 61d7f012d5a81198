"""The files of a load run: `plan.json`, `seconds.jsonl`, `result.json`, `locust.log`; in `<run folder>/load/`."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from sloproof.definition import in_a_line
from sloproof.errors import PartFailed
from sloproof.loadtests.child_problem import ChildProblem
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second

_LOG_LINES = 15
_LOG_BYTES = 65_536
_TABLES = re.compile(r"^Type +Name +", re.MULTILINE)


class LoadFiles:
    """Where one load run keeps its files.

    Args:
        run_folder: the run's folder; the files lie in its `load` folder.
    """

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder / "load"
        self.plan = self.folder / "plan.json"
        self.seconds = self.folder / "seconds.jsonl"
        self.result = self.folder / "result.json"
        self.log = self.folder / "locust.log"
        self.problem = self.folder / "problem.json"

    def read_plan(self) -> LoadPlan:
        """The plan that the run was started with."""
        return LoadPlan.model_validate_json(self.plan.read_text(encoding="utf-8"))

    def read_seconds(self) -> list[Second]:
        """Every whole line of `seconds.jsonl`, also while it is written and after a crash."""
        try:
            with self.seconds.open("rb") as lines:
                return list(whole_seconds(lines.read()))
        except FileNotFoundError:
            return []

    def read_problem(self) -> ChildProblem | None:
        """What the generator found wrong before it sent anything; None where it found nothing."""
        if not self.problem.exists():
            return None
        return ChildProblem.model_validate_json(self.problem.read_text(encoding="utf-8"))

    def last_log_lines(self) -> str:
        """What the generator said last."""
        return "\n".join(self.log_text().rstrip().splitlines()[-_LOG_LINES:])

    def log_text(self) -> str:
        """The end of the generator's log, without the wide tables of figures that Locust writes after it."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - _LOG_BYTES))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return _TABLES.split(text, maxsplit=1)[0]


def whole_seconds(text: bytes) -> Iterator[Second]:
    """The seconds in a piece of `seconds.jsonl`; a last line without its end is left out."""
    for line in text.split(b"\n")[:-1]:
        if line.strip():
            yield Second.model_validate_json(line)


def digest(locustfile: Path) -> str:
    """What tells two texts of a locustfile apart; empty where it cannot be read."""
    try:
        return hashlib.sha256(locustfile.read_bytes()).hexdigest()
    except OSError:
        return ""


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader finds it whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_result(run_folder: Path, *, reason: str = "the load generator died", stopped: bool = False) -> LoadResult:
    """The result of a run, also of one whose generator died before it wrote one.

    Args:
        run_folder: the folder that the run was started with.
        reason: how the generator died, for the notes of a result that is put together from its seconds.
        stopped: the generator was ended on purpose, so that nothing recorded is no failure.

    Returns:
        The result as written, or a partial one.

    Raises:
        PartFailed: the run left nothing that could be read; with the last lines of the log.
    """
    files = LoadFiles(run_folder)
    try:
        if files.result.exists():
            return LoadResult.from_json(files.result.read_text(encoding="utf-8"))
        if (seconds := files.read_seconds()) or stopped:
            return files.read_plan().interrupted(seconds, reason, time.time())
    except (OSError, ValidationError) as error:
        raise PartFailed(f"`{files.folder}` cannot be read: {in_a_line(error)}", hint="run the load again") from error
    raise PartFailed(
        f"{reason} before it recorded anything\n{files.last_log_lines()}".rstrip(),
        hint=f"the whole log is `{files.log}`",
    )


def keep_result(run_folder: Path, result: LoadResult) -> LoadResult:
    """Write the result of a run where the generator did not, or wrote less than is known by now.

    Args:
        run_folder: the folder that the run was started with.
        result: as its reader gets it.

    Returns:
        What the folder holds now. A disk that is full costs the file, not the result.
    """
    files = LoadFiles(run_folder)
    text = result.to_json()
    with suppress(OSError):
        if not files.result.exists() or files.result.read_text(encoding="utf-8") != text:
            write_atomically(files.result, text)
    return result
