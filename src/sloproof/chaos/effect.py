"""Looking whether a fault really has the effect that it should have."""

import time
from dataclasses import dataclass
from functools import singledispatch
from urllib.parse import urlsplit

from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.undo_step import Effect, InstanceLost, RequestsSpoilt
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

_STEP = 0.2


@dataclass(frozen=True)
class Observation:
    """What was seen of an effect.

    Args:
        live: the fault takes hold.
        settled: there is nothing more to wait for.
        evidence: what was seen, in plain words.
    """

    live: bool
    settled: bool
    evidence: str


def observe_until(effect: Effect, end: float) -> Observation:
    """Look at an effect until all of it is seen or time is up; at least once.

    Args:
        effect: what to look for.
        end: epoch seconds.

    Returns:
        The last thing seen.
    """
    while True:
        seen = observe(effect)
        if seen.settled or time.time() >= end:
            return seen
        time.sleep(_STEP)


@singledispatch
def observe(effect: Effect) -> Observation:
    """Look once at an effect.

    Args:
        effect: what to look for.

    Returns:
        What is there now; a part that does not answer is no effect.
    """
    raise TypeError(f"no way to see {effect!r}")


@observe.register
def _(effect: RequestsSpoilt) -> Observation:
    admin = EnvoyAdmin(effect.admin, allowed=effect.allowed)
    try:
        keys_set = admin.overrides(list(effect.values)) == effect.values
        spoilt = admin.injected(effect.counter) - effect.before
    except PartFailed as error:
        return Observation(False, False, error.message)
    keys = "the runtime keys read back as set" if keys_set else "the runtime keys are not what was set"
    live = keys_set and spoilt > 0
    return Observation(live, live, f"{keys}; Envoy's `{effect.counter}` rose by {spoilt}")


@observe.register
def _(effect: InstanceLost) -> Observation:
    try:
        pid = Supervisor(effect.supervisor_socket).pid(effect.name)
    except PartFailed as error:
        return Observation(False, False, error.message)
    gone, answers = pid != effect.pid, healthy(effect.health, allowed=effect.allowed)
    out = why_taken_out(effect.envoy_admin, effect.health, allowed=effect.allowed)
    evidence = "; ".join(
        (
            f"process {effect.pid} is {'gone' if gone else 'still there'}",
            f"the health URL {'answers' if answers else 'does not answer'}",
            f"the balancer has taken it out ({out})" if out else "the balancer has not taken it out",
        )
    )
    return Observation(gone and not answers, gone and not answers and bool(out), evidence)


def why_taken_out(envoy_admin: str, url: str, *, allowed: tuple[str, ...] = ()) -> str | None:
    """Why the balancer sends nothing to the instance behind a URL.

    Args:
        envoy_admin: base URL of the balancer's admin port.
        url: any URL of the instance.
        allowed: targets beyond loopback that the workspace lists.

    Returns:
        The reason, or None when it gets traffic or the balancer cannot say.
    """
    parts = urlsplit(url)
    try:
        return EnvoyAdmin(envoy_admin, allowed=allowed).taken_out(parts.hostname or "", parts.port or 80)
    except PartFailed:
        return None
