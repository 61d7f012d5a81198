"""rules/group-too-large: a group that Mimir refuses to load."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "rules/group-too-large"
LARGEST = 20
"""Rules a group; Mimir's default limit `ruler.max-rules-per-rule-group`."""


def check(subject: Subject) -> Iterator[Problem]:
    """Groups of more rules than a ruler with default limits takes."""
    for group in subject.groups:
        if len(group.rules) > LARGEST:
            yield subject.place_of(group.rules[0], group).warning(
                f"the group `{group.name}` has {len(group.rules)} rules, and Mimir takes {LARGEST} by default",
                ID,
                "give the policy fewer tiers, or raise the ruler's limit",
            )
