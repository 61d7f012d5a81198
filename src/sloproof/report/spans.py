"""Finds the target's spans of some traces in files of OTLP JSON lines."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

_TRACE = re.compile(rb'"traceId"\s*:\s*"([0-9a-f]{32})"')
_NANO = 1e-9
_ERROR = 2


class TargetSpan(BaseModel):
    """One span that the target made.

    Args:
        name: such as `GET /tarefas`.
        instance: who made it: `service.instance.id`, or `service.name` without one.
        start: epoch second.
        end: epoch second.
        failed: whether its status is an error.
    """

    name: str
    instance: str
    start: float
    end: float
    failed: bool = False


def read_spans(folder: Path, trace_ids: Collection[str]) -> dict[str, list[TargetSpan]]:
    """The spans of some traces.

    Args:
        folder: its `*.jsonl` files hold one `ExportTraceServiceRequest` a line; it may be missing.
        trace_ids: 32 hexadecimal digits each.

    Returns:
        Spans by trace in the order of their beginning; traces without spans are left out, and so are lines that
        are damaged or still being written.
    """
    found: dict[str, list[TargetSpan]] = {}
    wanted = {trace_id.encode() for trace_id in trace_ids}
    for path in sorted(folder.glob("*.jsonl")) if wanted else ():
        for line in _lines(path):
            if not wanted.isdisjoint(_TRACE.findall(line)):
                for trace_id, span in _spans(line):
                    if trace_id in trace_ids:
                        found.setdefault(trace_id, []).append(span)
    return {trace_id: sorted(spans, key=lambda span: (span.start, span.instance)) for trace_id, spans in found.items()}


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError:
        return


def _spans(line: bytes) -> Iterator[tuple[str, TargetSpan]]:
    try:
        for resource in json.loads(line)["resourceSpans"]:
            attributes = {item["key"]: item["value"] for item in resource["resource"]["attributes"]}
            instance = _text(attributes, "service.instance.id") or _text(attributes, "service.name")
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    yield span["traceId"], _span(span, instance)
    except (ValueError, KeyError, TypeError):
        return


def _text(attributes: dict[str, Any], name: str) -> str:
    return str(attributes.get(name, {}).get("stringValue", ""))


def _span(span: dict[str, Any], instance: str) -> TargetSpan:
    return TargetSpan(
        name=span["name"],
        instance=instance,
        start=int(span["startTimeUnixNano"]) * _NANO,
        end=int(span["endTimeUnixNano"]) * _NANO,
        failed=span.get("status", {}).get("code") == _ERROR,
    )
