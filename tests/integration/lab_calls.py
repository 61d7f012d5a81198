"""Calls to a lab that is up, as a user and as an operator would make them."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from sloproof.lab.state import LabState

RULES = """\
groups:
- name: lab
  rules:
  - alert: ManyErrors
    expr: >
      sum(increase(envoy_http_downstream_rq_xx{
        envoy_http_conn_manager_prefix="tasks", envoy_response_code_class="5"}[10s])) > 5
    labels: {severity: page}
"""
ALERTMANAGER = """\
route: {{receiver: hook, group_wait: 0s, group_interval: 1s}}
receivers:
- name: hook
  webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""
PACE: dict[str, Any] = {
    "scale": 60,
    "scrape_interval": timedelta(milliseconds=500),
    "evaluation_interval": timedelta(seconds=1),
    "lifetime": timedelta(minutes=30),
}


def generated(url: str) -> Mapping[str, str]:
    """The least that Prometheus and Alertmanager need."""
    return {"rules/tasks.yaml": RULES, "alertmanager.yaml": ALERTMANAGER.format(url=url)}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


def call(base: str, method: str, path: str, content: Any = None, token: str = "") -> Answer:
    """One request on a connection of its own; an OSError where no whole answer came."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=15)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, None if content is None else json.dumps(content), headers)
        response = connection.getresponse()
        body = response.read()
    except http.client.HTTPException as error:
        raise ConnectionResetError(f"cut off: {error}") from error
    finally:
        connection.close()
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, names, body, time.perf_counter() - begun)


def log_in(lab: LabState, user: int = 1) -> str:
    """A token of a seeded user."""
    credentials = {"email": f"user-{user:03}@example.test", "senha": lab.seed_password_file.read_text()}
    token: str = call(lab.balancer, "POST", "/login", credentials).json()["token"]
    return token


def many(lab: LabState, count: int, token: str, at_once: int = 8) -> list[Answer]:
    """So many reads through the balancer."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: call(lab.balancer, "GET", "/tarefas", token=token), range(count)))


def set_runtime(lab: LabState, **keys: str) -> None:
    """Set runtime keys of the balancer; an empty value takes one back."""
    answer = call(lab.envoy_admin, "POST", f"/runtime_modify?{urlencode(keys)}")
    assert answer.status == 200, answer.body


def wait_for(what: Callable[[], Any], within: float) -> Any:
    """The first true value of `what`."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"did not come true within {within} s")


def query(lab: LabState, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
    """An instant query: value by sorted labels."""
    answer = call(lab.prometheus, "GET", f"/api/v1/query?{urlencode({'query': expression})}").json()
    return {tuple(sorted(row["metric"].items())): float(row["value"][1]) for row in answer["data"]["result"]}


def notifications(path: Path) -> list[dict[str, Any]]:
    """What the receiver recorded."""
    return [json.loads(line) for line in path.read_text().splitlines()]
