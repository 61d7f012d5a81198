"""Looking whether faults of dependencies really have the effect that they should have."""

import json

from sloproof.chaos.dependency_protocol import accepts, flushes, redis_command
from sloproof.chaos.dependency_steps import CacheEmptied, DependencyLost, LinksSpoilt, StrainFelt
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.observation import Observation
from sloproof.errors import PartFailed
from sloproof.supervisor import Supervisor


def see_links(effect: LinksSpoilt) -> Observation:
    """Whether the settings of every link are as set, and every link counted something under them."""
    control = LinkControl(effect.control, allowed=effect.allowed)
    try:
        as_set = control.holds(effect.settings)
        counts = control.counts(effect.counter, list(effect.settings))
    except PartFailed as error:
        return Observation(False, False, error.message)
    rises = {name: counts[name] - before for name, before in effect.before.items()}
    rose = ", ".join(f"by {rise} on `{name}`" for name, rise in rises.items())
    settings = "the settings read back as set" if as_set else "the settings are not what was set"
    felt = as_set and any(rise > 0 for rise in rises.values())
    settled = as_set and all(rise > 0 for rise in rises.values())
    return Observation(felt, settled, f"{settings}; `{effect.counter}` rose {rose}")


def see_outage(effect: DependencyLost) -> Observation:
    """Whether the process of a dependency is gone and nothing accepts work in its place."""
    try:
        gone = Supervisor(effect.supervisor_socket).pid(effect.name) != effect.pid
    except PartFailed as error:
        return Observation(False, False, error.message)
    works = accepts(effect.url, allowed=effect.allowed)
    live = gone and not works
    process = f"process {effect.pid} is {'gone' if gone else 'still there'}"
    return Observation(live, live, f"{process}; `{effect.name}` {'accepts' if works else 'does not accept'} work")


def see_flush(effect: CacheEmptied) -> Observation:
    """Whether a cache has been emptied, by its own count."""
    try:
        times = flushes(effect.url, allowed=effect.allowed) - effect.flushes
        keys = int(redis_command(effect.url, "DBSIZE", allowed=effect.allowed))
    except (OSError, PartFailed) as error:
        return Observation(False, False, str(error))
    live = times > 0 and effect.keys > 0
    evidence = (
        f"`{effect.name}` counts {times} flush{'' if times == 1 else 'es'}; it held {effect.keys} keys, now {keys}"
    )
    return Observation(live, live, evidence)


def see_strain(effect: StrainFelt) -> Observation:
    """Whether the straining process runs, holds what it should, and is felt."""
    try:
        pid = Supervisor(effect.supervisor_socket).pid(effect.program)
        said = json.loads(effect.report.read_text(encoding="utf-8"))
    except PartFailed as error:
        return Observation(False, False, error.message)
    except (OSError, ValueError):
        return Observation(False, False, f"`{effect.program}` has not said what it holds")
    running = pid is not None and pid == said["pid"]
    live = running and said["holds"] > 0 and said["felt"] > 0
    process = f"process {said['pid']} {'runs' if running else 'has ended'}"
    return Observation(live, live, f"{process}; {said['evidence']}")
