"""The texts that a lab is configured with."""

import configparser
import json
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from sloproof.lab.envoy_bootstrap import HISTOGRAM_MILLISECONDS, IDLE_FAULTS, Balancer, bootstrap
from sloproof.lab.prometheus_config import Monitoring, lookback, prometheus_config
from sloproof.lab.supervisord_config import supervisord_config
from sloproof.lab.topology import Program, ScrapeJob

BALANCER = Balancer(name="tasks", port=1, admin_port=2, instances={"a1": 3, "a2": 4}, repeatable_paths=("/login",))
MONITORING = Monitoring(
    scrape_interval=timedelta(milliseconds=500),
    evaluation_interval=timedelta(seconds=1),
    rule_files="/lab/rules/*.yaml",
    alertmanager="127.0.0.1:9",
    prometheus="127.0.0.1:8",
    jobs=[ScrapeJob(job="tasks-api", targets={"a2": "127.0.0.1:4", "a1": "127.0.0.1:3"}, honor_labels=True)],
)


def routes() -> list[dict[str, object]]:
    listener = json.loads(bootstrap(BALANCER))["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    found: list[dict[str, object]] = manager["route_config"]["virtual_hosts"][0]["routes"]
    return found


def retries(route: dict[str, object]) -> set[str]:
    return set(route["route"]["retry_policy"]["retry_on"].split(","))  # type: ignore[index]


def test_no_fault_is_set_by_default() -> None:
    assert {value for key, value in IDLE_FAULTS.items() if key.endswith("_percent")} == {0}


def test_the_histogram_has_the_threshold_of_the_latency_objective_as_an_edge() -> None:
    assert 500 in HISTOGRAM_MILLISECONDS
    assert list(HISTOGRAM_MILLISECONDS) == sorted(set(HISTOGRAM_MILLISECONDS))


def test_a_write_that_may_have_been_carried_out_is_not_sent_twice() -> None:
    *repeatable, other = routes()
    assert retries(other).isdisjoint({"reset", "5xx", "retriable-status-codes"})
    assert all("reset" in retries(route) for route in repeatable)
    method = repeatable[0]["match"]["headers"][0]["string_match"]["safe_regex"]["regex"]  # type: ignore[index]
    assert "POST" not in method


def test_everything_the_balancer_listens_on_is_loopback() -> None:
    assert "0.0.0.0" not in bootstrap(BALANCER)
    assert bootstrap(BALANCER).count('"address": "127.0.0.1"') == 4


def test_each_target_keeps_its_name_as_instance() -> None:
    config = yaml.safe_load(prometheus_config(MONITORING))
    job = next(job for job in config["scrape_configs"] if job["job_name"] == "tasks-api")
    assert [(entry["labels"]["instance"], entry["targets"]) for entry in job["static_configs"]] == [
        ("a1", ["127.0.0.1:3"]),
        ("a2", ["127.0.0.1:4"]),
    ]
    assert job["honor_labels"] is True
    assert config["global"]["scrape_interval"] == "500ms"


@pytest.mark.parametrize(
    ("scale", "scrape", "expected"), [(1, 15, 300), (60, 0.5, 10), (10, 5, 30), (1, 120, 300), (60, 5, 20)]
)
def test_a_scaled_lab_forgets_old_samples_sooner(scale: int, scrape: float, expected: float) -> None:
    assert lookback(scale, timedelta(seconds=scrape), timedelta(seconds=1)) == timedelta(seconds=expected)


def read(*programs: Program) -> configparser.ConfigParser:
    text = supervisord_config(programs, socket=Path("/tmp/x/s.sock"), folder=Path("/lab"), account="root")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def test_a_program_is_written_so_that_supervisord_reads_it_back() -> None:
    command = ("/bin/echo", "100 %", "it's", "a b")
    section = read(Program(name="echo", command=command, environment={"A": "1,2"}))["program:echo"]
    assert tuple(shlex.split(section["command"].replace("%%", "%"))) == command
    assert section["environment"] == 'A="1,2"'
    assert (section["autorestart"], section["startsecs"]) == ("true", "0")


def test_supervisord_opens_no_tcp_port() -> None:
    assert "inet_http_server" not in read(Program(name="a", command=("/bin/true",)))


@pytest.mark.parametrize("bad", ["a\nb", "a ;b"])
def test_what_supervisord_would_read_otherwise_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        read(Program(name="a", command=("/bin/echo", bad)))
