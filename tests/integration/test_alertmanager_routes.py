"""Every generated alert and route before the real judges: promtool, amtool, and a live Alertmanager."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloproof.alertmanager import Alertmanager, Silence
from sloproof.alerts import DEFAULT_POLICY, REAL, BurnPolicy, BurnTier, Routing, Webhook, alertmanager_config
from sloproof.alerts.routed_alerts import RoutedAlert, routed_alerts
from sloproof.alerts.silence import chaos_silence
from sloproof.chaos.experiment import Experiment, Fires, Holds, Resolves
from sloproof.chaos.faults import KillInstance
from sloproof.chaos.run_silence import run_silence, silenced
from sloproof.errors import PartFailed, UsageError
from sloproof.http import Connection
from sloproof.lab.parts import find
from sloproof.loadtests.profile import LoadProfile
from sloproof.workspace.alert_artifacts import alert_rules, unproven_causes
from sloproof.workspace.artifacts import all_artifacts, read_page
from sloproof.workspace.loading import Workspace, load_workspace

pytestmark = pytest.mark.integration

WORKSPACE_PARTS = Path(__file__).parents[2] / ".sloproof" / "parts"

SLOS = """
from sloproof import SLO, ErrorRatio, LatencyBelow, Service
shop = Service(name="shop", owner='the "shop" team {{ . }}', job="shop", description="people buy")
mail = Service(name="mail", owner="mail team", job="mail")
errors = ErrorRatio(errors='r_total{job="shop",code=~"5.."}', total='r_total{job="shop"}')
availability = SLO(service=shop, name="availability", objective="99.9", sli=errors)
latency = SLO(service=mail, name="latency", objective="95", sli=LatencyBelow("500ms", histogram='d{job="mail"}'))
"""
ALERTS = """
from slo.shop import availability, mail, shop
from sloproof import (BudgetAlerts, BurnPolicy, BurnTier, CauseAlert, Email, OwnerRoute, Routing, Slack, TimeInterval,
    Webhook)


def cause(service, name, expression, hold="5m", severity="warning", **limit):
    return CauseAlert(service=service, name=name, expression=expression, hold=hold, severity=severity,
        summary=f"{name} is beyond its limit", first_step="open the dashboard", **limit)


causes = [
    cause(shop, "high-cpu", 'avg by (instance) (rate(process_cpu_seconds_total{job="shop"}[1m]))', above="0.85",
        hold="3m", severity="page"),
    cause(shop, "slow-p95", 'histogram_quantile(0.95, sum by (le) (rate(d_bucket{job="shop"}[5m])))', above="0.7"),
    cause(shop, "server-errors",
        'sum(rate(r_total{job="shop",code=~"5.."}[1m])) / sum(rate(r_total{job="shop"}[1m]))', above="0.005",
        hold="1m", severity="critical"),
    cause(shop, "cache-misses", 'sum(rate(hits_total[5m])) / (sum(rate(hits_total[5m])) + sum(rate(misses_total[5m])))',
        below="0.8", hold="10m"),
    cause(shop, "cache-hits-of-lookups", 'sum(rate(hits_total[5m])) / sum(rate(lookups_total[5m]))', below="0.8"),
    cause(shop, "connections", 'sum(pg_connections{job="shop"})', above=80),
    cause(shop, "memory", 'process_resident_memory_bytes{job="shop"} / memory_limit_bytes{job="shop"}', above="0.85"),
    cause(shop, "busy", '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))', above="0.9"),
    cause(mail, "stale-backup", 'time() - backup_last_success_timestamp_seconds', above=3600, hold="0s",
        severity="ticket"),
    cause(mail, "locks", 'increase(sqlite_locks_total[1m])', above=5, hold="0s"),
    cause(mail, "queue", 'max_over_time(queue_size[10m])', above=0),
    cause(mail, "replicas", 'count(up{job="mail"})', below=2),
    cause(mail, "hostile", 'sum(x{a="b\\\\"c`{{ 1 }}"}) # a comment\\n', above=2),
]
policy = BurnPolicy(
    tiers=(BurnTier(name="fast", budget_share="0.02", long="1h", short="5m", severity="page", keep_firing_for="10m",
        minimum_budget_share="0.01"),),
    applies_to=(availability,),
)
fewer = BudgetAlerts(below="25", exhausted_within="10d", rate_over="12h", applies_to=(availability,))
routing = Routing(
    receivers=(
        Webhook(name="hook", url="http://127.0.0.1:9/x"),
        Slack(name="chat", channel="#ops", api_url_file="/etc/secrets/slack"),
        Email(name="post", to="a@example.org", from_="x@example.org", smarthost="mail:587", username="u",
            password_file="/etc/secrets/mail"),
    ),
    routes={"ticket": "chat"},
    owners=(OwnerRoute(owner=shop.owner, routes={"page": "post", "warning": "hook"}),),
    intervals=(TimeInterval(name="nights", start="20:00", end="07:30", location="Europe/Lisbon"),
        TimeInterval(name="weekends", weekdays=("saturday", "sunday"))),
    muted={"ticket": ("nights", "weekends")},
)
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with alerts of every kind, and everything that it implies, written."""
    root = tmp_path_factory.mktemp("workspace")
    for path, text in (("pyproject.toml", "[tool.sloproof]\n"), ("slo/shop.py", SLOS), ("alerts/shop.py", ALERTS)):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    loaded = load_workspace(root)
    for artifact in all_artifacts(loaded, read_page(root)):
        (root / artifact.path).parent.mkdir(parents=True, exist_ok=True)
        (root / artifact.path).write_text(artifact.text)
    return loaded


def said(part: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(find(part, WORKSPACE_PARTS)), *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout + done.stderr


def alertmanager_file(workspace: Workspace) -> Path:
    return workspace.root / "alerts" / "generated" / "alertmanager.yaml"


def routed(workspace: Workspace) -> list[RoutedAlert]:
    rules = [(owned.rule, owned.service.owner) for owned in alert_rules(workspace, REAL)]
    return routed_alerts(rules, workspace.all_of(Routing)[0])


def test_promtool_accepts_every_rules_file(workspace: Workspace) -> None:
    files = sorted((workspace.root / "alerts" / "generated").glob("*.rules.yaml"))
    assert {file.name.removeprefix("shop.").removeprefix("mail.") for file in files} == {
        "base.rules.yaml",
        "rules.yaml",
        "budget.rules.yaml",
        "causes.rules.yaml",
    }
    code, text = said("promtool", "check", "rules", *map(str, files))
    assert code == 0, text


def test_every_alert_that_is_written_is_known_with_a_page_of_its_own(workspace: Workspace) -> None:
    written = [
        rule["alert"]
        for file in (workspace.root / "alerts" / "generated").glob("*.rules.yaml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert sorted(written) == sorted(owned.rule.alert for owned in alert_rules(workspace, REAL))
    for alert in written:
        assert (workspace.root / "runbooks" / f"{alert}.md").is_file()


def test_causes_budgets_and_absences_fire_and_keep_quiet_as_promised(workspace: Workspace) -> None:
    files = sorted(
        file
        for subject in ("budget", "causes")
        for file in (workspace.root / "alerts" / "tests").glob(f"*.{subject}-*.test.yaml")
    )
    assert len(files) == 4
    code, text = said("promtool", "test", "rules", *map(str, files))
    assert code == 0, text


@pytest.mark.parametrize(
    ("file", "ours", "wrong"),
    [
        ("shop.causes", "> 0.85", "> 0.5"),
        ("shop.causes", "> 0.85", "> 1.5"),
        ("shop.causes", "< 0.8", "> 0.8"),
        ("shop.causes", "for: 3m", "for: 1h"),
        ("shop.causes", "by (le) (rate(d_bucket", "(rate(d_bucket"),
        ("shop.budget", " == 1)", ")"),
        ("shop.budget", "absent(slo:errors", "count(slo:errors"),
        ("shop.budget", "< 0.25", "> 0.25"),
        ("shop.budget", "< 0.25", "< 0.5"),
        ("shop.budget", "and (slo:errors:count_30d", "or (slo:errors:count_30d"),
        ("shop.budget", "< 864000", "< 86400"),
        ("shop.budget", "< 864000", "< 8640000"),
    ],
)
def test_a_rule_that_was_broken_on_purpose_is_found(
    workspace: Workspace, tmp_path: Path, file: str, ours: str, wrong: str
) -> None:
    shutil.copytree(workspace.root / "alerts", tmp_path / "alerts", dirs_exist_ok=True)
    rules = tmp_path / "alerts" / "generated" / f"{file}.rules.yaml"
    assert ours in rules.read_text()
    rules.write_text(rules.read_text().replace(ours, wrong))
    code, text = said("promtool", "test", "rules", str(tmp_path / "alerts" / "tests" / f"{file}-minutes.test.yaml"))
    assert code == 1, text
    assert "FAILED" in text


def test_what_cannot_be_proven_is_named(workspace: Workspace) -> None:
    assert [alert for alert, _ in unproven_causes(workspace)] == ["MailReplicas"]


def test_amtool_accepts_the_configuration(workspace: Workspace) -> None:
    code, text = said("amtool", "check-config", str(alertmanager_file(workspace)))
    assert code == 0, text
    assert "3 receivers" in text


def test_amtool_proves_the_receiver_of_every_alert(workspace: Workspace) -> None:
    found = routed(workspace)
    assert {alert.receiver for alert in found} == {"hook", "chat", "post"}
    for alert in found:
        code, text = route_test(workspace, alert)
        assert code == 0, f"{alert}: {text}"


def test_amtool_would_notice_a_wrong_receiver(workspace: Workspace) -> None:
    alert = routed(workspace)[0]
    code, _ = route_test(workspace, RoutedAlert(alert.alert, alert.labels, "hook"))
    assert alert.receiver == "post"
    assert code != 0


def route_test(workspace: Workspace, alert: RoutedAlert) -> tuple[int, str]:
    labels = [f"{name}={_quoted(value)}" for name, value in alert.labels.items()]
    file = f"--config.file={alertmanager_file(workspace)}"
    return said("amtool", "config", "routes", "test", file, f"--verify.receivers={alert.receiver}", *labels)


def _quoted(value: str) -> str:
    """amtool reads its arguments as matchers, so that quotes in a value need their own."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="module")
def alertmanager(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with started(alertmanager_file(workspace), tmp_path_factory.mktemp("alertmanager")) as (client, _):
        yield client


@contextmanager
def started(configuration: Path, folder: Path) -> Iterator[tuple[Alertmanager, subprocess.Popen[bytes]]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    binary = find("alertmanager", WORKSPACE_PARTS)
    command = [
        str(binary),
        f"--config.file={configuration}",
        f"--storage.path={folder}",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=binary.parent, env=os.environ.copy())
    try:
        with Alertmanager(f"http://127.0.0.1:{port}") as client:
            eventually(client.ready, "start-up")
            yield client, process
    finally:
        process.terminate()
        process.wait(10)


def eventually(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(PartFailed):
            if condition():
                return
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {seconds} s")


def fire(alertmanager: Alertmanager, *alerts: dict[str, str]) -> None:
    now = datetime.now(UTC)
    document: list[dict[str, Any]] = [
        {"labels": labels, "startsAt": now.isoformat(), "endsAt": (now + timedelta(minutes=5)).isoformat()}
        for labels in alerts
    ]
    with Connection("Alertmanager", alertmanager.url) as connection:
        assert connection.post("/api/v2/alerts", document).succeeded


def state_of(alertmanager: Alertmanager, name: str) -> str:
    return next((alert.state for alert in alertmanager.alerts() if alert.name == name), "unknown")


def labels_of(workspace: Workspace, name: str) -> dict[str, str]:
    return dict(next(alert.labels for alert in routed(workspace) if alert.alert == name))


def test_a_page_keeps_the_patient_causes_and_the_budget_of_its_service_quiet(
    workspace: Workspace, alertmanager: Alertmanager
) -> None:
    quiet = ("ShopMemory", "ShopAvailabilityBudgetLow", "MailStaleBackup", "ShopHighCpu")
    fire(alertmanager, labels_of(workspace, "ShopAvailabilityFastBurn"))
    fire(alertmanager, *(labels_of(workspace, name) for name in quiet))
    eventually(lambda: state_of(alertmanager, "ShopMemory") == "suppressed", "inhibition of a cause")
    eventually(lambda: state_of(alertmanager, "ShopAvailabilityBudgetLow") == "suppressed", "inhibition of a budget")
    eventually(lambda: state_of(alertmanager, "ShopHighCpu") == "active", "a page about a cause")
    eventually(lambda: state_of(alertmanager, "MailStaleBackup") == "active", "a ticket of another service")


@pytest.mark.parametrize("slow_first", [False, True])
def test_the_faster_page_is_heard_and_a_ticket_silences_none(tmp_path: Path, slow_first: bool) -> None:
    fast, medium, slow, trickle = DEFAULT_POLICY.tiers
    fast, medium = (
        fast.model_copy(update={"severity": "ticket"}),
        medium.model_copy(update={"severity": "page"}),
    )
    tiers = (fast, medium, slow, trickle)
    routing = Routing(receivers=(Webhook(name="hook", url="http://127.0.0.1:9/x"),))
    policy = BurnPolicy(tiers=tiers[::-1] if slow_first else tiers)
    configuration = tmp_path / "alertmanager.yaml"
    configuration.write_text(alertmanager_config(routing, [policy]).replace("group_wait: 10s", "group_wait: 0s"))
    with started(configuration, tmp_path) as (client, _):
        fire(client, *(burning(tier) for tier in tiers))
        eventually(lambda: state_of(client, "slow") == "suppressed", "inhibition of a slower ticket")
        eventually(lambda: state_of(client, "trickle") == "suppressed", "inhibition of the slowest ticket")
        eventually(lambda: state_of(client, "medium") == "active", "the page")
        eventually(lambda: state_of(client, "fast") == "active", "the faster ticket")


def burning(tier: BurnTier) -> dict[str, str]:
    return {"alertname": tier.name, "tier": tier.name, "severity": tier.severity, "service": "shop", "slo": "errors"}


def test_a_silence_for_planned_chaos_ends_by_itself(workspace: Workspace, alertmanager: Alertmanager) -> None:
    labels = labels_of(workspace, "MailLatencyFastBurn")
    planned = chaos_silence(
        "mail", starts_at=time.time(), lasts=timedelta(seconds=4), created_by="a test", reason="we break it"
    )
    made = alertmanager.silence(planned)
    fire(alertmanager, labels)
    eventually(lambda: state_of(alertmanager, "MailLatencyFastBurn") == "suppressed", "the silence")
    (silence,) = [one for one in alertmanager.silences() if one.id == made]
    assert silence.ends_at == pytest.approx(planned.ends_at, abs=0.01)
    assert [(m.label, m.operator, m.value) for m in silence.matchers] == [("service", "=", "mail")]
    eventually(lambda: state_of(alertmanager, "MailLatencyFastBurn") == "active", "the end of the silence")


def test_a_silence_can_be_ended_early_and_twice(alertmanager: Alertmanager) -> None:
    planned = chaos_silence(
        "other", starts_at=time.time(), lasts=timedelta(hours=1), created_by="a test", reason="we break it"
    )
    made = alertmanager.silence(planned)
    alertmanager.expire_silence(made)
    alertmanager.expire_silence(made)
    assert [one.state for one in alertmanager.silences() if one.id == made] == ["expired"]


def test_a_silence_that_does_not_exist_cannot_be_ended(alertmanager: Alertmanager) -> None:
    with pytest.raises(PartFailed, match="silence"):
        alertmanager.expire_silence("00000000-0000-0000-0000-000000000000")


def experiment(*expect: Any, system: str = "mail") -> Experiment:
    load = LoadProfile(name="steady", system=system, users=1, duration="20s", locustfile="users/tasks.py")
    fault = KillInstance("a1", at="2s", back_after="4s")
    return Experiment(name="break-it", system=system, load=load, faults=[fault], expect=list(expect))


def test_a_run_silences_what_it_does_not_expect_and_never_what_it_expects(
    workspace: Workspace, alertmanager: Alertmanager
) -> None:
    latency = next(slo for slo in workspace.slos if slo.identity == "mail/latency")
    planned = run_silence(experiment(Fires(latency, tier="fast"), Resolves(latency, tier="fast")), time.time())
    expected, other, elsewhere = "MailLatencyFastBurn", "MailLatencyAbsent", "ShopHighCpu"
    with silenced(alertmanager, planned, pytest.fail):
        fire(alertmanager, *(labels_of(workspace, name) for name in (expected, other, elsewhere)))
        eventually(lambda: state_of(alertmanager, other) == "suppressed", "the silence of what is not expected")
        assert not next(alert for alert in alertmanager.alerts() if alert.name == expected).silenced_by
        assert not next(alert for alert in alertmanager.alerts() if alert.name == elsewhere).silenced_by
        eventually(lambda: state_of(alertmanager, expected) == "active", "the expected alert")
    eventually(lambda: not silenced_by(alertmanager, other), "the end of the silence")


def silenced_by(alertmanager: Alertmanager, name: str) -> tuple[str, ...]:
    return next(alert.silenced_by for alert in alertmanager.alerts() if alert.name == name)


def test_the_silence_of_a_run_that_fails_ends_with_it(workspace: Workspace, alertmanager: Alertmanager) -> None:
    planned = run_silence(experiment(Holds(workspace.slos[0]), system="unheard-of"), time.time())

    def ours() -> Silence:
        (silence,) = [one for one in alertmanager.silences() if one.matchers[0].value == "unheard-of"]
        return silence

    def run() -> None:
        with silenced(alertmanager, planned, pytest.fail):
            assert ours().state == "active"
            assert ours().ends_at - ours().starts_at < 600  # also after SIGKILL
            raise PartFailed("a part died")

    with pytest.raises(PartFailed, match="a part died"):
        run()
    assert ours().state == "expired"


def test_without_alertmanager_nothing_begins(workspace: Workspace) -> None:
    planned = run_silence(experiment(Holds(workspace.slos[0])), time.time())
    with (
        Alertmanager("http://127.0.0.1:9") as nobody,
        pytest.raises(PartFailed, match="cannot be reached"),
        silenced(nobody, planned, pytest.fail),
    ):
        pytest.fail("the run began")


def test_an_alertmanager_that_dies_on_the_way_does_not_hide_how_the_run_ended(
    workspace: Workspace, tmp_path: Path
) -> None:
    planned = run_silence(experiment(Holds(workspace.slos[0])), time.time())
    said: list[str] = []

    def run() -> None:
        with (
            started(alertmanager_file(workspace), tmp_path) as (client, process),
            silenced(client, planned, said.append),
        ):
            process.kill()
            process.wait(10)
            raise PartFailed("the run's own")

    with pytest.raises(PartFailed, match="the run's own"):
        run()
    assert "cannot be reached" in said[0] and "ends by itself at" in said[0]


def test_a_run_longer_than_a_silence_may_last_is_refused_before_it_begins(workspace: Workspace) -> None:
    long = experiment(Holds(workspace.slos[0]))
    long = long.model_copy(update={"load": long.load.model_copy(update={"duration": timedelta(days=1)})})
    with pytest.raises(UsageError, match="longer than a silence may last"):
        run_silence(long, time.time())
