"""A short example of every kind of fault, for tests that go through all of them.

A new kind belongs here: `test_every_kind_of_fault_has_an_example` fails without it. What an example takes hold of
must be part of the small system, and `SmallSystem.is_whole` must see whether it is back.
"""

from typing import get_args

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.faults import AbortRequests, DelayRequests, Fault, KillInstance

EXAMPLES: tuple[AnyFault, ...] = (
    KillInstance("a1", at="200ms", back_after="1500ms"),
    DelayRequests("100ms", percent="50", at="200ms", lasts="1500ms"),
    AbortRequests(503, percent="50", at="200ms", lasts="1500ms"),
)
"""Each begins at 0.2 s and lasts 1.5 s, so that a kill at a random moment hits every step of it."""


def kinds_of_fault() -> set[str]:
    """Every kind that a definition may use, from the union itself."""
    union = get_args(AnyFault)[0]
    classes: tuple[type[Fault], ...] = get_args(union)
    return {str(each.model_fields["kind"].default) for each in classes}
