"""OpenTelemetry spans as OTLP JSON lines in a file."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIRST_SERVER_ERROR = 500
_FLUSH_MILLISECONDS = 2000


class OtlpJsonLines(SpanExporter):
    """Appends each batch as one line of OTLP JSON (`ExportTraceServiceRequest`).

    Args:
        path: the file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write one batch; a batch that cannot be written is lost, and said to be."""
        line = json.dumps(export_request(spans), separators=(",", ":"))
        try:
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back between two batches."""
        return True


def export_request(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """Finished spans of one process in the shape that OTLP gives JSON.

    Source: opentelemetry-proto, `trace/v1/trace.proto`, and the JSON mapping of the OTLP specification
    (ids in hexadecimal, 64-bit numbers as text, enumerations as numbers).
    """
    if not spans:
        return {"resourceSpans": []}
    ordered = sorted(spans, key=_scope_name)
    scopes = [
        {"scope": {"name": name}, "spans": [_span(span) for span in group]}
        for name, group in groupby(ordered, _scope_name)
    ]
    resource = {"attributes": _attributes(spans[0].resource.attributes)}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}


def _scope_name(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope else ""


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    if context is None:
        raise ValueError("a finished span has a context")
    written: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }
    if span.parent is not None:
        written["parentSpanId"] = f"{span.parent.span_id:016x}"
    return written


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"arrayValue": {"values": [_value(item) for item in value]}}


def trace_to(path: Path, instance: str) -> Tracer:
    """A tracer whose spans are written to a file in the background.

    Args:
        path: the file of OTLP JSON lines.
        instance: value of `service.instance.id`.
    """
    resource = Resource.create({"service.name": "tasks-api", "service.instance.id": instance})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(
        BatchSpanProcessor(OtlpJsonLines(path), schedule_delay_millis=1000, export_timeout_millis=_FLUSH_MILLISECONDS)
    )
    return provider.get_tracer("sloproof.lab.tasks")


class Traced:
    """Makes a server span of each request, as a child of an incoming `traceparent`.

    Args:
        application: what it surrounds.
        tracer: makes the spans.
        routes: the template of each endpoint; requests to others get no span.
    """

    def __init__(self, application: ASGIApp, tracer: Tracer, routes: Mapping[Callable[..., Any], str]) -> None:
        self._application = application
        self._tracer = tracer
        self._routes = routes
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within a span."""
        if scope["type"] != "http" or scope["path"] in {"/healthz", "/readyz", "/metrics"}:
            await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        parent = self._propagator.extract(headers)
        with self._tracer.start_as_current_span(scope["method"], context=parent, kind=SpanKind.SERVER) as span:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= _FIRST_SERVER_ERROR:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await self._application(scope, receive, noted)
            route = self._routes.get(scope.get("endpoint", _no_endpoint))
            if route:
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("url.path", scope["path"])


def _no_endpoint() -> None:
    """Stands for a request that no route took."""
