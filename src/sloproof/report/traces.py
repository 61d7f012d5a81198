"""The requests of a run that a reader wants to look into, as rows of the report."""

from collections.abc import Iterator, Mapping, Sequence

from sloproof.chaos.stage import Stage
from sloproof.loadtests.traced_request import TracedRequest
from sloproof.report.load_rows import SpanRow, TraceRow
from sloproof.report.spans import TargetSpan

SLOWEST_SHOWN = 10
"""So many of the slowest of a stage are shown; the run's `result.json` has more."""


def shown_traces(stages: Sequence[Stage]) -> set[str]:
    """The traces of every request that the report shows."""
    return {request.trace_id for stage in stages for _, request in _shown(stage) if request.trace_id}


def trace_rows(stages: Sequence[Stage], spans: Mapping[str, Sequence[TargetSpan]]) -> Iterator[TraceRow]:
    """Failed and slowest requests with what the target did for them.

    Args:
        stages: the parts of the run, in order.
        spans: the target's spans by trace.
    """
    for stage in stages:
        for why, request in _shown(stage):
            yield TraceRow(
                phase=stage.name,
                why=why,
                name=request.name,
                status=request.status,
                started_at=request.started_at,
                latency=request.latency,
                waited=min(max(request.waited, 0.0), request.latency),
                trace_id=request.trace_id,
                spans=tuple(_row(span, request) for span in spans.get(request.trace_id, ())),
            )


def _shown(stage: Stage) -> Iterator[tuple[str, TracedRequest]]:
    load = stage.facts.load
    for request in load.failures:
        yield f"failed: {request.kind}", request
    failed = {request.trace_id for request in load.failures if request.trace_id}
    slowest = [request for request in load.slowest[:SLOWEST_SHOWN] if request.trace_id not in failed]
    for request in slowest:
        yield "among the slowest", request


def _row(span: TargetSpan, request: TracedRequest) -> SpanRow:
    return SpanRow(
        name=span.name,
        instance=span.instance,
        began_after=span.start - request.started_at,
        lasted=max(0.0, span.end - span.start),
        failed=span.failed,
    )
