"""rules/labels-differ, rules/unrecorded-series: rules that never yield anything, whatever happens."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.errors import Problem
from sloproof.promql.label_sets import Labels

ID = "rules/labels-differ"
UNRECORDED = "rules/unrecorded-series"


def check(subject: Subject) -> Iterator[Problem]:
    """Rules that join series whose labels are never equal, and rules on series that nothing records."""
    recorded = subject.recorded
    for group in subject.groups:
        for rule in group.rules:
            joined = recorded.joined(rule)
            for one in joined.unmatched:
                if rule.is_alert and one.operator == "or":
                    continue  # `or vector(0)` is fair in a cause that people write
                yield subject.place_of(rule, group).problem(
                    f"`{rule.name}` joins series labelled {_written(one.left)} with `{one.operator}` to series "
                    f"labelled {_written(one.right)}, and Prometheus joins only equal labels",
                    ID,
                    "give both sides the same labels, or say with `on(...)` which ones must agree",
                )
            effect = "it can never fire" if rule.is_alert else "it is never recorded"
            for selector in joined.selectors:
                if recorded.lacks(selector):
                    yield subject.place_of(rule, group).problem(
                        f"`{rule.name}` reads `{selector}`, and no rule records it, so {effect}",
                        UNRECORDED,
                        "read a series that `sloproof generate` records, or correct the labels",
                    )


def _written(labels: Labels) -> str:
    inside = ", ".join(f'{label}="{value}"' if value is not None else label for label, value in labels.items())
    return f"`{{{inside}}}`"
