"""rules/label-overwritten: an alert split by a label that it sets itself, so that its series become one."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem

ID = "rules/label-overwritten"


def check(subject: Subject) -> Iterator[Problem]:
    """Alerts whose series differ in a label that the alert gives one value; two of them at once are an error."""
    recorded = subject.recorded
    for group in subject.groups:
        for rule in (rule for rule in group.rules if rule.is_alert):
            series = recorded.joined(rule).sets or ()
            split = {label for one in series for label, value in one.items() if value is None}
            for label in sorted(split & set(rule.labels)):
                yield subject.place_of(rule, group).problem(
                    f"`{rule.name}` is split by `{label}`, and the alert's own label `{label}` overwrites it: when two "
                    "series are beyond the limit at once, Prometheus gives an error and no alert",
                    ID,
                    "split by another label, such as `job`, or rename this one with `label_replace` before the sum",
                )
