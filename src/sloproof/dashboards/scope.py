"""Which objectives a panel speaks of: all of them, or those of one service."""

from dataclasses import dataclass

from sloproof import names
from sloproof.alerts import Timing
from sloproof.promql import Expression, Matcher, Number, Selector, call, equals

ROWS_BY = (names.SERVICE, names.SLO)


@dataclass(frozen=True)
class Scope:
    """The objectives of a page.

    Args:
        timing: scale and intervals of the rules that record their series.
        service: only those of this service; empty for all.
    """

    timing: Timing
    service: str = ""

    def recorded(self, metric: str) -> Selector:
        """A recorded series of each objective, and of each of its groups."""
        service = (equals(names.SERVICE, self.service),) if self.service else ()
        scale = (equals(names.SCALE, str(self.timing.scale)),) if self.timing.scale != 1 else ()
        return Selector(metric, (*service, *scale))

    def alerts(self, state: str) -> Selector:
        """Every alert in a state, `pending` or `firing`, whatever it is of."""
        service = equals(names.SERVICE, self.service) if self.service else Matcher(names.SERVICE, "!=", "")
        return Selector("ALERTS", (service, equals("alertstate", state)))

    def burning(self, state: str = "firing") -> Selector:
        """The burn alerts in a state."""
        return self.recorded("ALERTS").matching(equals("alertstate", state), Matcher(names.TIER, "!=", ""))

    def lowest(self, metric: str) -> Expression:
        """One value for each objective: that of its worst group, where less is worse."""
        return self.recorded(metric).smallest(by=ROWS_BY)

    def highest(self, metric: str) -> Expression:
        """One value for each objective: that of its worst group, where more is worse."""
        return self.recorded(metric).largest(by=ROWS_BY)

    def counted(self, objectives: Expression) -> Expression:
        """How many there are; zero while anything is measured at all, else nothing."""
        return call("count", objectives).otherwise(call("max", self.recorded(names.BUDGET_LEFT)) * 0)


def some_or_zero(series: Expression) -> Expression:
    """How many series there are; zero, not nothing, when there are none."""
    return call("count", series).otherwise(call("vector", Number(0)))
