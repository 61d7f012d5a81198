"""How many users are at work at a time: ramps, steps, spikes and plateaus of a closed model."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from sloproof.definition import Definition, Duration
from sloproof.loadtests.phases import PhaseName

Users = Annotated[int, Field(ge=0, le=1_000_000)]
"""People at once."""


class UserStage(Definition):
    """A stretch in which the number of users moves in a straight line.

    Args:
        users: how many there are at its end.
        over: its length; `0s` jumps.
        phase: the phase of the load that it begins, such as `spike`; figures are told for each phase.
    """

    users: Users
    over: Duration
    phase: PhaseName | None = None


class UserStretch(BaseModel):
    """A length of time with a number of users that moves in a straight line; `seconds` may be 0."""

    seconds: float
    first: int
    last: int


def stretches(first: int, stages: Sequence[UserStage], duration: timedelta) -> list[UserStretch]:
    """Users as straight pieces that tile the load.

    Args:
        first: how many there are at the beginning.
        stages: what follows; the last number stays until the load ends.
        duration: how long load is asked for.

    Raises:
        ValueError: the stages last longer than the load.
    """
    found, at, users = [], timedelta(), first
    for stage in stages:
        if stage.over:
            found.append(UserStretch(seconds=stage.over.total_seconds(), first=users, last=stage.users))
        at, users = at + stage.over, stage.users
    if at > duration:
        raise ValueError(f"the stages last {at.total_seconds():g} s, the load {duration.total_seconds():g} s")
    if at < duration:
        found.append(UserStretch(seconds=(duration - at).total_seconds(), first=users, last=users))
    return found


def users_at(pieces: Sequence[UserStretch], second: float) -> int:
    """How many users there must be at a time, rounded; the last number after the end.

    Args:
        pieces: as `stretches` gives them.
        second: from the beginning.
    """
    for piece in pieces:
        if second < piece.seconds:
            return round(piece.first + (piece.last - piece.first) * second / piece.seconds)
        second -= piece.seconds
    return pieces[-1].last
