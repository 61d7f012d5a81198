"""Whether the load generator itself was fit to measure: a starved generator says more of itself than of its target."""

import math
from collections.abc import Sequence

from pydantic import BaseModel

from sloproof.loadtests import histogram
from sloproof.loadtests.second import Second

_LATE_SHARE = 0.05
_BUSY_CORE = 0.9
_ACHIEVED_SHARE = 0.9
# A user that waits for its target more than half of its pace has little left to keep the pace with.
_TARGET_IS_SLOW = 0.5
_SHORT_OF_EXTREMES = 2
_SECONDS_BEHIND = 3
_MISSING_SHARE = 0.1


class GeneratorHealth(BaseModel):
    """How the generator fared.

    Args:
        cpu_mean: processor use, share of one core.
        cpu_max: the busiest second, share of one core.
        lag_max: the worst scheduling lag, seconds.
        late: share of the time in which the generator ran more than 100 ms late, ratio of 1.
        asked_rate: requests per second asked for; None when users just wait between tasks.
        achieved_rate: requests per second completed once all users ran; None when they never all ran.
        saturated: the numbers must not decide a verdict.
        reasons: why, in words.
    """

    cpu_mean: float = 0.0
    cpu_max: float = 0.0
    lag_max: float = 0.0
    late: float = 0.0
    asked_rate: float | None = None
    achieved_rate: float | None = None
    saturated: bool = False
    reasons: list[str] = []


def generator_health(
    seconds: Sequence[Second], *, users: int, asked_rate: float | None, drained_from: float
) -> GeneratorHealth:
    """Judge a generator by its own seconds.

    Args:
        seconds: what it recorded.
        users: users it was to run at once.
        asked_rate: requests per second asked of all users together, None without.
        drained_from: epoch second at which it stopped asking for load.

    Returns:
        Its health, over the seconds in which all its users ran and load was asked for.
    """
    loaded = [second for second in seconds if second.at + 1 <= drained_from]
    settled = _settled(loaded, users, asked_rate)
    asked = [second.asked for second in settled or loaded if second.asked is not None]
    health = GeneratorHealth(
        cpu_mean=_mean([second.cpu for second in settled or loaded]),
        cpu_max=max((second.cpu for second in settled or loaded), default=0.0),
        lag_max=max((second.lag for second in loaded), default=0.0),
        late=_mean([second.late for second in loaded]),
        asked_rate=_mean(asked) if asked else asked_rate,
        achieved_rate=_mean([second.completed for second in settled]) if settled else None,
    )
    health.reasons = [
        *_late(health),
        *_busy(health, settled or loaded),
        *_few_users(loaded, settled, users, asked_rate),
        *_short_of_rate(health, settled, users),
        *_small_pool(loaded, users),
    ]
    health.saturated = bool(health.reasons)
    return health


def _settled(loaded: Sequence[Second], users: int, asked_rate: float | None) -> list[Second]:
    """The seconds in which all users ran, without those in which they fell into their pace; all, with a shape."""
    if _shaped(loaded):
        return list(loaded[1:])
    full = [second for second in loaded if second.users >= users]
    return full[_seconds_to_settle(users, asked_rate) :]


def _seconds_to_settle(users: int, asked_rate: float | None) -> int:
    return 1 + math.ceil(users / asked_rate) if asked_rate else 1


def _late(health: GeneratorHealth) -> list[str]:
    if health.late <= _LATE_SHARE:
        return []
    return [f"ran more than 100 ms late for {health.late:.0%} of the time, by up to {health.lag_max * 1000:.0f} ms"]


def _busy(health: GeneratorHealth, seconds: Sequence[Second]) -> list[str]:
    busy = sum(second.cpu > _BUSY_CORE for second in seconds)
    if health.cpu_mean <= _BUSY_CORE and (busy < _SHORT_OF_EXTREMES or busy <= _LATE_SHARE * len(seconds)):
        return []
    return [f"used more than 90 % of a core in {busy} of {len(seconds)} seconds"]


def _few_users(loaded: Sequence[Second], settled: Sequence[Second], users: int, asked_rate: float | None) -> list[str]:
    if _shaped(loaded):
        return _fewer_than_asked(loaded)
    most = max((second.users for second in loaded), default=0)
    if settled or most >= users or len(loaded) <= _seconds_to_settle(users, asked_rate) + _SHORT_OF_EXTREMES:
        return []
    return [f"never ran more than {most} of {users} users at once"]


def _shaped(seconds: Sequence[Second]) -> bool:
    """Whether the number of users was asked for anew from second to second."""
    return any(second.users_asked is not None for second in seconds)


def _fewer_than_asked(loaded: Sequence[Second]) -> list[str]:
    """A shape that grows is a little ahead of its users; one that they never reach was not run."""
    short = []
    for index, second in enumerate(loaded):
        asked = min(before.users_asked or 0 for before in loaded[max(0, index - _SECONDS_BEHIND) : index + 1])
        if second.users < asked - max(1.0, _MISSING_SHARE * asked):
            short.append((asked - second.users, second.users, asked))
    if len(short) < _SHORT_OF_EXTREMES or len(short) <= _LATE_SHARE * len(loaded):
        return []
    _, users, asked = max(short)
    return [f"ran {users} of the {asked} users asked for at worst, too few in {len(short)} of {len(loaded)} seconds"]


def _short_of_rate(health: GeneratorHealth, settled: Sequence[Second], users: int) -> list[str]:
    if any(second.asked is not None for second in settled):
        return _short_of_arrivals(health, settled)
    asked, achieved = health.asked_rate, health.achieved_rate
    if not asked or achieved is None or achieved >= _ACHIEVED_SHARE * asked:
        return []
    waited = histogram.mean(histogram.merged(second.latency for second in settled)) or 0.0
    in_flight = _mean([second.in_flight for second in settled])
    if max(in_flight, achieved * waited) > _TARGET_IS_SLOW * users:
        return []
    return [
        f"achieved {achieved:.1f}/s of {asked:.1f}/s asked while the target answered in "
        f"{waited * 1000:.0f} ms on average"
    ]


def _short_of_arrivals(health: GeneratorHealth, settled: Sequence[Second]) -> list[str]:
    """By the clock, what is answered is the target's affair, and what is sent the generator's alone."""
    asked, sent = health.asked_rate, _mean([second.started for second in settled])
    if not asked or sent >= _ACHIEVED_SHARE * asked:
        return []
    return [f"sent {sent:.1f}/s of {asked:.1f}/s asked"]


def _small_pool(loaded: Sequence[Second], users: int) -> list[str]:
    """Arrivals that found no free user: their latency holds a wait that may be the generator's own."""
    held = [second.waiting for second in loaded if second.waiting]
    if len(held) < _SHORT_OF_EXTREMES or len(held) <= _LATE_SHARE * len(loaded):
        return []
    return [
        f"had no free user for up to {max(held)} arrivals, in {len(held)} of {len(loaded)} seconds: "
        f"`users={users}` is the most that run at once"
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
