"""A reader sees which requests were slow or failed, and where their time went."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sloproof.chaos.stage import Stage
from sloproof.loadtests.generator import GeneratorHealth
from sloproof.loadtests.result import WorkerRecord
from sloproof.loadtests.traced_request import TracedRequest
from sloproof.report.generator_rows import health_rows
from sloproof.report.html import render_html
from sloproof.report.json import read_json, render_json
from sloproof.report.load_rows import SpanRow, TraceRow
from sloproof.report.markdown import render_markdown
from sloproof.report.spans import TargetSpan, read_spans
from sloproof.report.traces import SLOWEST_SHOWN, shown_traces, trace_rows
from tests.unit.report_samples import realistic
from tests.unit.test_chaos_expecting import START, facts

ONE, TWO = "1" * 32, "2" * 32


def row(*spans: SpanRow, waited: float = 0.0) -> TraceRow:
    return TraceRow(phase="load", why="", name="GET /", started_at=START, latency=1.0, waited=waited, spans=spans)


def span(began_after: float, lasted: float) -> SpanRow:
    return SpanRow(name="GET /", began_after=began_after, lasted=lasted)


def batch(trace_id: str, start: int, end: int, *, instance: str = "a1", code: int = 0) -> str:
    one = {
        "traceId": trace_id,
        "name": "GET /tarefas",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "status": {"code": code},
    }
    attributes = [{"key": "service.instance.id", "value": {"stringValue": instance}}]
    scopes = [{"scope": {"name": "x"}, "spans": [one]}]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}) + "\n"


def stage(**changes: Any) -> Stage:
    known = facts(None)
    return Stage("slow", replace(known, load=known.load.model_copy(update=changes)), ())


def request(trace_id: str, latency: float, kind: str = "") -> TracedRequest:
    return TracedRequest(trace_id=trace_id, name="GET /", kind=kind, started_at=START, latency=latency)


def test_time_in_the_target_counts_overlapping_spans_once() -> None:
    known = row(span(0.1, 0.4), span(0.3, 0.4), span(0.8, 0.1), waited=0.05)
    assert known.in_target == pytest.approx(0.7)
    assert known.outside == pytest.approx(1.0 - 0.05 - 0.7)


def test_without_spans_nothing_is_said_of_where_the_time_went() -> None:
    assert row().in_target is None and row().outside is None


def test_the_spans_of_the_wanted_traces_are_found_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "a1.jsonl").write_text(batch(ONE, 2_000_000_000, 3_500_000_000) + batch("3" * 32, 1, 2))
    (tmp_path / "a2.jsonl").write_text(batch(ONE, 1_000_000_000, 1_500_000_000, instance="a2", code=2))
    found = read_spans(tmp_path, {ONE, TWO})
    assert found == {
        ONE: [
            TargetSpan(name="GET /tarefas", instance="a2", start=1.0, end=1.5, failed=True),
            TargetSpan(name="GET /tarefas", instance="a1", start=2.0, end=3.5),
        ]
    }


def test_damaged_lines_and_missing_folders_hide_no_other_span(tmp_path: Path) -> None:
    whole = batch(ONE, 1_000_000_000, 2_000_000_000)
    (tmp_path / "a1.jsonl").write_text(f'{{"traceId":"{ONE}"}}\n[]\n{whole[:60]}\n\xff\n{whole}{whole[:-30]}')
    assert len(read_spans(tmp_path, {ONE})[ONE]) == 1
    assert read_spans(tmp_path / "missing", {ONE}) == {}


def test_what_the_lab_writes_is_read(tmp_path: Path) -> None:
    tracing = pytest.importorskip("sloproof.lab.tasks.tracing")
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    tracer = tracing.trace_to(tmp_path / "a1.jsonl", "a1")
    parent = TraceContextTextMapPropagator().extract({"traceparent": f"00-{ONE}-{'5' * 16}-01"})
    with tracer.start_as_current_span("GET /tarefas", context=parent):
        pass
    tracer.span_processor.force_flush()
    [found] = read_spans(tmp_path, {ONE})[ONE]
    assert (found.name, found.instance, found.failed) == ("GET /tarefas", "a1", False)
    assert found.end >= found.start > 1e9


def test_failed_requests_come_first_and_none_twice() -> None:
    failed = request(ONE, 3.0, "timeout")
    slowest = [failed, *(request(f"{number:032}", 2.0) for number in range(30))]
    shown = stage(failures=[failed], slowest=slowest)
    spans = {ONE: [TargetSpan(name="GET /", instance="a1", start=START + 0.5, end=START + 0.75)]}
    rows = list(trace_rows([shown], spans))
    assert [row.why for row in rows] == ["failed: timeout"] + ["among the slowest"] * (SLOWEST_SHOWN - 1)
    assert rows[0].spans[0].began_after == pytest.approx(0.5)
    assert rows[0].in_target == pytest.approx(0.25)
    assert shown_traces([shown]) == {row.trace_id for row in rows}


def test_every_format_tells_of_the_requests() -> None:
    report = realistic()
    trace_id = report.traces[0].trace_id
    page, text = render_html(report), render_markdown(report)
    for written in (page, text, render_json(report)):
        assert trace_id in written and "failed: 5xx" in written
    assert "a1: GET /tarefas 20 ms, from 1 ms, an error" in page
    assert read_json(render_json(report)) == report


def test_a_report_without_spans_says_so_and_has_no_columns_for_them() -> None:
    report = realistic()
    bare = report.model_copy(update={"traces": tuple(row.model_copy(update={"spans": ()}) for row in report.traces)})
    assert "The target told no spans of them" in render_html(bare)
    for write in (render_html, render_markdown):
        assert all(("In the target" in write(told)) is (told is report) for told in (report, bare))
    assert "No request was kept" in render_html(report.model_copy(update={"traces": ()}))


def test_each_process_of_the_generator_has_a_row_of_its_own() -> None:
    workers = [
        WorkerRecord(number=1, name="a", completed=1200, cpu_mean=0.4, cpu_max=0.6, lag_max=0.012),
        WorkerRecord(number=2, name="b", completed=300, cpu_mean=0.4, cpu_max=0.6, lag_max=0.012, lost_at=START + 12),
    ]
    lost = GeneratorHealth(lost=1, saturated=True, reasons=["lost 1 process"], advice="run it again")
    whole, first, second = health_rows(stage(workers=workers, generator=lost))
    assert whole.verdict == "UNDECIDED" and "lost 1 process; run it again" in whole.observed
    assert (first.name, first.verdict) == ("slow, process 1 of 2", "PASS") and "1,200 requests" in first.observed
    assert second.verdict == "UNDECIDED" and second.observed.startswith("lost after 12 s")


def test_users_that_waited_for_slow_answers_are_told_where_less_was_sent_than_asked() -> None:
    (held_up,) = health_rows(stage(generator=GeneratorHealth(asked_rate=200, achieved_rate=115)))
    (on_time,) = health_rows(stage(generator=GeneratorHealth(asked_rate=200, achieved_rate=199)))
    assert held_up.verdict == on_time.verdict == "PASS"
    assert "its users waited for slow answers" in held_up.observed
    assert "waited" not in on_time.observed
