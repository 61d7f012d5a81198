"""rules/recorded-twice: two rules that write one series; which value stays is chance."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "rules/recorded-twice"


def check(subject: Subject) -> Iterator[Problem]:
    """Recording rules with equal names and equal labels."""
    first: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for group in subject.groups:
        for rule in group.rules:
            key = rule.name, tuple(sorted(rule.labels.items()))
            if not rule.is_alert and first.setdefault(key, group.name) != group.name:
                yield subject.place_of(rule, group).problem(
                    f"`{rule.name}` would be recorded by the groups `{first[key]}` and `{group.name}`",
                    ID,
                    "let no tier have a window as long as the budget's, and no two windows that print alike",
                )
