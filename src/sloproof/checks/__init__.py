"""One check a file. Checks return problems; nothing here prints."""

from collections.abc import Callable, Iterator

from sloproof.checks import alert_name_collision, unknown_tier, unreachable_tier
from sloproof.checks.subject import Place, Subject, TierReference
from sloproof.errors import Problem

OFFLINE: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    unreachable_tier.check,
    alert_name_collision.check,
    unknown_tier.check,
)


def run_offline(subject: Subject) -> list[Problem]:
    """Every problem that the definitions alone show, by file and line.

    Args:
        subject: the definitions.
    """
    found = [problem for check in OFFLINE for problem in check(subject)]
    return sorted(found, key=lambda problem: (problem.path, problem.line, problem.check))


__all__ = ["OFFLINE", "Place", "Subject", "TierReference", "run_offline"]
