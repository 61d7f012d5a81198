"""The blocks on what was seen of an alert before, and on what nobody has tried yet."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ConfigDict

from sloproof.definition import Definition
from sloproof.runbooks.words import in_words, one_line, spoken

MOST_SEEN = 5
"""Times that a page tells: the newest help most."""


class SeenAlert(Definition):
    """An alert that fired in a run.

    Args:
        alert: its name.
        kind: `chaos`, `drill`, `demo`, or what else was run.
        run: the experiment's, drill's or demo's name.
        at: when it fired, epoch seconds.
        fault: what had been broken, one sentence; empty for nothing.
        fired_after: seconds from the fault's start; None without a fault.
        cleared_after: seconds from the fault's end; None when that was not seen, or without a fault.
        restored_by: what ended the harm, as it was seen; empty when nobody knows.
        scale: what the windows of the rules were divided by.
    """

    model_config = ConfigDict(extra="ignore")

    alert: str
    kind: str
    run: str
    at: float
    fault: str = ""
    fired_after: float | None = None
    cleared_after: float | None = None
    restored_by: str = ""
    scale: int = 1


@dataclass(frozen=True)
class Evidence:
    """What is known of an alert from live systems.

    Args:
        system: the service.
        seen: when it fired in runs, in any order.
        expecting: experiments that expect it to fire.
        experiments: how many experiments break this system at all.
        untried: faults that none of them uses.
    """

    system: str
    seen: tuple[SeenAlert, ...] = ()
    expecting: tuple[str, ...] = ()
    experiments: int = 0
    untried: tuple[str, ...] = ()


def seen_block(evidence: Evidence) -> str:
    """When it fired before, what had been broken, and what helped."""
    if not evidence.seen:
        return (
            "No run that is kept has fired this alert: how it looks on a live system is not known. What runs see is "
            "kept by\n`sloproof runbook --record`."
        )
    newest = sorted(evidence.seen, key=lambda one: (-one.at, one.run))[:MOST_SEEN]
    more = len(evidence.seen) - len(newest)
    told = f"\n\nand {more} more time{'s' if more > 1 else ''} before." if more else ""
    return "\n".join(map(_item, newest)) + told


def untried_block(evidence: Evidence) -> str:
    """What would have to be tried before anybody can say that this alert works."""
    if not evidence.experiments:
        return (
            f"No experiment breaks `{evidence.system}` yet: on a live system nothing of this alert is proven. "
            "`sloproof prove`\nshows of its rule alone that it fires and clears when promised."
        )
    fired_in = {one.run for one in evidence.seen}
    waiting = [name for name in evidence.expecting if name not in fired_in]
    lines = []
    if not evidence.expecting:
        lines.append(f"- No experiment of `{evidence.system}` expects this alert to fire.")
    if waiting:
        runs = ", ".join(f"`sloproof chaos run {name}`" for name in waiting)
        lines.append(f"- Expected to fire it, and no such run is kept: {runs}.")
    if evidence.untried:
        faults = ", ".join(f"`{fault}`" for fault in evidence.untried)
        lines.append(f"- Faults that no experiment of `{evidence.system}` tries: {faults}.")
    return "\n".join(lines) or "Every fault there is has an experiment, and each that expects this alert has fired it."


def _item(one: SeenAlert) -> str:
    """One time as an item of a list: a table of so many words fits no terminal."""
    when = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    divided = f", windows divided by {one.scale}" if one.scale != 1 else ""
    facts = [
        f"broken: {spoken(one_line(one.fault)) or 'nothing'}",
        *([f"fired after {_in_words(one.fired_after)}"] if one.fired_after is not None else []),
        "its end was not seen"
        if one.cleared_after is None
        else f"cleared {_in_words(one.cleared_after)} after the undo",
        f"restored by: {spoken(one_line(one.restored_by)) or 'not known'}",
    ]
    return f"- **{when}**, {one.kind} `{one_line(one.run)}`{divided}; {'; '.join(facts)}."


def _in_words(seconds: float) -> str:
    return in_words(timedelta(seconds=max(0.0, seconds)))
