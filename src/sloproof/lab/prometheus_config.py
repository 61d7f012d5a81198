"""What the lab's Prometheus scrapes and where it sends alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from sloproof.definition import format_duration
from sloproof.lab.topology import ScrapeJob

_WIDEST_LOOKBACK = timedelta(minutes=5)
_NARROWEST_LOOKBACK = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """How the lab is watched.

    Args:
        scrape_interval: time between two scrapes, at least 100 ms.
        evaluation_interval: time between two evaluations of rules that do not say their own.
        rule_files: glob of absolute rule files.
        alertmanager: `host:port`.
        prometheus: its own `host:port`, which it scrapes too.
        jobs: what else it scrapes.
    """

    scrape_interval: timedelta
    evaluation_interval: timedelta
    rule_files: str
    alertmanager: str
    prometheus: str
    jobs: Sequence[ScrapeJob]


def prometheus_config(monitoring: Monitoring) -> str:
    """The configuration file as YAML text, the same for the same arguments."""
    own = ScrapeJob(job="prometheus", targets={"prometheus": monitoring.prometheus})
    interval = format_duration(monitoring.scrape_interval)
    document: dict[str, Any] = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": format_duration(monitoring.evaluation_interval),
        },
        "rule_files": [monitoring.rule_files],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [monitoring.alertmanager]}]}]},
        "scrape_configs": [_scrape(job) for job in (*monitoring.jobs, own)],
    }
    return yaml.safe_dump(document, sort_keys=False)


def lookback(scale: int, scrape_interval: timedelta, evaluation_interval: timedelta) -> timedelta:
    """How old a sample may be that an instant query still sees.

    Args:
        scale: the factor that the windows were divided by.
        scrape_interval: time between two scrapes.
        evaluation_interval: time between two evaluations.

    Returns:
        Prometheus' own five minutes divided by the factor, but never so short that four scrapes or
        evaluations could be missed unseen.
    """
    slowest = max(scrape_interval, evaluation_interval)
    return min(_WIDEST_LOOKBACK, max(_WIDEST_LOOKBACK / scale, 4 * slowest, _NARROWEST_LOOKBACK))


def _scrape(job: ScrapeJob) -> dict[str, Any]:
    return {
        "job_name": job.job,
        "metrics_path": job.path,
        "honor_labels": job.honor_labels,
        "static_configs": [
            {"targets": [address], "labels": {"instance": name}} for name, address in sorted(job.targets.items())
        ],
    }
