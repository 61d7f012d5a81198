"""server/scrape-interval-differs, server/unknown-job: targets that are not scraped as the rules assume."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sloproof.alerts.timing import SCRAPES_IN_BASE_WINDOW
from sloproof.checks.subject import Place, Subject
from sloproof.definition import format_duration
from sloproof.errors import Problem
from sloproof.prometheus import NotServed, Prometheus
from sloproof.prometheus_answers import Target
from sloproof.slo import Service

ID = "server/scrape-interval-differs"
UNKNOWN_JOB = "server/unknown-job"
UNKNOWN = "server/targets-unknown"


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Services without a target, and targets that are scraped at another interval than the settings say."""
    services = list(subject.services())
    if not services:
        return
    try:
        targets = prometheus.targets()
    except NotServed:
        yield services[0][1].warning(
            f"`{prometheus.url}` does not tell what it scrapes, so scrape intervals and jobs are unknown",
            UNKNOWN,
            "ask the Prometheus or the agent that scrapes the targets",
        )
        return
    for service, place in services:
        own = [target for target in targets if target.job == service.job]
        yield from _of_service(subject, service, place, own) if own else _no_target(service, place, targets)


def _no_target(service: Service, place: Place, targets: Sequence[Target]) -> Iterator[Problem]:
    jobs = ", ".join(f"`{job}`" for job in sorted({target.job for target in targets}))
    yield place.warning(
        f"nothing is scraped under the job `{service.job}` of `{service.name}`",
        UNKNOWN_JOB,
        f"its jobs are {jobs}; alerts on absence look for this job" if jobs else "let it scrape the service's targets",
    )


def _of_service(subject: Subject, service: Service, place: Place, targets: Sequence[Target]) -> Iterator[Problem]:
    real, set_to = timedelta(seconds=max(target.interval for target in targets)), subject.timing.scrape
    if not real or real == set_to:
        return
    what = f"the targets of `{service.job}` are scraped every `{format_duration(real)}`, and the rules assume "
    what += f"`{format_duration(set_to)}`"
    hint = f'set `scrape-interval = "{format_duration(real)}"` in `[tool.sloproof]`, or scrape them as often as it says'
    base = subject.timing.real(subject.timing.base)
    if base < real * SCRAPES_IN_BASE_WINDOW:
        holds = f"{base / real:.2g} scrapes in the base window of `{format_duration(base)}` lose events"
        yield place.problem(f"{what}: {holds}", ID, f"scrape at least every `{format_duration(base / 4)}`; then {hint}")
    else:
        yield place.warning(f"{what}, so promised times are wrong by the difference", ID, hint)
