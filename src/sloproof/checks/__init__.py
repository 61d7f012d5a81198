"""One check a file. Checks return problems; nothing here prints."""

from collections.abc import Callable, Iterable, Iterator

from sloproof.checks import (
    alert_name_collision,
    defined_differently,
    group_label_dropped,
    group_too_large,
    label_overwritten,
    labels_differ,
    no_escalation,
    no_owner,
    no_part_of_total,
    not_described,
    recorded_twice,
    runbook_pages,
    same_events,
    unknown_tier,
    unreachable_tier,
    window_shorter_than_tier,
    window_under_four_scrapes,
    windows_print_alike,
)
from sloproof.checks.subject import GeneratedGroup, GeneratedRule, Place, Subject, TierReference
from sloproof.errors import Problem

OFFLINE: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    unreachable_tier.check,
    alert_name_collision.check,
    unknown_tier.check,
    window_shorter_than_tier.check,
    window_under_four_scrapes.check,
    windows_print_alike.check,
    same_events.check,
    no_part_of_total.check,
    no_owner.check,
    not_described.check,
    no_escalation.check,
    defined_differently.check,
    group_label_dropped.check,
    group_too_large.check,
    recorded_twice.check,
    labels_differ.check,
    label_overwritten.check,
    runbook_pages.check,
)


def run_offline(subject: Subject) -> list[Problem]:
    """Everything wrong or unwise that the definitions alone show, by file and line.

    Args:
        subject: the definitions.
    """
    return in_order(problem for check in OFFLINE for problem in check(subject))


def in_order(found: Iterable[Problem]) -> list[Problem]:
    """Problems by file, line and check; what is told twice, once."""
    return sorted(dict.fromkeys(found), key=lambda one: (one.path, one.line, one.severity, one.check, one.what))


__all__ = [
    "OFFLINE",
    "GeneratedGroup",
    "GeneratedRule",
    "Place",
    "Subject",
    "TierReference",
    "in_order",
    "run_offline",
]
