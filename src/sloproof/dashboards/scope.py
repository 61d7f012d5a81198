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
        return Selector("ALERTS", (self._alerting, equals("alertstate", state)))

    def of_objectives(self, state: str = "firing") -> Selector:
        """The alerts of objectives in a state: on burns, budgets and absence."""
        return self.recorded("ALERTS").matching(equals("alertstate", state), Matcher(names.SLO, "!=", ""))

    def of_causes(self, state: str = "firing") -> Selector:
        """The other alerts in a state, which have no scale."""
        return self.alerts(state).matching(equals(names.SLO, ""))

    def since(self) -> Selector:
        """When each alert that is pending or firing began to be so, epoch seconds; Prometheus writes it itself."""
        return Selector("ALERTS_FOR_STATE", (self._alerting,))

    def burning(self, state: str = "firing") -> Selector:
        """The burn alerts in a state."""
        return self.recorded("ALERTS").matching(equals("alertstate", state), Matcher(names.TIER, "!=", ""))

    @property
    def _alerting(self) -> Matcher:
        return equals(names.SERVICE, self.service) if self.service else Matcher(names.SERVICE, "!=", "")

    def marking(self) -> Expression:
        """What is marked on graphs: burn alerts and causes that fire; tickets of a budget fire for days on end."""
        return self.burning().otherwise(self.of_causes())

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
