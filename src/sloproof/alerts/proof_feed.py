"""Raw series behind an indicator, so that a proof can tell it any history; indicators that have none say why.

How a history becomes series depends on what is counted: events by counters, moments by gauges, or parts that are
indicators of their own. Nothing here asks which kind of indicator it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from sloproof.alerts.input_series import DIVISOR, Feeding, NoInputSeries, input_series
from sloproof.alerts.level_values import runs, shown
from sloproof.alerts.proof_traffic import BORN, Stretch, counters, counters_born_later
from sloproof.alerts.sample_labels import concrete, selects
from sloproof.promql import Selector, equals, parse_selector, selectors_in
from sloproof.slo import SLO, Indicator, SampleSeries, SliceSeries

PROBES = 10
"""Targets where each sample counts: with one, minutes would pass before there are enough bad ones for a floor."""
GROUP, OTHER_GROUP = "proven", "healthy"
"""The values of the labels that an objective is grouped by."""


class NoFeed(ValueError):
    """No raw series are known for an indicator; the message says why, without a full stop."""


class Feed(Protocol):
    """Raw series that tell a history.

    A `fine` feed can make any share of events bad; another one makes moments bad, all or nothing. Only counters,
    `counted`, can restart, and only their events can be few.
    """

    @property
    def fine(self) -> bool:
        """Whether any share of events can be bad."""
        ...

    @property
    def counted(self) -> bool:
        """Whether it is made of counters of events."""
        ...

    @property
    def single(self) -> bool:
        """Whether an event of a history is counted as one."""
        ...

    @property
    def bears(self) -> bool:
        """Whether a series that is born later can turn the whole bad."""
        ...

    def series(self, history: Sequence[Stretch], *, without_errors: bool = False) -> dict[str, str]:
        """Values by series; the first scrape comes before the history and finds nothing bad."""
        ...

    def born_later(self, before: Sequence[Stretch], after: Sequence[Stretch]) -> dict[str, str]:
        """Values by series, of which those that turn bad are born between the two."""
        ...


@dataclass(frozen=True)
class CounterFeed:
    """Events that counters count."""

    samples: tuple[SampleSeries, ...]
    fine: bool = True
    counted: bool = True
    single: bool = True
    bears: bool = True

    def series(self, history: Sequence[Stretch], *, without_errors: bool = False) -> dict[str, str]:
        """As the protocol says."""
        return counters(self.samples, history, without_errors=without_errors)

    def born_later(self, before: Sequence[Stretch], after: Sequence[Stretch]) -> dict[str, str]:
        """As the protocol says."""
        return counters_born_later(self.samples, before, after)


@dataclass(frozen=True)
class LevelFeed:
    """Moments that gauges show.

    Args:
        levels: what they show.
        scrape: between two moments.
        where: labels that their series get.
        computed: whether the judged value is computed from them; what one more series does to it is not known then.
    """

    levels: tuple[SliceSeries, ...]
    scrape: timedelta
    computed: bool = False
    fine: bool = False
    counted: bool = False
    single: bool = False

    @property
    def bears(self) -> bool:
        """False for rates: what others serve makes up for one that stands still."""
        return not self.computed and all(level.form != "growth" for level in self.levels)

    def series(self, history: Sequence[Stretch], *, without_errors: bool = False) -> dict[str, str]:
        """As the protocol says; `without_errors` changes nothing, for a gauge is there in good moments too."""
        found = {}
        for level in self.levels:
            values = " ".join(runs(self._values(level, history)))
            found.update(dict.fromkeys(_targets(level), values))
        return found

    def born_later(self, before: Sequence[Stretch], after: Sequence[Stretch]) -> dict[str, str]:
        """As the protocol says: beside each series, which stays good, one more is born that turns bad.

        Where each sample counts, the old ones end instead: else only half of the samples would be bad.
        """
        absent, found = sum(stretch.scrapes for stretch in before) + 1, {}
        for level in self.levels:
            well = [replace(stretch, error_ratio=Decimal(0)) for stretch in after]
            if level.each_counts:
                well = [replace(stretch, missing=True) for stretch in well]
            old, new = (self._values(level, [*before, *rest]) for rest in (well, after))
            for series in _targets(level):
                found[series] = " ".join(runs(old))
                born = str(parse_selector(series).matching(BORN))
                found[born] = " ".join([f"_x{absent}", *runs(new[absent:])])
        return found

    def _values(self, level: SliceSeries, history: Sequence[Stretch]) -> list[str]:
        moments = [Stretch(1, Decimal(0)), *history]
        bad = [
            int((index + 1) * stretch.error_ratio) > int(index * stretch.error_ratio)
            for stretch in moments
            for index in range(stretch.scrapes)
        ]
        seen = [not stretch.missing for stretch in moments for _ in range(stretch.scrapes)]
        values = shown(level, bad, seconds(self.scrape))
        return [value if there else "_" for value, there in zip(values, seen, strict=True)]


@dataclass(frozen=True)
class PartsFeed:
    """Indicators made of others.

    Args:
        failing: the parts that turn bad together.
        resting: the parts that stay good.
    """

    failing: tuple[Feed, ...]
    resting: tuple[Feed, ...]

    @property
    def fine(self) -> bool:
        """Whether all that fail can be bad to any share."""
        return all(feed.fine for feed in self.failing)

    @property
    def counted(self) -> bool:
        """Whether all parts are counted."""
        return all(feed.counted for feed in (*self.failing, *self.resting))

    @property
    def single(self) -> bool:
        """False where all parts fail together: then an event is one of each, as heavy as they are."""
        return bool(self.resting) and all(feed.single for feed in self.failing)

    @property
    def bears(self) -> bool:
        """Whether all that fail can be born."""
        return all(feed.bears for feed in self.failing)

    def series(self, history: Sequence[Stretch], *, without_errors: bool = False) -> dict[str, str]:
        """As the protocol says."""
        failing = [feed.series(history, without_errors=without_errors) for feed in self.failing]
        resting = [feed.series(_well(history), without_errors=without_errors) for feed in self.resting]
        return _together([*failing, *resting])

    def born_later(self, before: Sequence[Stretch], after: Sequence[Stretch]) -> dict[str, str]:
        """As the protocol says."""
        failing = [feed.born_later(before, after) for feed in self.failing]
        return _together([*failing, *(feed.series(_well([*before, *after])) for feed in self.resting)])


@dataclass(frozen=True)
class GroupedFeed:
    """A feed whose series belong to one group of an objective that is promised by labels.

    Args:
        feed: without the labels.
        labels: the labels of the group.
    """

    feed: Feed
    labels: Mapping[str, str]

    @property
    def fine(self) -> bool:
        """As the feed."""
        return self.feed.fine

    @property
    def counted(self) -> bool:
        """As the feed."""
        return self.feed.counted

    @property
    def single(self) -> bool:
        """As the feed."""
        return self.feed.single

    @property
    def bears(self) -> bool:
        """As the feed."""
        return self.feed.bears

    def series(self, history: Sequence[Stretch], *, without_errors: bool = False) -> dict[str, str]:
        """As the feed, with the labels."""
        return self._labelled(self.feed.series(history, without_errors=without_errors))

    def born_later(self, before: Sequence[Stretch], after: Sequence[Stretch]) -> dict[str, str]:
        """As the feed, with the labels."""
        return self._labelled(self.feed.born_later(before, after))

    def _labelled(self, found: Mapping[str, str]) -> dict[str, str]:
        return {str(_in_group(parse_selector(series), self.labels)): values for series, values in found.items()}


def feeds_of(slo: SLO, scrape: timedelta, base: timedelta) -> tuple[Feed, ...]:
    """The raw feeds of an objective: one for each way in which it can turn bad.

    Args:
        slo: the objective.
        scrape: the scrape interval.
        base: the window in which expressions of its author are read.

    Raises:
        NoFeed: its raw series cannot be made up.
    """
    group = group_labels(slo)
    return tuple(GroupedFeed(feed, group) if group else feed for feed in _feeds(slo.sli, scrape, base))


def lone_feeds_of(slo: SLO, scrape: timedelta, base: timedelta) -> tuple[Feed, ...]:
    """The raw feeds of an objective's parts, each with no series for the others; as `feeds_of`, empty without parts."""
    group, parts = group_labels(slo), _parts_of(slo.sli)
    alone = [PartsFeed((feed,), ()) for feed in _feeds_of_parts(parts, scrape, base)] if len(parts) > 1 else []
    return tuple(GroupedFeed(feed, group) if group else feed for feed in alone)


def group_labels(slo: SLO, value: str = GROUP) -> dict[str, str]:
    """The labels of a group of an objective; those that its own selectors settle keep that value."""
    settled = _settled(slo) if slo.by else {}
    return {label: settled.get(label, value) for label in slo.by}


def _settled(slo: SLO) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in slo.sli.selectors():
        try:
            found |= {matcher.label: matcher.value for matcher in concrete(parse_selector(text)).matchers}
        except ValueError:
            continue  # no example of it is known, and so its raw series are not fed
    return found


def _feeds(sli: Indicator, scrape: timedelta, base: timedelta) -> tuple[Feed, ...]:
    parts = _parts_of(sli)
    if parts:
        feeds = dict(zip(map(id, parts), _feeds_of_parts(parts, scrape, base), strict=True))
        return tuple(
            PartsFeed(
                tuple(feeds[id(part)] for part in way),
                tuple(feed for key, feed in feeds.items() if key not in {id(part) for part in way}),
            )
            for way in sli.ways_to_fail()
        )
    if sli.samples():
        return (_checked(CounterFeed(sli.samples())),)
    if sli.levels():
        return (_checked(LevelFeed(sli.levels(), scrape)),)
    judged = sli.judged()
    if judged is not None:
        return (LevelFeed(_computed(judged.expression, judged.good, judged.bad), scrape, computed=True),)
    return (CounterFeed(_counted(sli, base)),)


def _parts_of(sli: Indicator) -> list[Indicator]:
    return list({id(part): part for way in sli.ways_to_fail() for part in way}.values())


def _feeds_of_parts(parts: Sequence[Indicator], scrape: timedelta, base: timedelta) -> list[Feed]:
    feeds = [_feeds(part, scrape, base)[0] for part in parts]
    _apart(parts, feeds, base)
    return feeds


def _checked(feed: Feed) -> Feed:
    try:
        feed.series([Stretch(1, Decimal(1))])
    except ValueError as error:
        raise NoFeed(str(error)) from None
    return feed


def _computed(expression: str, good: Decimal, bad: Decimal) -> tuple[SliceSeries, ...]:
    """The gauges that a computed value is made of."""
    well, badly = _fed(expression, good), _fed(expression, bad)
    if well.reach or any(one.counted for one in (*well.series, *badly.series)):
        raise NoFeed(f"`{expression}` looks back, so it turns bad some time after what it reads")
    if [one.series for one in well.series] != [one.series for one in badly.series]:
        raise NoFeed(f"`{expression}` reads other series when it is bad")
    found = []
    for one, other in zip(well.series, badly.series, strict=True):
        slope = one.course.slope
        if slope != other.course.slope or slope not in (0, 1):
            raise NoFeed(f"`{expression}` is not steady while its gauges are")
        sign = -1 if slope else 1
        found.append(
            SliceSeries(
                selector=str(one.series),
                good=one.course.start * sign,
                bad=other.course.start * sign,
                form="age" if slope else "level",
            )
        )
    return tuple(found)


def _counted(sli: Indicator, base: timedelta) -> tuple[SampleSeries, ...]:
    """The counters that the author's own errors and total are made of."""
    quotient = f"({sli.errors(base)}) / ({sli.total(base)})"
    well, badly = _fed(quotient, Decimal(0)), _fed(quotient, Decimal(1))
    fed = (*well.series, *badly.series)
    if any(not one.counted or one.course.start for one in fed) or {well.reach, badly.reach} != {base}:
        raise NoFeed("its expressions are more than rates of counters over the window")
    if [one.series for one in well.series] != [one.series for one in badly.series]:
        raise NoFeed("its expressions read other series when there are errors")
    return tuple(
        SampleSeries(
            selector=str(one.series),
            share_of_total=one.course.slope / DIVISOR,
            share_of_errors=(other.course.slope - one.course.slope) / DIVISOR,
        )
        for one, other in zip(well.series, badly.series, strict=True)
    )


def _fed(expression: str, value: Decimal) -> Feeding:
    try:
        return input_series(expression, value)
    except NoInputSeries as error:
        raise NoFeed(str(error)) from None


def _apart(parts: Sequence[Indicator], feeds: Sequence[Feed], base: timedelta) -> None:
    """Refuse parts of which one reads what another one is fed."""
    fed = [[parse_selector(text) for text in feed.series([Stretch(1, Decimal(1))])] for feed in feeds]
    for index, part in enumerate(parts):
        read = {*selectors_in(str(part.errors(base))), *selectors_in(str(part.total(base)))}
        for other, series in enumerate(fed):
            shared = [selector for selector in read if any(selects(selector, one) for one in series)]
            if other != index and shared:
                raise NoFeed(f"two of its parts read `{shared[0]}`, so neither can fail alone")


def _together(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {series: values for some in found for series, values in some.items()}


def _well(history: Sequence[Stretch]) -> list[Stretch]:
    return [replace(stretch, error_ratio=Decimal(0)) for stretch in history]


def _targets(level: SliceSeries) -> list[str]:
    series = concrete(parse_selector(level.selector))
    if not level.each_counts:
        return [str(series)]
    return [str(series.matching(equals("target", str(number)))) for number in range(PROBES)]


def _in_group(series: Selector, labels: Mapping[str, str]) -> Selector:
    known = {matcher.label for matcher in series.matchers}
    return series.matching(*(equals(label, value) for label, value in labels.items() if label not in known))


def seconds(length: timedelta) -> Decimal:
    """The length in seconds, exact to the millisecond."""
    return Decimal(length // timedelta(milliseconds=1)) / 1000
