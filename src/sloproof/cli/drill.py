"""`sloproof drill`: fire the alerts of an objective on a live system, and see whether they keep their promises."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console
from sloproof.cli.report_files import TO_STANDARD_OUTPUT, RunReports, run_report_files

if TYPE_CHECKING:
    from sloproof.chaos.drill import TierDrill
    from sloproof.chaos.drill_plan import DrillPlan
    from sloproof.chaos.expecting import Finding
    from sloproof.chaos.experiment import Experiment
    from sloproof.chaos.facts import RunFacts
    from sloproof.chaos.stage import Stage
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.lab.state import LabState
    from sloproof.loadtests.profile import LoadProfile
    from sloproof.slo import SLO
    from sloproof.workspace import Workspace

DRILL_SCALE = 60
"""One hour becomes a minute; at 120 the windows hold too few scrapes to tell a wrong one."""
LIFETIME = timedelta(hours=1)
"""How much longer than its levels a drill's lab may live."""
SECONDS_TO_ARRIVE = 10
RESULT = "drill.json"
SMALLER = "`--tier`, a lower `--ratio` or a larger `--scale` make a drill smaller"

Objective = Annotated[
    str, typer.Argument(metavar="OBJECTIVE", help="`service/objective`; with `--all`, a service will do.")
]
Tier = Annotated[str | None, typer.Option(help="Drill this burn tier only; all of them by default.")]
Scale = Annotated[int, typer.Option(min=1, help="Divide the rules' windows by this factor; 1 for real windows.")]
Everything = Annotated[bool, typer.Option("--all", help="Drill every objective of the service, together.")]
Ratio = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="Bad events of the last tier's fault; 3 times its threshold.")
]
Control = Annotated[bool, typer.Option("--control/--no-control", help="Also try just under the threshold.")]
Quiet = Annotated[str | None, typer.Option(help="How long nothing is broken before; the shortest long window.")]
Absent = Annotated[bool, typer.Option("--absent/--no-absent", help="Also take the metrics away.")]
LoadName = Annotated[str | None, typer.Option("--load", help="A load profile with a rate; the system's first one.")]
Rate = Annotated[
    int | None, typer.Option(min=1, help="Requests per second in place of the profile's, by as many users.")
]
Rules = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Drill the rules files of this folder, not what the definitions imply."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was seen as JSON.")]
Record = Annotated[
    bool, typer.Option("--record", help="Keep what was seen; `sloproof generate` then tells it in the runbooks.")
]
Release = Annotated[str | None, typer.Option(help="What is tested, for the history.")]


@dataclass(frozen=True, kw_only=True)
class _Wishes:
    objective: str
    everything: bool
    tier: str | None
    ratio: str | None
    control: bool
    quiet: str | None
    load: str | None
    rate: int | None


def drill(
    objective: Objective,
    tier: Tier = None,
    scale: Scale = DRILL_SCALE,
    everything: Everything = False,
    ratio: Ratio = None,
    control: Control = True,
    quiet: Quiet = None,
    absent: Absent = True,
    load: LoadName = None,
    rate: Rate = None,
    rules: Rules = None,
    report: RunReports = None,
    as_json: AsJson = False,
    record: Record = False,
    release: Release = None,
) -> None:
    """Break a system by a known ratio, and see each burn alert fire, be told, inhibit and clear when promised."""
    from sloproof.chaos.drill_plan import experiment_of
    from sloproof.cli.admission import admitted_in_own_lab
    from sloproof.cli.extras import require
    from sloproof.cli.outcome import conclude, recorded_in
    from sloproof.cli.release import release_of
    from sloproof.cli.remembering import Remembered
    from sloproof.cli.surroundings import history_file, new_run_folder
    from sloproof.workspace import load_workspace

    require("load", "chaos", "lab")
    workspace, reports = load_workspace(), run_report_files(report)
    wishes = _Wishes(
        objective=objective,
        everything=everything,
        tier=tier,
        ratio=ratio,
        control=control,
        quiet=quiet,
        load=load,
        rate=rate,
    )
    plans, profile = _planned(workspace, wishes, scale)
    experiment = experiment_of(f"drill-{profile.system}", plans, profile)
    lasts = experiment.run_length + _absence_length(workspace, plans, scale, absent)
    admitted_in_own_lab([experiment], workspace, lasts=lasts, smaller=SMALLER)
    _announce(plans, experiment.length)
    folder = new_run_folder(workspace, experiment.name)
    words = " ".join([objective, *([f"--tier {tier}"] if tier else []), *(["--all"] if everything else [])])
    command = f"sloproof drill {words} --scale {scale}"
    remembered = Remembered(
        history=history_file(workspace),
        kind="drill",
        name=words.removesuffix(" --all").replace(" --tier ", "/"),
        system=profile.system,
        release=release_of(workspace.root, release),
    )
    with ExitStack() as during:
        during.enter_context(recorded_in(folder, reports, remembered=remembered))
        lab = during.enter_context(_lab(workspace, profile.system, scale, experiment.length, rules))
        surroundings, state = lab
        facts, drills, others = _drilled(workspace, plans, experiment, surroundings, state, folder, absent)
        stage = _stage(facts, drills, others)
        _tell(drills, others, scale, folder, as_json, table=TO_STANDARD_OUTPUT not in reports)
        if record:
            _keep(workspace, drills, scale)
        title = f"Drill of {words}"
        code = conclude([stage], surroundings, folder, title, command, reports, remembered=remembered)
    raise typer.Exit(code)


def _planned(workspace: "Workspace", wishes: _Wishes, scale: int) -> "tuple[list[DrillPlan], LoadProfile]":
    from sloproof.chaos.drill_plan import DrillOrder, plan_drill
    from sloproof.cli.options import duration
    from sloproof.lab.systems import find_system
    from sloproof.workspace.lab_files import lab_timing

    slos = _objectives(workspace, wishes)
    find_system(slos[0].service.name)
    order = DrillOrder(
        tiers=(wishes.tier,) if wishes.tier else (),
        ratio=_ratio(wishes.ratio),
        control=wishes.control,
        quiet=duration(wishes.quiet, "--quiet") if wishes.quiet else None,
    )
    timing = lab_timing(workspace, scale)
    plans = [plan_drill(slo, workspace.policy(slo), timing, order) for slo in slos]
    _refuse_one_place(plans)
    return plans, _profile(workspace, slos[0].service.name, wishes)


def _objectives(workspace: "Workspace", wishes: _Wishes) -> "list[SLO]":
    from sloproof.errors import UsageError

    service = wishes.objective.partition("/")[0]
    found = [slo for slo in workspace.slos if wishes.objective in (slo.identity, slo.service.name)]
    if wishes.everything:
        found = [slo for slo in workspace.slos if slo.service.name == service]
    known = ", ".join(f"`{slo.identity}`" for slo in workspace.slos)
    if not found:
        raise UsageError(f"there is no objective `{wishes.objective}`", hint=f"defined are: {known}")
    if len(found) > 1 and not wishes.everything:
        raise UsageError(
            f"`{service}` has {len(found)} objectives", hint="name one of them, or add `--all` for all of them"
        )
    return found


def _ratio(text: str | None) -> Decimal | None:
    from sloproof.errors import UsageError

    if text is None:
        return None
    try:
        found = Decimal(text.removesuffix("%").strip()) / 100
    except InvalidOperation:
        found = Decimal("NaN")
    if not (found.is_finite() and 0 < found <= 1):
        raise UsageError(
            f"--ratio: `{text}` is no percentage above 0, up to 100", hint="give bad events of all, as `5`"
        )
    return found


def _refuse_one_place(plans: "Sequence[DrillPlan]") -> None:
    """Two objectives that are spoilt in the same way cannot be drilled at the same time."""
    from sloproof.chaos.drill_plan import level_faults
    from sloproof.errors import UsageError

    seen: dict[str, str] = {}
    for plan in plans:
        place = level_faults(plan)[0][1].place
        if place in seen:
            raise UsageError(
                f"`{seen[place]}` and `{plan.slo.identity}` are both broken by the {place}",
                hint="drill them one after the other",
            )
        seen[place] = plan.slo.identity


def _profile(workspace: "Workspace", system: str, wishes: _Wishes) -> "LoadProfile":
    """Even traffic: a profile of the system that paces its users by a rate."""
    from sloproof.errors import UsageError
    from sloproof.loadtests.profile import LoadProfile

    named = [workspace.named(LoadProfile, wishes.load)] if wishes.load else workspace.all_of(LoadProfile)
    found = [profile for profile in named if profile.system == system and profile.rate is not None]
    if not found:
        what = f"the load `{wishes.load}` is none of `{system}` with a `rate`" if wishes.load else ""
        raise UsageError(
            what or f"`{system}` has no load profile with a `rate`", hint="a drill needs even traffic: define one"
        )
    rate = {} if wishes.rate is None else {"rate": Decimal(wishes.rate), "users": wishes.rate}
    gentle = found[0].model_copy(update=rate)
    # Users that all log in at once are a fault of their own.
    return gentle.model_copy(update={"spawn_rate": max(Decimal(gentle.users) / SECONDS_TO_ARRIVE, Decimal(1))})


def _announce(plans: "Sequence[DrillPlan]", length: timedelta) -> None:
    from sloproof.definition import format_duration, plain

    for plan in plans:
        console.say(f"planned for `{plan.slo.identity}`:")
        for level in plan.levels:
            what = f"{plain(level.ratio * 100)} % bad" if level.ratio else "nothing broken"
            why = [*([f"`{level.fires}` must fire"] if level.fires else [])]
            why += [f"`{level.controls}` must stay quiet"] if level.controls else []
            console.say(f"  {format_duration(_whole(level.lasts)):>7}  {what}{': ' if why else ''}{', '.join(why)}")
    console.say(f"takes {format_duration(_whole(length))}, and the time to start and end the system")


@contextmanager
def _lab(
    workspace: "Workspace", system: str, scale: int, length: timedelta, rules: Path | None
) -> "Iterator[tuple[Surroundings, LabState]]":
    """A lab of the drill's own, beside any other; it dies with the drill, whatever ends that."""
    from sloproof import lab
    from sloproof.cli.interruption import uninterrupted
    from sloproof.cli.surroundings import lab_folder, parts_folder, surroundings_of
    from sloproof.workspace.lab_files import lab_files, lab_timing

    timing, folder = lab_timing(workspace, scale), lab_folder(workspace, system).with_name(f"{system}-drill")
    state = lab.up(
        system,
        folder=folder,
        generated=_generated(lab_files(workspace, system, timing), rules, scale),
        scale=scale,
        scrape_interval=timing.scrape,
        evaluation_interval=timing.real(timing.evaluation),
        lifetime=_whole(length) + LIFETIME,
        owner_pid=os.getpid(),
        parts=parts_folder(workspace),
        say=console.say,
    )
    try:
        yield surroundings_of(workspace, state, own_rules=rules is None), state
    finally:
        with uninterrupted():
            lab.down(folder, say=console.say)


def _generated(
    made: "Callable[[str], Mapping[str, str]]", rules: Path | None, scale: int
) -> "Callable[[str], Mapping[str, str]]":
    """The lab's files, with those of a folder in place of the rules of the same name."""
    from sloproof.errors import UsageError
    from sloproof.workspace.scaling import scales_in

    if rules is None:
        return made
    given = {f"rules/{file.name}": file.read_text(encoding="utf-8") for file in sorted(rules.glob("*.yaml"))}
    if not given:
        raise UsageError(f"`{rules}` holds no rules files", hint="`sloproof generate --scale` writes some")
    for path, text in given.items():
        if other := scales_in(text) - {scale}:
            raise UsageError(
                f"`{path}` holds windows that are divided by {min(other)}, and the drill's are divided by {scale}",
                hint=f"write them with `sloproof generate --scale {scale} --out FOLDER`",
            )

    def replaced(webhook: str) -> Mapping[str, str]:
        own = made(webhook)
        return {**own, **{path: text for path, text in given.items() if path in own}}

    return replaced


def _drilled(
    workspace: "Workspace",
    plans: "Sequence[DrillPlan]",
    experiment: "Experiment",
    surroundings: "Surroundings",
    state: "LabState",
    folder: Path,
    absent: bool,
) -> "tuple[RunFacts, list[TierDrill], list[Finding]]":
    from sloproof.alertmanager import Alertmanager
    from sloproof.alerts import AbsenceAlerts, absence_for
    from sloproof.chaos.absence_drill import drill_absence
    from sloproof.chaos.drill import judge_drill
    from sloproof.chaos.drill_run import run_drill
    from sloproof.chaos.gathering import notifications
    from sloproof.cli.progress import live_line
    from sloproof.supervisor import Supervisor

    with Alertmanager(state.alertmanager) as alertmanager, live_line() as watch:
        facts, sights = run_drill(experiment, surroundings, alertmanager, folder, watch)
    drills = judge_drill(plans, facts, sights, notifications(state.notifications))
    slos = [plan.slo for plan in plans]
    others: list[Finding] = []
    absence = absence_for(slos[0].service, workspace.all_of(AbsenceAlerts))
    if absent and absence.no_series is not None:
        console.say("the metrics are taken away")
        _, others = drill_absence(slos, absence, surroundings, state.folder, Supervisor(state.supervisor_socket))
    return facts, drills, others


def _absence_length(workspace: "Workspace", plans: "Sequence[DrillPlan]", scale: int, absent: bool) -> timedelta:
    from sloproof.alerts import AbsenceAlerts, absence_for
    from sloproof.chaos.absence_drill import longest_absence
    from sloproof.workspace.lab_files import lab_timing

    absence = absence_for(plans[0].slo.service, workspace.all_of(AbsenceAlerts))
    wanted = absent and absence.no_series is not None
    return longest_absence(absence, lab_timing(workspace, scale)) if wanted else timedelta()


def _stage(facts: "RunFacts", drills: "Sequence[TierDrill]", others: "Sequence[Finding]") -> "Stage":
    from sloproof.chaos.stage import Stage

    found = [finding for drilled in drills for finding in drilled.findings]
    return Stage("drill", facts, (*found, *others))


def _tell(
    drills: "Sequence[TierDrill]",
    others: "Sequence[Finding]",
    scale: int,
    folder: Path,
    as_json: bool,
    *,
    table: bool,
) -> None:
    from sloproof.chaos.drill import seen_sentence
    from sloproof.report import drill_text
    from sloproof.verdict.judge import Verdict
    from sloproof.workspace.files import write_file

    now = datetime.now(UTC)
    told = json.dumps(drill_text.document(drills, others, scale=scale, started_at=now.timestamp()), indent=2) + "\n"
    write_file(folder / RESULT, told)
    if as_json:
        console.data(told)
        return
    if table:
        console.lines(drill_text.table(drills))
    for drilled in (one for one in drills if one.verdict is not Verdict.UNDECIDED):
        console.say(f"{drilled.alert}: {seen_sentence(drilled, now.date().isoformat(), scale)}")


def _keep(workspace: "Workspace", drills: "Sequence[TierDrill]", scale: int) -> None:
    """Remember what kept its promise; a drill that failed or decided nothing is told by its own report."""
    from sloproof.chaos.drill import seen_sentence
    from sloproof.verdict.judge import Verdict
    from sloproof.workspace.drill_memory import keep_seen

    date = datetime.now(UTC).date().isoformat()
    proven = [drilled for drilled in drills if drilled.verdict is Verdict.PASS]
    file = keep_seen(workspace.root, {drilled.alert: seen_sentence(drilled, date, scale) for drilled in proven})
    console.say(f"kept {len(proven)} of {len(drills)} in {file}; `sloproof generate` tells it in the runbooks")


def _whole(length: timedelta) -> timedelta:
    return timedelta(seconds=round(length.total_seconds()))
