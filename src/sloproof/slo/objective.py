"""A service-level objective: which share of events is promised to be good, over which window."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, field_validator, model_validator

from sloproof import names
from sloproof.definition import Definition, Length, Name, exact
from sloproof.promql import Expression
from sloproof.slo.composite import AnyIndicator
from sloproof.slo.service import Service

EVERYTHING = 100
"""Per cent."""
SMALLEST_BUDGET = Decimal("1e-9")
"""Per cent: one bad event in 100 billion. A year of 3,000 events a second has as many."""

NOMINAL: dict[names.CalendarPeriod, timedelta] = {"month": timedelta(days=30), "quarter": timedelta(days=90)}
"""The length that stands for a period of the calendar in the arithmetic of burn rates."""
LONGEST: dict[names.CalendarPeriod, timedelta] = {"month": timedelta(days=31), "quarter": timedelta(days=92)}

Percent = Annotated[Decimal, exact("objective")]
"""A percentage as an exact decimal, given as text or a whole number."""

Label = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]

_TAKEN = frozenset(
    {
        *(names.SERVICE, names.SLO, names.SCALE, names.SEVERITY, names.TIER, names.OWNER, names.KIND),
        *(names.ALERT_NAME, "alertstate", "le"),
    }
)
"""Labels that rules, alerts or histograms give a meaning of their own."""


class SLO(Definition):
    """One promise about one service.

    Args:
        service: whose promise it is.
        name: what is promised, such as `availability`; unique within the service.
        objective: good events of all events, per cent, above 0 and below 100; text, kept exact.
        sli: the indicator that counts good and bad events.
        window: the length of the rolling budget window; 30 days when it is not given.
        calendar: a budget that starts anew with each `month` or `quarter` of the calendar, UTC, in place of a rolling
            one. It counts the events since the start of the period. Burn alerts keep their rolling windows; the
            period counts as 30 or 90 days in their arithmetic.
        by: labels of the raw series; each combination of their values is held to the promise on its own, with
            a budget and alerts of its own. Series without the label are one group more.
        budgeting: `events` spends the budget by bad events. `slices` spends it by bad time: the base window
            (5 minutes) that ends at each evaluation is a slice, bad when too few of its events were good, and the
            objective is the share of good slices among those with traffic.
        slice_objective: good events of a slice's events that make it a good slice, per cent; the objective where
            it is not given. Only with `slices`.
        minimum_bad_events: a burn alert needs at least so many bad events in its long window; for indicators of
            time and for `slices`, bad seconds.
        description: one sentence on why users care.
    """

    service: Service
    name: Name
    objective: Percent
    sli: Annotated[AnyIndicator, Field(discriminator="kind")]
    window: Length = timedelta(days=30)
    calendar: names.CalendarPeriod | None = None
    by: tuple[Label, ...] = ()
    budgeting: Literal["events", "slices"] = "events"
    slice_objective: Percent | None = None
    minimum_bad_events: int = Field(default=3, ge=1)
    description: str = ""

    @field_validator("by")
    @classmethod
    def _free(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            if label in _TAKEN or label.startswith("__"):
                raise ValueError(f"`{label}` has a meaning of its own on rules and alerts; group by another label")
        if len(set(labels)) != len(labels):
            raise ValueError("a label is named twice")
        return labels

    @model_validator(mode="before")
    @classmethod
    def _nominal(cls, given: Any) -> Any:
        """The nominal length of a period, where none is given."""
        if isinstance(given, dict) and given.get("calendar") in NOMINAL:
            return {"window": NOMINAL[given["calendar"]], **given}
        return given

    @model_validator(mode="after")
    def _one_window(self) -> "SLO":
        if self.calendar is not None and self.window != NOMINAL[self.calendar]:
            raise ValueError(
                f'`calendar="{self.calendar}"` is the window, and `window="{names.spelt(self.window)}"` another one; '
                "give only one of them"
            )
        return self

    @model_validator(mode="after")
    def _sliced(self) -> "SLO":
        if self.slice_objective is not None and self.budgeting != "slices":
            raise ValueError('`slice_objective` says when a slice is good; it needs `budgeting="slices"`')
        return self

    @field_validator("objective", "slice_objective")
    @classmethod
    def _possible(cls, objective: Decimal | None) -> Decimal | None:
        if objective is None:
            return None
        if objective == EVERYTHING:
            raise ValueError(
                "`100` leaves no error budget: the first bad event breaks it for the whole window; "
                "promise less, for example `99.9`"
            )
        if not 0 < objective < EVERYTHING:
            raise ValueError(
                f"`{objective}` is not a percentage above 0 and below 100; give the share of good events, as `99.9`"
            )
        if EVERYTHING - objective < SMALLEST_BUDGET:
            raise ValueError(
                f"`{objective}` allows one bad event in {EVERYTHING / (EVERYTHING - objective):.0e}, "
                "which no service ever counts; promise at most `99.999999999`"
            )
        return objective

    @property
    def identity(self) -> str:
        """`service/slo`, unique in a workspace."""
        return names.identity(self.service.name, self.name)

    @property
    def budget_window(self) -> names.Window:
        """What the budget is kept over: a length that rolls, or a period of the calendar."""
        return self.calendar or self.window

    @property
    def longest_window(self) -> timedelta:
        """How far back the budget looks at most."""
        return self.window if self.calendar is None else LONGEST[self.calendar]

    @property
    def promised_over(self) -> str:
        """What the promise is over, in words: `30d`, `each calendar month (UTC)`."""
        return names.spelt(self.window) if self.calendar is None else f"each calendar {self.calendar} (UTC)"

    @property
    def window_now(self) -> str:
        """What the budget of now counts, in words: `the last 30d`, `this calendar month (UTC)`."""
        return (
            f"the last {names.spelt(self.window)}" if self.calendar is None else f"this calendar {self.calendar} (UTC)"
        )

    @property
    def budget_adjective(self) -> str:
        """What kind of budget it is, in a word: `30d`, `monthly`."""
        return names.spelt(self.window) if self.calendar is None else f"{self.calendar}ly"

    @property
    def budget(self) -> Decimal:
        """The error budget: bad events of all events that may happen, ratio of 1."""
        return 1 - self.objective / 100

    @property
    def noun(self) -> str:
        """What spends the budget, in the singular: `event`, `second` or `probe`."""
        return "second" if self.by_slices else self.sli.noun

    @property
    def by_slices(self) -> bool:
        """Whether only base windows are judged, so that longer ones are sums of recorded base windows."""
        return self.budgeting == "slices" or self.sli.by_slices

    @property
    def slice_budget(self) -> Decimal:
        """The error ratio above which a slice is bad, ratio of 1; used with `slices`."""
        return 1 - (self.objective if self.slice_objective is None else self.slice_objective) / 100

    def errors(self, window: timedelta) -> Expression:
        """What spends the budget, per second over the window: bad events, or 1 in a bad slice."""
        errors = self.sli.errors(window, by=self.by)
        if self.budgeting == "events":
            return errors
        return (errors / self.sli.total(window, by=self.by).above(0)).exceeds(self.slice_budget)

    def total(self, window: timedelta) -> Expression:
        """What the budget is a share of, per second over the window: all events, or 1 in a slice with traffic."""
        total = self.sli.total(window, by=self.by)
        return total if self.budgeting == "events" else total.above(0) * 0 + 1


def indicator_kinds() -> frozenset[str]:
    """The word that tells each kind of indicator apart in a written-down definition."""
    return frozenset(kind.model_fields["kind"].default for kind in get_args(AnyIndicator))
