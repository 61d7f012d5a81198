"""Looking whether a fault really has the effect that it should have."""

import time
from functools import singledispatch

from sloproof.chaos.balancer_view import why_taken_out
from sloproof.chaos.dependency_effect import see_flush, see_links, see_outage, see_strain
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.observation import Observation
from sloproof.chaos.own_undo import Showing
from sloproof.chaos.undo_step import Effect, InstanceLost, NotLookedFor, RequestsSpoilt
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor

_STEP = 0.2


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
def observe(effect: Effect | Showing) -> Observation:
    """Look once at an effect.

    Args:
        effect: what to look for.

    Returns:
        What is there now; a part that does not answer is no effect.
    """
    raise TypeError(f"no way to see {effect!r}")


observe.register(see_links)
observe.register(see_outage)
observe.register(see_flush)
observe.register(see_strain)


@observe.register
def _(effect: Showing) -> Observation:
    return effect.observe()


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


@observe.register
def _(effect: NotLookedFor) -> Observation:
    return Observation(False, True, "its own probes look for its effect")
