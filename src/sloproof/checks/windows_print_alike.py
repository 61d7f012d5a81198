"""slo/windows-print-alike: windows that differ and would be recorded under one name."""

from collections.abc import Iterator
from datetime import timedelta

from sloproof.alerts.recording import tier_windows
from sloproof.checks.subject import Place, Subject
from sloproof.definition import format_duration
from sloproof.errors import Problem
from sloproof.slo import SLO

ID = "slo/windows-print-alike"


def check(subject: Subject) -> Iterator[Problem]:
    """Different windows of one name, and tiers that watch the same pair of windows."""
    for slo, place in subject.slos:
        yield from _different(subject, slo, place)
        yield from _same_pairs(subject, slo, place)


def _different(subject: Subject, slo: SLO, place: Place) -> Iterator[Problem]:
    first: dict[str, timedelta] = {}
    for window in sorted({*tier_windows(subject.policies[slo.identity]), *([] if slo.calendar else [slo.window])}):
        name = format_duration(window)
        if first.setdefault(name, window) != window:
            yield place.problem(
                f"`{slo.identity}` has two different windows that are both written `{name}`",
                ID,
                "give windows in whole milliseconds",
            )


def _same_pairs(subject: Subject, slo: SLO, place: Place) -> Iterator[Problem]:
    first: dict[tuple[timedelta, timedelta], str] = {}
    for tier in subject.policies[slo.identity].tiers:
        other = first.setdefault((tier.long, tier.short), tier.name)
        if other != tier.name:
            pair = f"{format_duration(tier.long)}/{format_duration(tier.short)}"
            yield place.warning(
                f"the tiers `{other}` and `{tier.name}` both watch the windows `{pair}`",
                ID,
                "drop the one whose threshold is higher, unless its severity differs on purpose",
            )
