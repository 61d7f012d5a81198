"""The alert a page is about, with everything its blocks speak of."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloproof.alerts import AlertRule, BurnPolicy, BurnTier, Timing
from sloproof.definition import format_duration
from sloproof.runbooks.words import noun, spoken
from sloproof.slo import SLO


@dataclass(frozen=True)
class Incident:
    """One burn alert that fires.

    Args:
        alert: the rule.
        slo: the objective it guards.
        tier: its pair of windows.
        policy: all tiers of the objective.
        timing: intervals and scale of the rules.
        prometheus: the server's address as people reach it; empty where none is known.
    """

    alert: AlertRule
    slo: SLO
    tier: BurnTier
    policy: BurnPolicy
    timing: Timing
    prometheus: str = ""

    @property
    def factor(self) -> Decimal:
        """The burn rate above which the alert fires."""
        return self.tier.factor(self.slo.window)

    @property
    def noun(self) -> str:
        """What spends the budget, in the singular, in a reader's word."""
        return noun(self.slo)

    @property
    def window(self) -> str:
        """What the promise is over, in words."""
        return spoken(self.slo.promised_over)

    @property
    def long(self) -> str:
        """The long window as it is written in definitions."""
        return format_duration(self.tier.long)

    @property
    def short(self) -> str:
        """The short window as it is written in definitions."""
        return format_duration(self.tier.short)

    def gone_in(self, burn: Decimal, share: Decimal = Decimal(1)) -> timedelta:
        """How long this share of the budget lasts at a burn rate, in wall-clock time."""
        return self.timing.real(self.slo.window) * float(share / burn)
