"""Error-budget arithmetic, exact."""

from datetime import timedelta
from decimal import Decimal


def burn_rate(error_ratio: Decimal, budget: Decimal) -> Decimal:
    """How many times faster than even the budget is spent.

    Args:
        error_ratio: bad events over all events, ratio of 1.
        budget: the error budget, ratio of 1.

    Returns:
        1 spends exactly the budget over its window.
    """
    return error_ratio / budget


def spent_share(bad: int, total: int, budget: Decimal) -> Decimal:
    """The share of the budget of these events that their bad ones spent.

    Args:
        bad: bad events.
        total: all events, more than zero.
        budget: the error budget, ratio of 1.

    Returns:
        Ratio of 1; above 1 the objective is missed over these events.
    """
    return Decimal(bad) / (budget * total)


def time_to_exhaustion(left: Decimal, burn: Decimal, window: timedelta) -> timedelta | None:
    """How long the rest of the budget lasts at this burn rate.

    Args:
        left: the budget that is left, ratio of 1.
        burn: the burn rate.
        window: the length of the budget window.

    Returns:
        Zero when nothing is left; None when nothing burns.
    """
    if burn <= 0:
        return None
    return window * float(max(left, Decimal(0)) / burn)
