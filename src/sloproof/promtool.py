"""The one adapter to promtool: runs one test file and says what came of it."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from sloproof.errors import PartFailed

LONGEST_RUN = 600
"""Seconds after which a test file is given up; the heaviest ones take a few."""
ENVIRONMENT = {"GOGC": "400"}
"""Collects garbage less often: a quarter less work for some more memory, none of which outlives its test file."""


class RuleTest(Protocol):
    """A rules file and the test file that loads it from beside itself as `rules.yaml`."""

    @property
    def weight(self) -> float:
        """How heavy it is, against others."""
        ...

    def rules_text(self) -> str:
        """The rules file."""
        ...

    def test_text(self) -> str:
        """The test file."""
        ...


@dataclass(frozen=True)
class RuleTestRun:
    """What promtool made of a test file.

    Args:
        passed: whether it ended with 0.
        output: everything it printed.
        seconds: how long it took.
    """

    passed: bool
    output: str
    seconds: float


Test = TypeVar("Test", bound=RuleTest)


def run_rule_tests(
    promtool: Path, tests: Sequence[Test], finished: Callable[[int], None] = lambda _: None
) -> list[RuleTestRun]:
    """Run each test in a process of its own, as many at once as there are processors.

    Args:
        promtool: the program's file.
        tests: in any order; the heaviest are begun first.
        finished: told how many are done, from any thread.

    Returns:
        What came of each test, in the order given.

    Raises:
        PartFailed: promtool does not start, was killed, or took longer than ten minutes for one file.
    """
    order = sorted(range(len(tests)), key=lambda index: -tests[index].weight)
    found: dict[int, RuleTestRun] = {}
    with TemporaryDirectory(prefix="sloproof-prove-") as folder, ThreadPoolExecutor(os.cpu_count() or 1) as pool:

        def run(index: int) -> None:
            found[index] = _run(promtool, tests[index], Path(folder) / str(index))
            finished(len(found))

        try:
            list(pool.map(run, order))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[index] for index in range(len(tests))]


def _run(promtool: Path, test: RuleTest, folder: Path) -> RuleTestRun:
    folder.mkdir()
    (folder / "rules.yaml").write_text(test.rules_text(), encoding="utf-8")
    (folder / "case.test.yaml").write_text(test.test_text(), encoding="utf-8")
    began = time.monotonic()
    try:
        done = subprocess.run(
            [promtool, "test", "rules", "case.test.yaml"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT | os.environ,
            timeout=LONGEST_RUN,
            check=False,
        )
    except OSError as error:
        raise PartFailed(f"`{promtool}` does not start: {error.strerror or error}") from None
    except subprocess.TimeoutExpired:
        raise PartFailed(f"`{promtool}` took longer than {LONGEST_RUN} s for one test file") from None
    if done.returncode < 0:
        raise PartFailed(f"`{promtool}` was ended by signal {-done.returncode}", hint="is there enough memory?")
    return RuleTestRun(done.returncode == 0, done.stdout + done.stderr, time.monotonic() - began)
