"""A run's journal as Grafana annotations and as OpenTelemetry spans; both are values, nothing is sent here."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from sloproof.chaos.journal import Event
from sloproof.grafana import Annotation

SERVICE = "sloproof"
CHAOS = "chaos"
"""The tag by which dashboards find runs of this kind."""
_INTERNAL = 1  # SpanKind of opentelemetry-proto, trace.proto
_OK, _ERROR = 1, 2  # Status.StatusCode there
_BAD = (
    *("injection_failed", "undo_failed", "guard_stopped", "interrupted", "not_verified"),
    *("tolerance_missed", "tolerance_unclear"),
)


def annotations(events: Sequence[Event], system: str, experiment: str) -> list[Annotation]:
    """One annotation over the whole run, and one over each fault.

    Args:
        events: the journal, in the order written.
        system: what was broken.
        experiment: its name.
    """
    if not events:
        return []
    tags = (SERVICE, CHAOS, system, experiment)
    whole = Annotation(events[0].at, events[-1].at, tags, f"chaos run `{experiment}`: {_end_of(events)}")
    faults = [
        Annotation(told[0].at, told[-1].at, (*tags, fault), _fault_text(fault, told))
        for fault, told in _by_fault(events)
    ]
    return [whole, *faults]


def trace(events: Sequence[Event], system: str, experiment: str, run: str) -> dict[str, Any] | None:
    """The run as one trace: a span for the run, a span below it for each fault, their events inside.

    Args:
        events: the journal, in the order written.
        system: what was broken.
        experiment: its name.
        run: unique name of the run; it makes the ids.

    Returns:
        An `ExportTraceServiceRequest` in OTLP's JSON mapping; None without events.

    Source: opentelemetry-proto, `collector/trace/v1`, and the JSON mapping of the OTLP specification.
    """
    if not events:
        return None
    about = {"sloproof.system": system, "sloproof.experiment": experiment, "sloproof.run": run}
    root = _id(run, "run", 8)
    spans = [_span(f"chaos run {experiment}", events, run, root, about, "")]
    for fault, told in _by_fault(events):
        spans.append(_span(fault, told, run, _id(run, fault, 8), {**about, "sloproof.fault": fault}, root))
    scope = {"scope": {"name": "sloproof.chaos"}, "spans": spans}
    resource = {"attributes": _attributes({"service.name": SERVICE})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _by_fault(events: Sequence[Event]) -> Iterator[tuple[str, list[Event]]]:
    for fault in dict.fromkeys(event.fault for event in events if event.fault):
        yield fault, [event for event in events if event.fault == fault]


def _end_of(events: Sequence[Event]) -> str:
    last = next((event for event in reversed(events) if event.kind in ("guard_stopped", "interrupted")), events[-1])
    return " ".join(filter(None, (last.kind.replace("_", " "), last.detail)))


def _fault_text(fault: str, told: Sequence[Event]) -> str:
    return "\n".join([fault, *(f"{event.kind.replace('_', ' ')}: {event.detail}" for event in told)])


def _span(name: str, told: Sequence[Event], run: str, span: str, about: dict[str, str], parent: str) -> dict[str, Any]:
    bad = next((event for event in told if event.kind in _BAD), None)
    status = {"code": _OK} if bad is None else {"code": _ERROR, "message": f"{bad.kind}: {bad.detail}"}
    return {
        "traceId": _id(run, "trace", 16),
        "spanId": span,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(told[0].at),
        "endTimeUnixNano": _nanoseconds(told[-1].at),
        "attributes": _attributes(about),
        "events": [
            {"timeUnixNano": _nanoseconds(e.at), "name": e.kind, "attributes": _attributes({"detail": e.detail})}
            for e in told
        ],
        "status": status,
    }


def _id(run: str, of: str, size: int) -> str:
    return hashlib.sha256(f"{run}\0{of}".encode()).hexdigest()[: 2 * size]


def _nanoseconds(at: float) -> str:
    return str(round(at * 1e9))


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
