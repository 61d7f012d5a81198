"""Asks Prometheus what panels want to know. Whatever goes wrong is an answer too, which the panel tells."""

from dataclasses import dataclass
from typing import Protocol

from sloproof.errors import PartFailed
from sloproof.http import TimedOut, Unreachable
from sloproof.prometheus import Prometheus
from sloproof.prometheus_answers import ActiveAlert, Series

PATIENCE = 3
"""After so many queries in a row that nobody answered, the others are not sent: a page of 200 panels must come."""
_LONGEST = 600


@dataclass(frozen=True)
class Question:
    """A query of a panel, with all variables filled in.

    Args:
        expression: PromQL.
        instant: whether it is asked for the end of the range alone.
        start: epoch seconds.
        end: epoch seconds.
        step: seconds.
    """

    expression: str
    instant: bool
    start: float
    end: float
    step: float


@dataclass(frozen=True)
class Reply:
    """What came.

    Args:
        series: with points; empty where nothing matched.
        warnings: of Prometheus; data may be missing.
        error: why there is no answer; empty where there is one.
    """

    series: tuple[Series, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


class Asker(Protocol):
    """Answers panels; never raises for what a server does."""

    def ask(self, question: Question) -> Reply:
        """The answer to one question."""

    def alerts(self) -> tuple[tuple[ActiveAlert, ...], str]:
        """Alerts that are pending or firing, and why they are not known where they are not."""


class Asking:
    """Asks one Prometheus, each question once.

    Args:
        prometheus: the adapter.
    """

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._known: dict[Question, Reply] = {}
        self._unanswered = 0

    @property
    def gave_up(self) -> bool:
        """Whether the server left so many questions unanswered that no more are sent."""
        return self._unanswered >= PATIENCE

    def ask(self, question: Question) -> Reply:
        """The answer to one question."""
        if question not in self._known:
            self._known[question] = self._ask(question)
        return self._known[question]

    def alerts(self) -> tuple[tuple[ActiveAlert, ...], str]:
        """Alerts that are pending or firing, and why they are not known where they are not."""
        if self.gave_up:
            return (), _not_asked()
        try:
            return self._prometheus.alerts(), ""
        except PartFailed as error:
            return (), self._told(error)

    def _ask(self, question: Question) -> Reply:
        if self.gave_up:
            return Reply(error=_not_asked())
        try:
            if question.instant:
                answer = self._prometheus.instant(question.expression, question.end)
            else:
                answer = self._prometheus.range(question.expression, question.start, question.end, question.step)
        except PartFailed as error:
            return Reply(error=self._told(error))
        self._unanswered = 0
        return Reply(series=answer.series, warnings=answer.warnings)

    def _told(self, error: PartFailed) -> str:
        self._unanswered = self._unanswered + 1 if isinstance(error, TimedOut | Unreachable) else 0
        # The panel shows its queries; the reason alone tells that all of them failed for one.
        why = getattr(error, "why", "")
        message = f"Prometheus could not answer: {why}" if why else error.message
        return message if len(message) <= _LONGEST else message[:_LONGEST] + "…"


def _not_asked() -> str:
    return f"not asked: Prometheus left {PATIENCE} queries in a row unanswered"
