"""A run as it is remembered: its verdict, what its verdict rests on, and the figures that a comparison needs.

Times are epoch seconds, latencies seconds, ratios of 1. What was not measured is None, never zero.
"""

import zlib
from collections.abc import Sequence
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from sloproof.definition import Definition
from sloproof.runbooks.evidence import SeenAlert
from sloproof.verdict.judge import Verdict

LAB = "lab"
"""The environment of a run against the lab; its address is another each time."""
MOST_WINDOWS = 600
"""A run is remembered in at most so many windows: each second of the first ten minutes, then longer ones."""


class Remembered(Definition):
    """A value of the history: a newer version may have added fields, which this one passes over."""

    model_config = ConfigDict(extra="ignore")


class PastObjective(Remembered):
    """How one objective was judged.

    Args:
        stage: the part of the run, such as the experiment's name.
        slo: the objective's identity, `service/slo`.
        verdict: PASS, FAIL or UNDECIDED.
        reason: one sentence.
        bad: bad events, open ones among them; None without a number.
        total: all events; None without a number.
        ratio: bad events of all events.
        lower: the true bad ratio is at least this, at the confidence.
        upper: the true bad ratio is at most this.
        confidence: of each bound.
        effective_size: independent events that the events are worth.
    """

    stage: str
    slo: str
    verdict: Verdict
    reason: str = ""
    bad: float | None = None
    total: float | None = None
    ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence: float | None = None
    effective_size: float | None = None


class PastQuantile(Remembered):
    """A latency quantile of the whole run, warm-up left out.

    Args:
        q: the share of requests that are not slower, ratio of 1.
        value: seconds; None where so many requests were never answered that nobody knows.
        lower: the true quantile is at least this, seconds; None without enough data.
        upper: the true quantile is at most this, seconds; None without enough data.
    """

    q: float = Field(gt=0, lt=1)
    value: float | None = None
    lower: float | None = None
    upper: float | None = None


class PastFinding(Remembered):
    """One thing that a gate required.

    Args:
        requirement: what asked for it, such as `load steady`.
        expected: what had to be seen.
        observed: what was seen.
        verdict: whether they agree.
    """

    requirement: str
    expected: str
    observed: str
    verdict: Verdict


class Windows(Remembered):
    """The run in equally long, successive windows of time, warm-up left out.

    Args:
        length: of a window, seconds.
        asked: windows that lie wholly in the time in which load was asked for; the others hold the drain.
        completed: requests that ended, by window.
        failed: those of them that broke a promise (5xx, connection, time-out, other).
        latency: histogram of the completed ones, see `loadtests.histogram`.
        open: requests that were still in flight at the end; they belong to no window.
    """

    length: int = Field(default=1, ge=1)
    asked: int = Field(default=0, ge=0)
    completed: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    latency: tuple[dict[int, int], ...] = ()
    open: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _of_one_run(self) -> Self:
        if not len(self.completed) == len(self.failed) == len(self.latency):
            raise ValueError("the windows' figures are not of one run: their numbers differ")
        return self

    def widened(self, length: int) -> Self:
        """The same run in windows as long as several of these; a last one that is not full joins the one before.

        Args:
            length: windows that are put together.
        """
        groups = [range(at, at + length) for at in range(0, len(self.completed) - length + 1, length)]
        if length <= 1 or not groups:
            return self
        groups[-1] = range(groups[-1].start, len(self.completed))
        return self.model_copy(
            update={
                "length": self.length * length,
                "asked": self.asked // length,
                "completed": tuple(sum(self.completed[at] for at in group) for group in groups),
                "failed": tuple(sum(self.failed[at] for at in group) for group in groups),
                "latency": tuple(_merged([self.latency[at] for at in group]) for group in groups),
            }
        )

    def packed(self) -> bytes:
        """The compact form that is stored."""
        return zlib.compress(self.model_dump_json().encode(), 6)

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Read what `packed` wrote.

        Raises:
            ValueError: the bytes are damaged.
        """
        try:
            return cls.model_validate_json(zlib.decompress(packed))
        except zlib.error as error:
            raise ValueError(f"the windows are damaged: {error}") from error


def _merged(histograms: Sequence[dict[int, int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for one in histograms:
        for number, count in one.items():
            total[number] = total.get(number, 0) + count
    return total


class PastRun(Remembered):
    """A run that is over.

    Args:
        id: its number in the history; 0 before it is recorded.
        kind: `load`, `chaos`, `demo`, or what else was run.
        name: the profile's, experiment's or gate's name.
        system: the system under test.
        started_at: epoch seconds.
        ended_at: epoch seconds.
        verdict: of the whole run.
        exit_code: what the command ended with.
        release: what was tested, such as `1.4.2` or a commit; empty when nobody said.
        environment: where it ran: `lab`, or `target` for an address that was given.
        partial: it ended before its time.
        folder: where its records lie.
        target: the URL that was loaded.
        load: what was asked of the generator; two runs are comparable where these agree.
        objectives: each objective's judgement.
        alerts: those that began to fire.
        quantiles: of the latency.
        completed: requests that ended, warm-up left out.
        failed: those of them that failed.
        versions: names and versions of what was involved.
        notes: what a reader must know, in words.
        unfit: why its figures are no measure for another run, in words: a saturated generator, a load that did not do
            its work; empty for runs of earlier versions.
        findings: what a gate found; empty for other kinds, and for gates of earlier versions.
    """

    id: int = Field(default=0, ge=0)
    kind: str = Field(min_length=1)
    name: str = Field(min_length=1)
    system: str
    started_at: float
    ended_at: float
    verdict: Verdict
    exit_code: int
    release: str = ""
    environment: str = ""
    partial: bool = False
    folder: str = ""
    target: str = ""
    load: dict[str, Any] = Field(default_factory=dict)
    objectives: tuple[PastObjective, ...] = ()
    alerts: tuple[SeenAlert, ...] = ()
    quantiles: tuple[PastQuantile, ...] = ()
    completed: int = 0
    failed: int = 0
    versions: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    findings: tuple[PastFinding, ...] = ()


class PastDeploy(Remembered):
    """A release that came into service.

    Args:
        system: the system that got it.
        release: such as `1.4.2` or a commit.
        at: epoch seconds.
    """

    system: str = Field(min_length=1)
    release: str = Field(min_length=1)
    at: float
