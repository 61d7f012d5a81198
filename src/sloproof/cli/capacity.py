"""`sloproof load capacity`."""

import textwrap
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.loadtests.capacity import Capacity, Step
    from sloproof.loadtests.capacity_search import Site
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.workspace import Workspace

ProfileName = Annotated[str, typer.Argument(help="A load profile of `loadtests/`, whose locustfile makes the load.")]
First = Annotated[
    str | None,
    typer.Option("--from", metavar="RATE", help="Arrivals per second to begin with; the profile's rate by default."),
]
Most = Annotated[str | None, typer.Option("--to", metavar="RATE", help="Never ask for more arrivals per second.")]
StepFor = Annotated[str, typer.Option(metavar="DURATION", help="How long each rate is measured, after a warm-up.")]
Precision = Annotated[str, typer.Option(help="The search ends when its bounds are this close, as a part of 1.")]
Target = Annotated[
    str | None, typer.Option(metavar="URL", help="What to load; the lab of the profile's system by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")]
_WORDS = {"latency": "answers too slow", "errors": "too many failed", "throughput": "fell behind"}


def capacity(
    name: ProfileName,
    first: First = None,
    most: Most = None,
    step_for: StepFor = "20s",
    precision: Precision = "0.05",
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Find the highest arrival rate at which the objectives hold, and what gives way first.

    Exit 0: it lies between the bounds shown, or nothing gave way up to --to. Exit 1: the lowest rate misses an
    objective. Exit 3: undecided, as when the generator is saturated or steps are too short for the objectives.
    """
    from sloproof.cli.extras import require
    from sloproof.cli.numbers import rate_of, share_of
    from sloproof.cli.options import duration
    from sloproof.cli.progress import live_line
    from sloproof.loadtests.capacity import Limits
    from sloproof.loadtests.capacity_search import CapacitySearch
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.workspace import load_workspace

    require("load")
    workspace = load_workspace()
    profile = workspace.named(LoadProfile, name)
    limits = Limits(
        first=_first(profile) if first is None else rate_of(first),
        most=None if most is None else rate_of(most),
        precision=share_of(precision),
    )
    slos, step, site = (
        workspace.slos_of(profile.system),
        duration(step_for, "--step-for"),
        _site(workspace, profile, target),
    )
    with live_line() as watch:
        found = CapacitySearch(profile, limits, slos, step=step, site=site, watch=watch, tell=_tell).run()
    if as_json:
        console.data(found.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        _show(found)
    console.say(f"records: {site.run_folder}")
    raise typer.Exit(found.verdict.exit_code)


def _first(profile: "LoadProfile") -> Decimal:
    from sloproof.errors import UsageError

    if profile.rate is not None:
        return profile.rate
    if profile.arrivals is not None and profile.arrivals.rate:
        return profile.arrivals.rate
    raise UsageError(
        f"load profile `{profile.name}` asks for no rate to begin with", hint="give one, as `--from 10` a second"
    )


def _site(workspace: "Workspace", profile: "LoadProfile", target: str | None) -> "Site":
    from sloproof.cli.surroundings import new_run_folder, running_lab, surroundings_of
    from sloproof.loadtests.capacity_search import Site

    folder: Path = new_run_folder(workspace, f"capacity-{profile.name}")
    if target is not None:
        return Site(workspace.root, target, folder, allowed=workspace.settings.targets)
    lab = surroundings_of(workspace, running_lab(workspace, profile.system))
    return Site(workspace.root, lab.target, folder, lab.environment, lab.allowed)


def _tell(step: "Step") -> None:
    console.say(f"{_plain(step.rate)}/s: {step.verdict}{_why(step)}")


def _plain(rate: Decimal) -> str:
    from sloproof.definition import plain  # which takes a tenth of a second to import

    return plain(rate)


def _why(step: "Step") -> str:
    words = "; ".join(f"{_WORDS[way.kind]}{f' ({way.objective})' if way.objective else ''}" for way in step.gave_way)
    return f"  {words or step.reason}" if words or step.reason else ""


def _show(found: "Capacity") -> None:
    for step in sorted(found.steps, key=lambda one: one.rate):
        achieved = "-" if step.achieved is None else f"{step.achieved:.1f}/s"
        cells = f"{_plain(step.rate) + '/s':>10}  {achieved:>10} answered  {step.requests:>8,} requests  "
        console.output().print(console.verdict("").append(cells).append_text(console.verdict(step.verdict)))
    _tell_line(sentence(found))
    for way in found.gave_way:
        _tell_line(
            f"gave way at {_plain(found.gives_way or Decimal(0))}/s: {way.objective or 'throughput'}: {way.reason}"
        )
    for step in found.steps:
        if step.reason:
            _tell_line(f"undecided at {_plain(step.rate)}/s: {step.reason}")
    for note in found.notes:
        _tell_line(note)


def sentence(found: "Capacity") -> str:
    """What a search found, in one sentence."""
    holds = None if found.holds is None else _plain(found.holds)
    fails = None if found.gives_way is None else _plain(found.gives_way)
    if found.outcome == "found":
        return f"capacity: {holds}/s hold, {fails}/s do not"
    if found.outcome == "at-least":
        return f"capacity: at least {holds}/s; nothing gave way up to there"
    if found.outcome == "none-holds":
        return f"no capacity: at {fails}/s, the lowest rate tried, the objectives do not hold"
    if holds and fails:
        return f"undecided: {holds}/s hold, {fails}/s do not; nothing was proven in between"
    if holds:
        return f"undecided: {holds}/s hold; nothing was proven above"
    return f"undecided: {fails}/s do not hold; nothing was proven below" if fails else "undecided: no rate was decided"


def _tell_line(text: str) -> None:
    for line in textwrap.wrap(text, console.output().width, subsequent_indent="  ", break_on_hyphens=False):
        console.show(line)
