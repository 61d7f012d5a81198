"""Whether a load did what it was made for: tasks that raise and requests that are turned away prove nothing good."""

from collections.abc import Iterator

from sloproof.loadtests.result import LoadResult
from sloproof.verdict.wording import percent, quantity

RAISED_SHARE = 0.01
"""Exceptions for each request from which the load was not the one that its locustfile describes."""
MOST = 0.5
"""The share of answers that turned the user away from which the load asked for next to nothing."""
WORTH_TELLING = 0.01
"""The share of answers that turned the user away from which a reader wants to know."""
_FEW = 0.9
"""Fewer of the users than this share are another load than the one that was to be judged."""
_SHORT = 0.05
"""The share of the seconds in which fewer may run."""
_FEWEST_SECONDS = 2
_REFUSED = "Refused: "
_SHOWN = 3


def doubts(load: LoadResult) -> list[str]:
    """Why a run that looks well must not pass; empty where nothing speaks against it.

    Args:
        load: the run, with or without its warm-up.
    """
    return [*_refused(load), *_uncounted(load), *_raised(load), *_turned_away(load), *_left(load)]


def told(load: LoadResult) -> list[str]:
    """What became of the load's own tasks, in words; empty where all went as its locustfile says."""
    lost = [*_uncounted(load), *_left(load)]
    found = sorted(load.exceptions.items(), key=lambda pair: -pair[1])
    lines = [*lost, *(f"the locustfile raised {_times(count)}: `{text}`" for text, count in found[:_SHOWN])]
    if len(found) > _SHOWN:
        lines.append(f"the locustfile raised {len(found) - _SHOWN} more kinds of exceptions: see `load/result.json`")
    away = turned_away(load)
    if away > WORTH_TELLING * load.completed:
        lines.append(f"{quantity(away)} of {quantity(load.completed)} answers were 4xx or 429, which count as answers")
    return lines


def turned_away(load: LoadResult) -> int:
    """Answers that sent the user away: 4xx, 429 among them."""
    return load.errors.get("4xx", 0) + load.errors.get("429", 0)


def _refused(load: LoadResult) -> Iterator[str]:
    count = sum(count for text, count in load.exceptions.items() if text.startswith(_REFUSED))
    if count:
        yield f"{_times(count)} the locustfile asked for a target that is not listed, and nothing was sent there"


def _uncounted(load: LoadResult) -> Iterator[str]:
    if load.uncounted:
        requests = "request" if load.uncounted == 1 else "requests"
        yield (
            f"{quantity(load.uncounted)} {requests} could not be counted: the locustfile never reported how they ended "
            "(`catch_response` without `with`), or reported it in a way that cannot be read (see `load/locust.log`)"
        )


def _raised(load: LoadResult) -> Iterator[str]:
    count = sum(count for text, count in load.exceptions.items() if not text.startswith(_REFUSED))
    if count > RAISED_SHARE * load.completed:
        requests = quantity(load.completed)
        yield f"the locustfile raised {_times(count)} in {requests} requests, so its tasks were cut short"


def _turned_away(load: LoadResult) -> Iterator[str]:
    away = turned_away(load)
    if away > MOST * load.completed:
        share = percent(away / load.completed)
        yield f"{share} of the answers were 4xx or 429, so hardly anything was asked of the system"


def _left(load: LoadResult) -> Iterator[str]:
    """Users that end by themselves leave a load behind that asks for less and less."""
    loaded = [second for second in load.seconds if second.at + 1 <= load.drained_from]
    if any(second.asked is not None or second.users_asked is not None for second in loaded):
        return  # by the clock the rate counts, and a shape is followed from second to second
    full = next((index for index, second in enumerate(loaded) if second.users >= load.users), len(loaded))
    short = [second.users for second in loaded[full:] if second.users < _FEW * load.users]
    if len(short) >= _FEWEST_SECONDS and len(short) > _SHORT * len(loaded):
        yield (
            f"users left before the end: {min(short)} of {load.users} ran at worst, too few in {len(short)} of "
            f"{len(loaded)} seconds, so less was asked of the system than the load says"
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{quantity(count)} times"
