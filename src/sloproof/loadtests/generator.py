"""Whether the load generator itself was fit to measure: a starved generator says more of itself than of its target."""

import math
from collections.abc import Sequence

from pydantic import BaseModel

from sloproof.loadtests import histogram
from sloproof.loadtests.second import Second

LATE_SHARE = 0.05
"""The most of the time, ratio of 1, that a generator may run late: so many of its latencies hold its own delay, and a
quantile of 0.95 or an objective of 95 % must not be decided by them."""
BUSY_CORE = 0.9
"""Share of a core from which a process of one thread has no room left for a burst, so that its requests queue in it."""
ACHIEVED_SHARE = 0.9
"""Less of the asked rate than this is another load than the one that was to be judged."""
_TARGET_IS_SLOW = 0.5
"""A user that waits for its target more than this part of its pace has little left to keep the pace with."""
_SHORT_OF_EXTREMES = 2
"""So few seconds are an accident of the machine, not a state of the generator."""
_SECONDS_BEHIND = 3
_MISSING_SHARE = 0.1
_ALMOST_ALL = 0.99


class GeneratorHealth(BaseModel):
    """How the generator fared.

    Args:
        cpu_mean: processor use, share of one core.
        cpu_max: the busiest second, share of one core.
        lag_max: the worst scheduling lag, seconds.
        lag_p99: the scheduling lag that 99 of 100 seconds did not exceed at their worst moment, seconds.
        late: share of the time in which the generator ran more than 100 ms late, ratio of 1.
        asked_rate: requests per second asked for; None when users just wait between tasks.
        achieved_rate: requests per second completed once all users ran; None when they never all ran.
        lost: generator processes that went missing.
        saturated: the numbers must not decide a verdict.
        reasons: why, in words.
        advice: what to do about it, in words; empty when nothing is wrong.
    """

    cpu_mean: float = 0.0
    cpu_max: float = 0.0
    lag_max: float = 0.0
    lag_p99: float = 0.0
    late: float = 0.0
    asked_rate: float | None = None
    achieved_rate: float | None = None
    lost: int = 0
    saturated: bool = False
    reasons: list[str] = []
    advice: str = ""


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
        lag_p99=_almost_all([second.lag for second in loaded]),
        late=_mean([second.late for second in loaded]),
        asked_rate=_mean(asked) if asked else asked_rate,
        achieved_rate=_mean([second.completed for second in settled]) if settled else None,
        lost=max((second.lost for second in seconds), default=0),
    )
    exhausted = [*_late(health), *_busy(health, settled or loaded), *_short_of_rate(health, settled, users)]
    short_of_users = [*_few_users(loaded, settled, users, asked_rate), *_small_pool(loaded, users)]
    health.reasons = [*_lost(health), *exhausted, *short_of_users]
    health.saturated = bool(health.reasons)
    health.advice = _advice(bool(health.lost), bool(exhausted), bool(short_of_users))
    return health


def _advice(lost: bool, exhausted: bool, short_of_users: bool) -> str:
    advice = [
        *(["run it again, and see in the logs of the lost processes why they ended"] if lost else []),
        *(["spread the load over more processes (`--processes`), or ask for less"] if exhausted else []),
        *(["allow more `users`, or give them more time to start"] if short_of_users else []),
    ]
    return "; ".join(advice)


def _lost(health: GeneratorHealth) -> list[str]:
    if not health.lost:
        return []
    processes = "process" if health.lost == 1 else "processes"
    return [f"lost {health.lost} {processes}: a part of the load is missing, and so are its last requests"]


def _almost_all(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(_ALMOST_ALL * len(ordered)) - 1] if ordered else 0.0


def _settled(loaded: Sequence[Second], users: int, asked_rate: float | None) -> list[Second]:
    """The seconds in which all users ran, without those in which they fell into their pace; all, with a shape."""
    if _shaped(loaded):
        return list(loaded[1:])
    full = [second for second in loaded if second.users >= users]
    return full[_seconds_to_settle(users, asked_rate) :]


def _seconds_to_settle(users: int, asked_rate: float | None) -> int:
    return 1 + math.ceil(users / asked_rate) if asked_rate else 1


def _late(health: GeneratorHealth) -> list[str]:
    if health.late <= LATE_SHARE:
        return []
    return [
        f"ran more than 100 ms late for {health.late * 100:.0f} % of the time, by up to {health.lag_max * 1000:.0f} ms"
    ]


def _busy(health: GeneratorHealth, seconds: Sequence[Second]) -> list[str]:
    busy = sum(second.cpu > BUSY_CORE for second in seconds)
    if health.cpu_mean <= BUSY_CORE and (busy < _SHORT_OF_EXTREMES or busy <= LATE_SHARE * len(seconds)):
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
    if len(short) < _SHORT_OF_EXTREMES or len(short) <= LATE_SHARE * len(loaded):
        return []
    _, users, asked = max(short)
    return [f"ran {users} of the {asked} users asked for at worst, too few in {len(short)} of {len(loaded)} seconds"]


def _short_of_rate(health: GeneratorHealth, settled: Sequence[Second], users: int) -> list[str]:
    if any(second.asked is not None for second in settled):
        return _short_of_arrivals(health, settled)
    asked, achieved = health.asked_rate, health.achieved_rate
    if not asked or achieved is None or achieved >= ACHIEVED_SHARE * asked:
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
    if not asked or sent >= ACHIEVED_SHARE * asked:
        return []
    return [f"sent {sent:.1f}/s of {asked:.1f}/s asked"]


def _small_pool(loaded: Sequence[Second], users: int) -> list[str]:
    """Arrivals that found no free user: their latency holds a wait that may be the generator's own."""
    held = [second.waiting for second in loaded if second.waiting]
    if len(held) < _SHORT_OF_EXTREMES or len(held) <= LATE_SHARE * len(loaded):
        return []
    return [
        f"had no free user for up to {max(held)} arrivals, in {len(held)} of {len(loaded)} seconds: "
        f"`users={users}` is the most that run at once"
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
