"""slo/window-under-four-scrapes: a window so short that its rate jumps or is empty."""

from collections.abc import Iterator

from sloproof.alerts.recording import tier_windows
from sloproof.alerts.timing import SCRAPES_IN_BASE_WINDOW
from sloproof.checks.subject import Subject
from sloproof.definition import format_duration
from sloproof.errors import Problem

ID = "slo/window-under-four-scrapes"
NEEDED_FOR_A_RATE = 2


def check(subject: Subject) -> Iterator[Problem]:
    """Windows of tiers that hold too few scrapes: below two there is no rate at all."""
    for slo, place in subject.slos:
        for window in tier_windows(subject.policies[slo.identity]):
            scrapes = subject.timing.real(window) / subject.timing.scrape
            if scrapes < SCRAPES_IN_BASE_WINDOW:
                text = (
                    f"the window of `{format_duration(window)}` holds {scrapes:.3g} scrapes of "
                    f"`{format_duration(subject.timing.scrape)}`"
                )
                hint = f"use windows of {SCRAPES_IN_BASE_WINDOW} scrapes and more, or scrape more often"
                if scrapes < NEEDED_FOR_A_RATE:
                    yield place.problem(f"{text}, too few for any rate, so its tier can never fire", ID, hint)
                else:
                    yield place.warning(f"{text}, so its rate jumps and misses events", ID, hint)
