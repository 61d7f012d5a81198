"""One check a file. Checks return problems; nothing here prints."""

from collections.abc import Callable, Iterable, Iterator

from sloproof.checks import (
    alert_name_collision,
    defined_differently,
    fault_after_load,
    fault_too_early,
    group_label_dropped,
    group_too_large,
    label_overwritten,
    labels_differ,
    no_escalation,
    no_owner,
    no_part_of_total,
    not_described,
    panel_queries,
    recorded_twice,
    runbook_pages,
    runbook_stale,
    same_events,
    target_not_listed,
    unknown_part,
    unknown_tier,
    unreachable_tier,
    window_shorter_than_tier,
    window_under_four_scrapes,
    windows_print_alike,
)
from sloproof.checks.kinds_of_rules import first_of_each_kind
from sloproof.checks.subject import GeneratedGroup, GeneratedRule, Place, Subject, TierReference
from sloproof.errors import Problem

OF_DEFINITIONS: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    unreachable_tier.check,
    alert_name_collision.check,
    unknown_tier.check,
    unknown_part.check,
    target_not_listed.check,
    fault_too_early.check,
    fault_after_load.check,
    window_shorter_than_tier.check,
    window_under_four_scrapes.check,
    windows_print_alike.check,
    same_events.check,
    no_part_of_total.check,
    no_owner.check,
    not_described.check,
    no_escalation.check,
    defined_differently.check,
    group_too_large.check,
    runbook_pages.check,
    runbook_stale.check,
    panel_queries.check,
)
"""What looks at all definitions together."""

OF_RULES: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    group_label_dropped.check,
    recorded_twice.check,
    labels_differ.check,
    label_overwritten.check,
)
"""What looks at the series that rules read and record, each of which bears the name of its service. That is the most
work, and rules seldom read what another service records: the rules of each service can be looked at by themselves."""

OFFLINE = (*OF_DEFINITIONS, *OF_RULES)


def run_offline(subject: Subject) -> list[Problem]:
    """Everything wrong or unwise that the definitions alone show, by file and line.

    Args:
        subject: the definitions.
    """
    of_rules = run_on_rules(subject) if subject.judged is None else subject.judged
    return in_order([*(problem for check in OF_DEFINITIONS for problem in check(subject)), *of_rules])


def run_on_rules(subject: Subject) -> list[Problem]:
    """What is wrong with the labels of the rules, in the order of the rules.

    Args:
        subject: all definitions, or those of some services. With some, what was found holds where
            `subject.recorded.complete` says afterwards that nothing else was asked for.
    """
    return _found_in(subject) if _found_in(first_of_each_kind(subject)) else []


def _found_in(subject: Subject) -> list[Problem]:
    return [problem for check in OF_RULES for problem in check(subject)]


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
    "run_on_rules",
]
