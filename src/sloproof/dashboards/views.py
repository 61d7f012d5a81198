"""A service from one side: under load against its objectives, and through the faults of its experiments."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts import REAL, Timing
from sloproof.alerts.recording import recorded
from sloproof.dashboards import queries
from sloproof.dashboards.breakdown_definition import Breakdown
from sloproof.dashboards.frame import framed, plain_words
from sloproof.dashboards.latency import latency
from sloproof.dashboards.objectives import Policies, budgets, burn_of_each, burn_steps, policy_of
from sloproof.dashboards.scope import Scope
from sloproof.dashboards.tiles import SHARE, TIMES, Query, Section, Tile, lines, states, text
from sloproof.definition import plain
from sloproof.promql import Number, Selector, call, equals, parse_selector
from sloproof.slo import SLO, Service


@dataclass(frozen=True)
class AskedLoad:
    """A load profile as a page tells of it.

    Args:
        name: `sloproof load run NAME` runs it.
        words: what it stands for.
        users: the most at once.
        rate: the most requests per second that it asks for; None where its users wait as they like.
        length: of the load, as text.
    """

    name: str
    words: str
    users: int
    rate: Decimal | None
    length: str


@dataclass(frozen=True)
class PlannedFaults:
    """An experiment as a page tells of it.

    Args:
        name: `sloproof chaos run NAME` runs it.
        faults: each in words.
        expects: each expectation in words.
    """

    name: str
    faults: tuple[str, ...]
    expects: tuple[str, ...]


def load_dashboard(
    service: Service, slos: Sequence[SLO], policies: Policies, loads: Sequence[AskedLoad], timing: Timing = REAL
) -> dict[str, Any]:
    """A load against what is promised: did the requests come, and did the objectives hold under them.

    Args:
        service: what is loaded.
        slos: its objectives.
        policies: their burn policies.
        loads: the profiles that load it.
        timing: intervals and scale of the rules that record the series.

    Returns:
        Grafana JSON as plain values.
    """
    quantiles = [tile for slo in slos for tile in _latency(slo, timing)]
    sections = [
        Section("asked", "", (_loads(loads),)),
        Section("came", "", (_rates(slos, loads, timing), _ratios(slos, timing))),
        Section("latency", "Latency against the promise", tuple(quantiles)),
        Section("budget", "", (_burning(slos, policies, timing), budgets(Scope(timing, service.name)))),
    ]
    return framed(
        names.view_dashboard(service.name, "load"),
        f"{service.name} under load",
        f"Load runs of {service.name} against its objectives; each run is marked on the graphs.",
        [section for section in sections if section.tiles],
        timing,
        tags=("load", service.name),
        marks=Scope(timing, service.name).marking(),
        service=service.name,
    )


def _loads(loads: Sequence[AskedLoad]) -> Tile:
    rows = [
        f"| `sloproof load run {load.name}` | {plain_words(load.words).replace('|', ' ')} | {load.users} | "
        f"{'as its users wait' if load.rate is None else plain(load.rate)} | {load.length} |"
        for load in loads
    ]
    return text(
        "loads",
        "Load profiles",
        "Each profile, the command that runs it, and how much it asks for.",
        "\n".join(["| command | stands for | users | requests per second | length |", "|---|---|---|---|---|", *rows]),
        width=24,
        height=3 + len(loads),
    )


def _rates(slos: Sequence[SLO], loads: Sequence[AskedLoad], timing: Timing) -> Tile:
    counting = [slo for slo in slos if slo.sli.noun == "event"]
    came = [
        Query(recorded(names.total(timing.base), slo, timing).sum(), f"came, as {slo.name} counts") for slo in counting
    ]
    asked = [
        Query(call("vector", Number(load.rate)), f"asked by {load.name}") for load in loads if load.rate is not None
    ]
    return lines(
        "rates",
        "Requests per second, asked and achieved",
        "What came, as the objectives count it, and the most that each profile asks for. A load that stays under its "
        "own line was not achieved, and says little about the objectives.",
        [*came, *asked],
        unit="reqps",
        interval=timing.scrape,
    )


def _ratios(slos: Sequence[SLO], timing: Timing) -> Tile:
    base = [
        Query(
            (
                recorded(names.errors(timing.base), slo, timing)
                / recorded(names.total(timing.base), slo, timing).above(0)
            ).largest(),
            slo.name,
        )
        for slo in slos
    ]
    limits = [Query(call("vector", Number(slo.budget)), f"budget of {slo.name}") for slo in slos]
    return lines(
        "ratios",
        "Bad events of all events",
        "The part of the events that is bad, of the worst group, and the part that each objective allows. No line "
        "without events.",
        [*base, *limits],
        unit=SHARE,
        interval=timing.scrape,
    )


def _latency(slo: SLO, timing: Timing) -> list[Tile]:
    return latency(slo, timing, key=f"latency-{slo.name}", title=f"Quantiles, as {slo.name} counts")


def _burning(slos: Sequence[SLO], policies: Policies, timing: Timing) -> Tile:
    burn = burn_of_each(slos, policies, Scope(timing, slos[0].service.name), lambda policy: policy.tiers[0].short)
    return lines(
        "burning",
        "Burn rate, short windows",
        "How fast each budget burns over the short window of its fastest pair, of the worst group. From the red line "
        "on somebody is woken, if it lasts.",
        [Query(burn, "{{slo}}")],
        unit=TIMES,
        steps=((None, "transparent"), *burn_steps(slos, policies)[1:]),
        interval=timing.scrape,
    )


def chaos_dashboard(
    service: Service,
    slos: Sequence[SLO],
    policies: Policies,
    experiments: Sequence[PlannedFaults],
    timing: Timing = REAL,
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, Any]:
    """A timeline of faults: when each began and ended, what burned, which alerts fired, what it cost.

    Args:
        service: what is broken.
        slos: its objectives.
        policies: their burn policies.
        experiments: what is tried on it.
        timing: intervals and scale of the rules that record the series.
        breakdowns: of the service; their counters name the jobs behind its front.

    Returns:
        Grafana JSON as plain values.
    """
    sections = [
        Section("alerts", "", (_alerts(slos, policies, timing),)),
        Section("felt", "", (_ratios(slos, timing), _burning(slos, policies, timing))),
        Section("cost", "", (_up(service, breakdowns, timing), budgets(Scope(timing, service.name)))),
        Section("planned", "", (_experiments(experiments),)),
    ]
    return framed(
        names.view_dashboard(service.name, "chaos"),
        f"{service.name} under faults",
        f"Chaos runs of {service.name}: each run and each fault is marked on the graphs, above what it did.",
        sections,
        timing,
        tags=("chaos", service.name),
        marks=Scope(timing, service.name).marking(),
        service=service.name,
    )


def _alerts(slos: Sequence[SLO], policies: Policies, timing: Timing) -> Tile:
    asked = [
        Query(queries.alert_state(tier, slo, timing), f"{slo.name}, {tier.name} ({tier.severity})")
        for slo in slos
        for tier in policy_of(slo, policies).tiers
    ]
    return states(
        "alerts",
        "Alerts, beside the faults",
        "The state of each burn alert. Purple marks are runs and faults. A gap means that the window was not measured.",
        asked,
        named=queries.ALERT_STATES,
        width=24,
        interval=timing.real(timing.evaluation),
    )


_ANSWERS = {1: ("answers", "green"), 0: ("does not answer", "red")}


def _up(service: Service, breakdowns: Sequence[Breakdown], timing: Timing) -> Tile:
    jobs = sorted({service.job, *(job for one in breakdowns for job in _jobs(one))})
    listed = ", ".join(f"`{job}`" for job in jobs)
    return states(
        "up",
        "Targets that answer",
        f"Which targets of {listed} Prometheus can scrape. A gap means that Prometheus does not know the target.",
        [Query(Selector(names.UP, (equals("job", job),)), "{{job}} {{instance}}") for job in jobs],
        named=_ANSWERS,
        width=12,
        interval=timing.scrape,
        bands=max(5, 2 * len(jobs)),
    )


def _jobs(breakdown: Breakdown) -> list[str]:
    matchers = parse_selector(breakdown.requests).matchers
    return [matcher.value for matcher in matchers if matcher.label == "job" and matcher.operator == "="]


def _experiments(experiments: Sequence[PlannedFaults]) -> Tile:
    rows = [
        f"| `sloproof chaos run {one.name}` | {_listed(one.faults)} | {_listed(one.expects)} |" for one in experiments
    ]
    return text(
        "experiments",
        "Experiments",
        "What is tried on this service, the command that does it, and what must hold meanwhile.",
        "\n".join(["| command | faults | expects |", "|---|---|---|", *rows]),
        width=24,
        height=min(16, 3 + len(experiments)),
    )


def _listed(words: Sequence[str]) -> str:
    return plain_words("; ".join(words)).replace("|", " ") or "nothing"
