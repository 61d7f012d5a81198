"""The tasks API without its database."""

import json
import logging
import time
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from sloproof.lab.tasks import tokens
from sloproof.lab.tasks.logs import JsonLines
from sloproof.lab.tasks.metrics import RequestMetrics
from sloproof.lab.tasks.passwords import hash_password, password_matches
from sloproof.lab.tasks.rate_limit import RateLimit
from sloproof.lab.tasks.schemas import NewTask, NewUser
from sloproof.lab.tasks.settings import Settings, read_settings
from sloproof.lab.tasks.tracing import trace_to

SECRET = "a secret of at least thirty-two bytes"


def test_a_password_is_kept_as_a_salted_hash() -> None:
    stored = hash_password("correct horse")
    assert password_matches("correct horse", stored)
    assert not password_matches("correct horse ", stored)
    assert stored != hash_password("correct horse")
    assert "correct" not in stored


def test_a_token_speaks_for_its_user_on_every_instance() -> None:
    user = uuid4()
    assert tokens.bearer(f"Bearer {tokens.issue(user, SECRET)}", SECRET) == user


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x.y.z",
        f"Basic {tokens.issue(uuid4(), SECRET)}",
        f"Bearer {tokens.issue(uuid4(), SECRET + 'x')}",
        f"Bearer {jwt.encode({'sub': str(uuid4()), 'exp': int(time.time()) - 1}, SECRET, 'HS256')}",
        f"Bearer {jwt.encode({'sub': str(uuid4())}, SECRET, 'HS256')}",
        f"Bearer {jwt.encode({'sub': 'root', 'exp': int(time.time()) + 60}, SECRET, 'HS256')}",
        f"Bearer {jwt.encode({'sub': str(uuid4()), 'exp': int(time.time()) + 60}, None, 'none')}",
    ],
)
def test_a_token_that_is_not_ours_speaks_for_nobody(authorization: str) -> None:
    assert tokens.bearer(authorization, SECRET) is None


def test_a_user_gets_a_burst_and_then_a_steady_rate() -> None:
    limit = RateLimit(rate=5)
    assert [limit.admits("a", 0.0) for _ in range(11)] == [True] * 10 + [False]
    assert limit.admits("b", 0.0)
    assert [limit.admits("a", 0.2), limit.admits("a", 0.2)] == [True, False]
    assert all(RateLimit(rate=0).admits("a", 0.0) for _ in range(100))


def test_every_foreseeable_series_exists_before_the_first_request() -> None:
    metrics = RequestMetrics(CollectorRegistry(), "a1", [("GET", "/tarefas", (200,))])
    families = {family.name: family for family in text_string_to_metric_families(metrics.page().decode())}
    codes = {sample.labels["code"] for sample in families["http_requests"].samples if sample.name.endswith("_total")}
    assert codes == {"200", "401", "422", "429", "500", "503"}
    edges = {sample.labels.get("le") for sample in families["http_request_duration_seconds"].samples}
    assert {"0.5", "1.0", "2.5", "5.0", "+Inf"} <= edges


def test_a_request_is_counted_and_timed() -> None:
    metrics = RequestMetrics(CollectorRegistry(), "a1", [("GET", "/tarefas", (200,))])
    metrics.record("GET", "/tarefas", 503, 0.6)
    labels = {"method": "GET", "route": "/tarefas", "instance": "a1"}
    assert metrics.registry.get_sample_value("http_requests_total", {**labels, "code": "503"}) == 1
    bucket = "http_request_duration_seconds_bucket"
    assert metrics.registry.get_sample_value(bucket, {**labels, "le": "0.5"}) == 0
    assert metrics.registry.get_sample_value(bucket, {**labels, "le": "0.7"}) == 1


@pytest.mark.parametrize("email", ["", "a", "a@", "@b.test", "a@b", "a b@c.test", "a@b.\x00test"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        NewUser(nome="Ana", email=email, senha="long enough")


@pytest.mark.parametrize("titulo", ["", "   ", "x" * 201, "a\x00b"])
def test_a_title_says_something_storable(titulo: str) -> None:
    with pytest.raises(ValidationError):
        NewTask(titulo=titulo)


def test_settings_come_from_the_environment_and_do_not_show_secrets() -> None:
    settings = read_settings({"TASKS_INSTANCE": "a1", "TASKS_PORT": "8000", "TASKS_JWT_SECRET": SECRET})
    assert settings == Settings(name="a1", port=8000, jwt_secret=SECRET)
    assert SECRET not in repr(settings)


def test_logs_are_one_object_a_line() -> None:
    record = logging.makeLogRecord({"name": "x", "levelname": "WARNING", "msg": "two\nlines", "attempt": 2})
    line = JsonLines("a1").format(record)
    assert "\n" not in line
    assert {key: json.loads(line)[key] for key in ("level", "instance", "message", "attempt")} == {
        "level": "warning",
        "instance": "a1",
        "message": "two\nlines",
        "attempt": 2,
    }


def test_spans_are_written_as_otlp_json(tmp_path: Path) -> None:
    tracer = trace_to(tmp_path / "a1.jsonl", "a1")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner") as inner:
        inner.set_attribute("http.response.status_code", 200)
    provider = tracer.span_processor  # type: ignore[attr-defined]
    assert provider.force_flush(2000)
    (line,) = (tmp_path / "a1.jsonl").read_text().splitlines()
    (resource,) = json.loads(line)["resourceSpans"]
    attributes = {item["key"]: item["value"] for item in resource["resource"]["attributes"]}
    assert attributes["service.instance.id"] == {"stringValue": "a1"}
    spans = {span["name"]: span for span in resource["scopeSpans"][0]["spans"]}
    assert spans["inner"]["parentSpanId"] == spans["outer"]["spanId"]
    assert spans["inner"]["traceId"] == spans["outer"]["traceId"]
    assert len(spans["outer"]["traceId"]) == 32
    assert spans["inner"]["attributes"] == [{"key": "http.response.status_code", "value": {"intValue": "200"}}]
    assert int(spans["inner"]["endTimeUnixNano"]) > int(spans["inner"]["startTimeUnixNano"])
