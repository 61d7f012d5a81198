"""Cases in few files: promtool's start and the loading of rules cost more than most cases do.

Cases that load the same rules on the same clock share a file. What fails in company is run again alone, since
promtool does not say which of several tests an error belongs to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sloproof.alerts.proof import CaseResult, ProofCase, judge
from sloproof.alerts.yaml_text import to_yaml

HEAVIEST_FILE = 6000
"""The weight up to which cases share a file: about a second; more would leave processors idle at the end."""


class Run(Protocol):
    """What came of a test file."""

    @property
    def passed(self) -> bool:
        """Whether every test in it held."""
        ...

    @property
    def output(self) -> str:
        """What promtool printed."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...


@dataclass(frozen=True)
class Batch:
    """Cases of one rules file and one clock, by their places in the list they come from."""

    cases: tuple[tuple[int, ProofCase], ...]

    def rules_text(self) -> str:
        """The rules file of all of them."""
        return self.cases[0][1].rules_text()

    def test_text(self) -> str:
        """The file for `promtool test rules`."""
        return to_yaml({**self.cases[0][1].head(), "tests": [case.test() for _, case in self.cases]})

    @property
    def weight(self) -> float:
        """As the weight of a case."""
        return sum(case.weight for _, case in self.cases)


def batches(cases: Sequence[ProofCase]) -> list[Batch]:
    """The cases in as few files as their rules and clocks allow, none much heavier than `HEAVIEST_FILE`."""
    found: list[Batch] = []
    open_for: dict[tuple[str, str, str], int] = {}
    for index, case in enumerate(cases):
        key = (case.alert, str(case.evaluation), case.rules_text())
        place = open_for.get(key)
        if place is not None and found[place].weight + case.weight <= HEAVIEST_FILE:
            found[place] = Batch((*found[place].cases, (index, case)))
        else:
            open_for[key] = len(found)
            found.append(Batch(((index, case),)))
    return found


def prove_cases(cases: Sequence[ProofCase], run: Callable[[Sequence[Batch]], Sequence[Run]]) -> list[CaseResult]:
    """What comes of each case.

    Args:
        cases: in any order.
        run: runs test files, and gives what came of each in their order.

    Returns:
        In the order of the cases.
    """
    found: dict[int, CaseResult] = {}
    shared = batches(cases)
    doubtful: list[Batch] = []
    for batch, done in zip(shared, run(shared), strict=True):
        if not done.passed and len(batch.cases) > 1:
            doubtful += [Batch((one,)) for one in batch.cases]
            continue
        for index, case in batch.cases:
            found[index] = judge(case, done.passed, done.output, done.seconds / len(batch.cases))
    for batch, done in zip(doubtful, run(doubtful), strict=True):
        ((index, case),) = batch.cases
        found[index] = judge(case, done.passed, done.output, done.seconds)
    return [found[index] for index in range(len(cases))]
