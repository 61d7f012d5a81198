"""When a burn is worth waking somebody: window pairs as data, thresholds by arithmetic."""

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sloproof import names
from sloproof.definition import Definition, Duration, Length, Name, exact
from sloproof.slo import SLO


class BurnTier(Definition):
    """One pair of windows; both must burn faster than the factor.

    Args:
        name: stable word for the tier, a label of its alerts.
        budget_share: the share of the budget that is gone when the long window fires, ratio of 1.
        long: the window that proves significance.
        short: the window that proves that it still burns; lets the alert resolve soon.
        severity: `page` wakes somebody, `ticket` waits for the morning.
        hold: how long the condition must last before it fires (`for`).
        keep_firing_for: how long it goes on firing after the condition ended; against flapping.
        minimum_budget_share: the bad events of the long window must be at least this share of the events that the
            whole budget allows, ratio of 1. For day/night services: half of all requests failing for half an hour
            at night burns fast and costs little. At even traffic it changes nothing.
    """

    name: Name
    budget_share: Annotated[Decimal, exact("share")] = Field(gt=0, lt=1)
    long: Length
    short: Length
    severity: Literal["page", "ticket"]
    hold: Duration = timedelta()
    keep_firing_for: Duration = timedelta()
    minimum_budget_share: Annotated[Decimal | None, exact("share")] = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> "BurnTier":
        if self.short >= self.long:
            raise ValueError("the short window must be shorter than the long one")
        if self.minimum_budget_share is not None and self.minimum_budget_share > self.budget_share:
            raise ValueError(
                f"`minimum_budget_share` of `{self.minimum_budget_share}` is above `budget_share` of "
                f"`{self.budget_share}`; at even traffic the alert would come later than its windows promise"
            )
        return self

    def factor(self, window: timedelta) -> Decimal:
        """The burn rate above which this tier fires.

        Args:
            window: the length of the budget window.

        Returns:
            For example 14.4: 2 % of 30 days in one hour.

        Source: The Site Reliability Workbook, ch. 5.
        """
        return self.budget_share * _exact_ratio(window, self.long)

    def threshold(self, slo: SLO) -> Decimal:
        """The error ratio above which this tier fires for an SLO, ratio of 1."""
        return self.factor(slo.window) * slo.budget


@lru_cache(maxsize=1024)
def _exact_ratio(one: timedelta, other: timedelta) -> Decimal:
    microsecond = timedelta(microseconds=1)
    return Decimal(one // microsecond) / Decimal(other // microsecond)


class BurnPolicy(Definition):
    """The tiers of one or more SLOs, fastest first.

    Args:
        tiers: at least one; their names differ.
        applies_to: the SLOs it is for; empty means every SLO without a policy of its own.
    """

    tiers: tuple[BurnTier, ...] = Field(min_length=1)
    applies_to: tuple[SLO, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> "BurnPolicy":
        seen = [tier.name for tier in self.tiers]
        if len(set(seen)) != len(seen):
            raise ValueError("two tiers bear the same name; alerts are told apart by it")
        return self

    def tier(self, name: str) -> BurnTier:
        """The tier of this name.

        Raises:
            ValueError: there is none; the message lists those that exist.
        """
        for tier in self.tiers:
            if tier.name == name:
                return tier
        raise ValueError(f"`{name}` is no tier; there are {', '.join(f'`{tier.name}`' for tier in self.tiers)}")


DEFAULT_POLICY = BurnPolicy(
    # The pairs of The Site Reliability Workbook, ch. 5. The page tiers have no `for`: the short window
    # already proves persistence, and one minute of a full outage is 2.3 % of a 99.9 % budget.
    tiers=(
        BurnTier(name="fast", budget_share=Decimal("0.02"), long="1h", short="5m", severity=names.PAGE),
        BurnTier(name="medium", budget_share=Decimal("0.05"), long="6h", short="30m", severity=names.PAGE),
        BurnTier(name="slow", budget_share=Decimal("0.10"), long="1d", short="2h", severity=names.TICKET, hold="2m"),
        BurnTier(name="trickle", budget_share=Decimal("0.10"), long="3d", short="6h", severity=names.TICKET, hold="2m"),
    )
)


def policy_for(slo: SLO, policies: tuple[BurnPolicy, ...]) -> BurnPolicy:
    """The policy that names this SLO, else the general one, else the workbook's.

    Args:
        slo: an objective.
        policies: the workspace's policies.
    """
    for policy in policies:
        if any(other.identity == slo.identity for other in policy.applies_to):
            return policy
    return next((policy for policy in policies if not policy.applies_to), DEFAULT_POLICY)
