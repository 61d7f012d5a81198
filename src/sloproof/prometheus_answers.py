"""What Prometheus answers, as values, and how its JSON is read."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict

from sloproof.definition import Definition, parse_duration
from sloproof.http import unreadable

Point = tuple[float, float]
"""Seconds since the epoch, and a value that may be NaN or infinite."""

Read = TypeVar("Read")


class Series(Definition):
    """One series of an answer.

    Args:
        labels: its labels, the metric's name as `__name__` where it has one; empty for a scalar.
        points: its values in the order of their times.
    """

    model_config = ConfigDict(allow_inf_nan=True)

    labels: Mapping[str, str]
    points: tuple[Point, ...]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


class Answer(Definition):
    """The answer to a query.

    Args:
        series: in the order of the answer; empty when nothing matched.
        warnings: what Prometheus said about it; any warning means that data may be missing.
    """

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """The newest value of the only series; None when nothing matched.

        Raises:
            ValueError: the answer has several series.
        """
        if len(self.series) > 1:
            raise ValueError(f"one series was expected, and {len(self.series)} came")
        return self.series[0].last if self.series else None


class ActiveAlert(Definition):
    """An alert that is pending or firing.

    Args:
        name: the alert's name.
        labels: all its labels, `alertname` among them.
        annotations: as they were rendered at the last evaluation.
        state: `pending` or `firing`.
        active_at: when its condition first held, seconds since the epoch.
        value: of its expression at the last evaluation.
    """

    model_config = ConfigDict(allow_inf_nan=True)

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: Literal["pending", "firing"]
    active_at: float
    value: float


class Rule(Definition):
    """A rule as Prometheus loaded it.

    Args:
        name: of the recorded series or of the alert.
        kind: `recording` or `alerting`.
        query: its expression, as Prometheus writes it.
        labels: that it adds.
        health: `ok`, `err`, or `unknown` before the first evaluation.
        last_error: of the last evaluation; empty when it succeeded.
    """

    name: str
    kind: Literal["recording", "alerting"]
    query: str
    labels: Mapping[str, str]
    health: str
    last_error: str


class LoadedGroup(Definition):
    """A group of rules as Prometheus loaded it.

    Args:
        name: of the group.
        file: that it was read from.
        interval: between evaluations, seconds.
        last_evaluation: seconds since the epoch; 0 before the first one.
        evaluation_time: that the last evaluation took, seconds.
        rules: in the order of their evaluation.
    """

    name: str
    file: str
    interval: float
    last_evaluation: float
    evaluation_time: float
    rules: tuple[Rule, ...]


class Target(Definition):
    """Something that Prometheus scrapes.

    Args:
        job: its job label.
        instance: its instance label.
        health: `up`, `down`, or `unknown` before the first scrape.
        last_error: of the last scrape; empty when it succeeded.
        last_scrape: seconds since the epoch; 0 before the first one.
        url: that is scraped.
        interval: between scrapes, seconds; 0 where the server does not tell.
    """

    job: str
    instance: str
    health: str
    last_error: str
    last_scrape: float
    url: str
    interval: float = 0.0


class Cost(Definition):
    """What an evaluation cost the server.

    Args:
        samples: that it read; one that two steps need counts twice.
        peak: samples that it held at once, which `--query.max-samples` bounds.
        seconds: that it took, without the way there and back.
    """

    samples: int
    peak: int
    seconds: float


class Metadata(Definition):
    """What a target says about one of its metrics.

    Args:
        kind: `counter`, `gauge`, `histogram`, `summary` or `unknown`.
        help: one sentence.
    """

    kind: str
    help: str


def read(reader: Callable[[Any], Read], document: Any, *, part: str, url: str) -> Read:
    """Read a foreign JSON document, and name what answered when it has another shape.

    Args:
        reader: makes the value; whatever it trips over means that the shape is wrong.
        document: parsed JSON.
        part: name of what answered.
        url: what was asked.

    Raises:
        PartFailed: the document has another shape.
    """
    try:
        return reader(document)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise unreadable(part, url, "JSON of another kind") from error


def epoch(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time; 0 for Go's zero time.

    Args:
        text: with any number of decimals; what is finer than a microsecond is cut.
    """
    moment = datetime.fromisoformat(text)
    return moment.timestamp() if moment.year > 1 else 0.0


def read_series(result: Any) -> tuple[Series, ...]:
    """The series of a vector, a matrix or a scalar.

    Args:
        result: the `result` of a query's data.
    """
    if result and not isinstance(result[0], dict):
        return (Series(labels={}, points=(_point(result),)),)
    return tuple(
        Series(
            labels=series["metric"],
            points=tuple(_point(pair) for pair in (series["values"] if "values" in series else [series["value"]])),
        )
        for series in result
    )


def _point(pair: Any) -> Point:
    moment, value = pair
    return float(moment), float(value)


def read_alerts(data: Any) -> tuple[ActiveAlert, ...]:
    """The alerts of `/api/v1/alerts`."""
    return tuple(
        ActiveAlert(
            name=alert["labels"]["alertname"],
            labels=alert["labels"],
            annotations=alert["annotations"],
            state=alert["state"],
            active_at=epoch(alert["activeAt"]),
            value=float(alert["value"]),
        )
        for alert in data["alerts"]
    )


def read_groups(data: Any) -> tuple[LoadedGroup, ...]:
    """The groups of `/api/v1/rules`."""
    return tuple(
        LoadedGroup(
            name=group["name"],
            file=group["file"],
            interval=group["interval"],
            last_evaluation=epoch(group["lastEvaluation"]),
            evaluation_time=group["evaluationTime"],
            rules=tuple(_rule(rule) for rule in group["rules"]),
        )
        for group in data["groups"]
    )


def _rule(rule: Any) -> Rule:
    return Rule(
        name=rule["name"],
        kind=rule["type"],
        query=rule["query"],
        labels=rule.get("labels") or {},
        health=rule["health"],
        last_error=rule.get("lastError", ""),
    )


def read_targets(data: Any) -> tuple[Target, ...]:
    """The active targets of `/api/v1/targets`."""
    return tuple(
        Target(
            job=target["labels"].get("job", ""),
            instance=target["labels"].get("instance", ""),
            health=target["health"],
            last_error=target["lastError"],
            last_scrape=epoch(target["lastScrape"]),
            url=target["scrapeUrl"],
            interval=parse_duration(target.get("scrapeInterval") or "0s").total_seconds(),
        )
        for target in data["activeTargets"]
    )


def read_cost(data: Any) -> Cost:
    """The `stats` of a query's data."""
    samples, timings = data["stats"]["samples"], data["stats"]["timings"]
    return Cost(samples=samples["totalQueryableSamples"], peak=samples["peakSamples"], seconds=timings["execTotalTime"])


def read_metadata(data: Any) -> dict[str, Metadata]:
    """The metrics of `/api/v1/metadata`; the first word on a metric counts."""
    return {metric: Metadata(kind=said[0]["type"], help=said[0]["help"]) for metric, said in data.items() if said}
