"""What watches a lab: Prometheus, Alertmanager, the notification receiver, and the keeper that ends it all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sloproof.definition import format_duration
from sloproof.lab import webhook_receiver
from sloproof.lab.prometheus_config import Monitoring, lookback, prometheus_config
from sloproof.lab.topology import Program, ScrapeJob, Site, script

PORTS = ("prometheus", "alertmanager", "webhook")
PARTS = ("prometheus", "alertmanager")
KEEPER = "keeper"


@dataclass(frozen=True, kw_only=True)
class Clockwork:
    """How fast a lab lives.

    Args:
        scale: the factor that the rules' windows were divided by.
        scrape_interval: time between two scrapes.
        evaluation_interval: time between two evaluations of the rules.
    """

    scale: int
    scrape_interval: timedelta
    evaluation_interval: timedelta


def config(site: Site, clockwork: Clockwork, jobs: Sequence[ScrapeJob]) -> str:
    """The text of `config/prometheus.yaml`."""
    return prometheus_config(
        Monitoring(
            scrape_interval=clockwork.scrape_interval,
            evaluation_interval=clockwork.evaluation_interval,
            rule_files=str(site.folder / "generated" / "rules" / "*.yaml"),
            alertmanager=site.address("alertmanager"),
            prometheus=site.address("prometheus"),
            jobs=jobs,
        )
    )


def programs(site: Site, clockwork: Clockwork) -> tuple[Program, ...]:
    """The programs that every lab has, whatever its system."""
    return (_webhook(site), _alertmanager(site), _prometheus(site, clockwork), _keeper(site))


def _prometheus(site: Site, clockwork: Clockwork) -> Program:
    oldest = lookback(clockwork.scale, clockwork.scrape_interval, clockwork.evaluation_interval)
    return Program(
        name="prometheus",
        command=(
            str(site.parts["prometheus"]),
            f"--config.file={site.folder / 'config' / 'prometheus.yaml'}",
            f"--storage.tsdb.path={site.folder / 'prometheus'}",
            "--storage.tsdb.retention.time=35d",
            f"--web.listen-address={site.address('prometheus')}",
            f"--web.external-url={site.url('prometheus')}",
            "--web.route-prefix=/",
            f"--query.lookback-delta={format_duration(oldest)}",
            "--query.timeout=30s",
            f"--rules.alert.resend-delay={format_duration(_resend_delay(clockwork.scale))}",
            "--log.level=warn",
        ),
        port=site.ports["prometheus"],
        url=site.url("prometheus"),
        health=f"{site.url('prometheus')}/-/ready",
        priority=50,
    )


def _resend_delay(scale: int) -> timedelta:
    """Prometheus' own minute, divided too: an alert that was lost while a configuration was read is sent again."""
    return max(timedelta(minutes=1) / scale, timedelta(seconds=1))


def _alertmanager(site: Site) -> Program:
    return Program(
        name="alertmanager",
        command=(
            str(site.parts["alertmanager"]),
            f"--config.file={site.folder / 'generated' / 'alertmanager.yaml'}",
            f"--storage.path={site.folder / 'alertmanager'}",
            f"--web.listen-address={site.address('alertmanager')}",
            f"--web.external-url={site.url('alertmanager')}",
            "--web.route-prefix=/",
            "--cluster.listen-address=",
            "--log.level=warn",
        ),
        port=site.ports["alertmanager"],
        url=site.url("alertmanager"),
        health=f"{site.url('alertmanager')}/-/ready",
        # A copy that was unpacked without root looks for its templates from where it is started.
        directory=site.parts["alertmanager"].parent,
        priority=45,
    )


def _webhook(site: Site) -> Program:
    return Program(
        name="webhook",
        command=(
            *script(site.python, webhook_receiver),
            str(site.ports["webhook"]),
            str(site.folder / "notifications.jsonl"),
        ),
        port=site.ports["webhook"],
        url=site.url("webhook"),
        health=f"{site.url('webhook')}/healthz",
        priority=40,
    )


def _keeper(site: Site) -> Program:
    return Program(name=KEEPER, command=(site.python, "-m", "sloproof.lab.keeper", str(site.folder)), priority=1)
