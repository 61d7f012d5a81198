"""Schedules as systemd timers, cron lines, Kubernetes CronJobs and a GitHub workflow. Pure.

They are written, never applied.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import yaml

from sloproof.chaos.schedule import Errand, Schedule
from sloproof.errors import Refused, UsageError

HEADER = "# Written by `sloproof schedule`; change the definitions, not this file.\n"
WORKSPACE = "/workspace"
_USER = 65_534
_RESOURCES = {"cpu": "2", "memory": "2Gi"}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PREFIX = "sloproof-"
_LONGEST_JOB = 52
"""Characters of a CronJob's name: Kubernetes adds eleven for each of its jobs, and takes 63."""
_WEEKDAYS = 4
_TO_END = timedelta(minutes=5)
"""A run that is ended puts everything back first."""


def systemd_units(schedules: Sequence[Schedule], *, workspace: str, program: str) -> dict[str, str]:
    """A service and a timer for each schedule, by file name.

    Args:
        schedules: what runs when.
        workspace: absolute path of the workspace on the machine that runs them.
        program: absolute path of `sloproof` there.
    """
    found = {}
    for one in schedules:
        found[f"sloproof-{one.name}.service"] = _service_unit(one, workspace, program)
        found[f"sloproof-{one.name}.timer"] = _timer_unit(one)
    return found


def crontab(schedules: Sequence[Schedule], *, workspace: str, program: str) -> str:
    """Lines for `crontab`; `flock` keeps a run from beginning while the one before is still going.

    Args:
        schedules: what runs when.
        workspace: absolute path of the workspace.
        program: absolute path of `sloproof`.
    """
    lines = []
    for one in schedules:
        words = _shell(one.errand, shlex.quote(program))
        lock = shlex.quote(f"{workspace}/.sloproof/schedule-{one.name}.lock")
        limit = f"timeout --signal=TERM {round(one.deadline.total_seconds())}s"
        told = f"cd {shlex.quote(workspace)} && flock --nonblock {lock} {limit} sh -c {shlex.quote(words)}"
        escaped = told.replace("%", r"\%")  # cron reads a bare one as a line feed
        lines.append(f"# {one.name}\nCRON_TZ={one.timezone}\n{_understood_by_all(one.cron)} {escaped}\n")
    return HEADER + "".join(lines)


def cron_jobs(schedules: Sequence[Schedule], *, image: str, namespace: str = "") -> str:
    """A Kubernetes CronJob for each schedule, as YAML documents: never two at once, with deadlines, without rights.

    Args:
        schedules: what runs when.
        image: holds `sloproof[all]` and the workspace in `/workspace`; pinned by a tag or a digest.
        namespace: where they go; empty for that of the context.

    Raises:
        UsageError: the image is not pinned, a name is longer than Kubernetes takes, or a time is another one there.
    """
    if ":" not in image.rsplit("/", 1)[-1] or image.endswith((":", ":latest")):
        raise UsageError(f"`{image}` is not pinned", hint="give a tag or a digest, such as `registry/drills:1.4.2`")
    for one in schedules:
        _check_kubernetes_takes(one)
    documents = [_cron_job(one, image, namespace) for one in schedules]
    return HEADER + "---\n".join(yaml.safe_dump(document, sort_keys=False, width=120) for document in documents)


def github_workflow(schedules: Sequence[Schedule]) -> str:
    """A GitHub workflow that runs each schedule in a job of its own, or all of them by hand.

    Args:
        schedules: what runs when.

    Raises:
        UsageError: a schedule is told in a time zone that GitHub does not know.
    """
    for one in schedules:
        if one.timezone != "UTC":
            raise UsageError(
                f"the schedule `{one.name}` is told in `{one.timezone}`, and GitHub knows UTC only",
                hint="tell it in UTC, or write the other kinds: systemd, cron, kubernetes",
            )
    crons = [{"cron": cron} for cron in dict.fromkeys(_understood_by_all(one.cron) for one in schedules)]
    document = {
        "name": "scheduled experiments and drills",
        "on": {"schedule": crons, "workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        "jobs": {one.name: _github_job(one) for one in schedules},
    }
    return HEADER + yaml.safe_dump(document, sort_keys=False, width=120)


def on_calendar(schedule: Schedule) -> list[str]:
    """The times of a schedule as systemd writes them.

    Cron means either day where both the day of the month and the day of the week are given and neither begins with a
    star; systemd means both, so that these become two lines.
    """
    minutes, hours, days, months, weekdays = schedule.cron.split()
    clock = f"{_listed(hours, 1)}:{_listed(minutes, 0)}:00 {schedule.timezone}"
    date = f"*-{_listed(months, 3)}-{_listed(days, 2)}"
    if weekdays == "*":
        return [f"{date} {clock}"]
    numbers = sorted({number % 7 for number in _numbers(weekdays, 4)})
    week = ",".join(_DAYS[number].title() for number in numbers)
    if days.startswith("*") or weekdays.startswith("*"):
        return [f"{week} {date} {clock}"]
    return [f"{date} {clock}", f"{week} *-{_listed(months, 3)}-* {clock}"]


def _service_unit(schedule: Schedule, workspace: str, program: str) -> str:
    errand, program = schedule.errand, _quoted(program)
    lines = [
        "[Unit]",
        f"Description=sloproof: {schedule.name}",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={_no_specifier(workspace)}",
        # Not ExecStartPre: what that leaves running is killed before the next command.
        *([f"ExecStart={program} {shlex.join(errand.before)}"] if errand.before else []),
        f"ExecStart={program} {shlex.join(errand.run)}",
        *([f"ExecStopPost={program} {shlex.join(errand.after)}"] if errand.after else []),
        f"TimeoutStartSec={round(schedule.deadline.total_seconds())}",
        f"TimeoutStopSec={round(_TO_END.total_seconds())}",
        # The undo must not be killed with its run; the lab and the watchdog end by themselves.
        "KillMode=mixed",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        f"ReadWritePaths={_quoted(workspace)}",
        "PrivateTmp=yes",
    ]
    return HEADER + "".join(f"{line}\n" for line in lines)


def _no_specifier(text: str) -> str:
    """A text of a unit in which a percent sign is one."""
    return text.replace("%", "%%")


def _quoted(path: str) -> str:
    """A path as one word of a unit."""
    text = _no_specifier(path)
    if not re.search(r"[\s\"'\\]", text):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _timer_unit(schedule: Schedule) -> str:
    lines = [
        "[Unit]",
        f"Description=when sloproof runs {schedule.name}",
        "",
        "[Timer]",
        *(f"OnCalendar={when}" for when in on_calendar(schedule)),
        "AccuracySec=1s",
        # A run that was missed is not made up for at a time that nobody chose.
        "Persistent=false",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return HEADER + "".join(f"{line}\n" for line in lines)


def _check_kubernetes_takes(schedule: Schedule) -> None:
    if len(schedule.name) > (longest := _LONGEST_JOB - len(_PREFIX)):
        raise UsageError(
            f"the schedule `{schedule.name}` has {len(schedule.name)} characters, and its CronJob may have {longest}",
            hint="give it a shorter name",
        )
    days, weekdays = schedule.cron.split()[2], schedule.cron.split()[_WEEKDAYS]
    # Only there a star with a step is no star, so that either day is enough; elsewhere both have to come together.
    both_here = any(field.startswith("*") for field in (days, weekdays))
    both_there = any(term in {"*", "*/1"} for field in (days, weekdays) for term in field.split(","))
    if both_here != both_there:
        raise UsageError(
            f"the schedule `{schedule.name}` would come on other days: Kubernetes takes either day of "
            f"`{schedule.cron}` where cron wants both",
            hint="give the day of the month or the day of the week, not both",
        )


def _cron_job(schedule: Schedule, image: str, namespace: str) -> dict[str, Any]:
    name = f"{_PREFIX}{schedule.name}"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "sloproof"}
    errand = schedule.errand
    command = (
        {"command": ["sh", "-c", _shell(errand, "sloproof")]}
        if errand.before or errand.after
        else {"command": ["sloproof"], "args": list(errand.run)}
    )
    container = {"name": "sloproof", "image": image, **command, **_confined(), **_mounts()}
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": round(_TO_END.total_seconds()),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": volume, "emptyDir": {}} for volume in ("runs", "tmp")],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {}), "labels": dict(labels)},
        "spec": {
            "schedule": _understood_by_all(schedule.cron),
            "timeZone": schedule.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": round(schedule.late.total_seconds()),
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": round(schedule.deadline.total_seconds()),
                    "ttlSecondsAfterFinished": 86_400,
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                }
            },
        },
    }


def _confined() -> Mapping[str, Any]:
    return {
        "workingDir": WORKSPACE,
        "env": [{"name": "HOME", "value": "/tmp"}],
        "resources": {"requests": dict(_RESOURCES), "limits": dict(_RESOURCES)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _mounts() -> Mapping[str, Any]:
    return {
        "volumeMounts": [{"name": "runs", "mountPath": f"{WORKSPACE}/.sloproof"}, {"name": "tmp", "mountPath": "/tmp"}]
    }


def _github_job(schedule: Schedule) -> dict[str, Any]:
    errand = schedule.errand
    cron = _understood_by_all(schedule.cron)
    own = f"github.event_name == 'workflow_dispatch' || github.event.schedule == '{cron}'"
    steps: list[dict[str, Any]] = [
        {"uses": "actions/checkout@v4", "with": {"persist-credentials": False}},
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
        {"run": 'pip install "sloproof[all]"'},
    ]
    steps += [{"run": f"sloproof {shlex.join(errand.before)}"}] if errand.before else []
    steps += [{"run": f"sloproof {shlex.join(errand.run)}"}]
    steps += [{"if": "always()", "run": f"sloproof {shlex.join(errand.after)}"}] if errand.after else []
    steps += [
        {
            "if": "always()",
            "uses": "actions/upload-artifact@v4",
            "with": {"name": schedule.name, "path": ".sloproof/runs", "include-hidden-files": True},
        }
    ]
    return {
        "if": own,
        "runs-on": "ubuntu-latest",
        "timeout-minutes": max(1, round(schedule.deadline / timedelta(minutes=1))),
        "concurrency": {"group": f"sloproof-{schedule.system}", "cancel-in-progress": False},
        "steps": steps,
    }


def _shell(errand: Errand, program: str) -> str:
    """The errand as one shell command that ends with the exit code of its run."""
    run, before, after = (
        f"{program} {shlex.join(words)}" if words else "" for words in (errand.run, errand.before, errand.after)
    )
    if not after:
        return f"{before} && {run}" if before else run
    # What was refused because it is up already is somebody else's, and stays.
    refused = f"[ $code = {Refused.exit_code} ] || {after}"
    begun = f"{before} || {{ code=$?; {refused}; exit $code; }}; " if before else ""
    # A shell with a trap waits for the command that runs, and then goes on to end what was brought up.
    return f"trap : TERM; {begun}{run}; code=$?; {after}; exit $code"


def _understood_by_all(cron: str) -> str:
    """The same times in words that each reader knows: Sunday is 0, and where a step ends is written."""
    fields = cron.split()
    if "*" not in fields[_WEEKDAYS] and re.search(r"7|/", fields[_WEEKDAYS]):
        fields[_WEEKDAYS] = ",".join(str(one) for one in sorted({n % 7 for n in _numbers(fields[_WEEKDAYS], 4)}))
    highest = (str(high) for _, high in _RANGES)
    return " ".join(
        re.sub(r"(?<![\w-])(\w+)/", rf"\1-{high}/", field) for field, high in zip(fields, highest, strict=True)
    )


def _listed(field: str, place: int) -> str:
    if field == "*":
        return "*"
    return ",".join(f"{number:02}" for number in _numbers(field, place))


def _numbers(field: str, place: int) -> list[int]:
    """Every number that a cron field stands for."""
    low, high = _RANGES[place]
    found: set[int] = set()
    for term in field.upper().split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        start = low if span == "*" else _number(first, place)
        end = _number(last, place) if last else high if span == "*" or step else start
        found |= set(range(start, end + 1, int(step or 1)))
    return sorted(found)


def _number(text: str, place: int) -> int:
    if re.fullmatch(r"\d+", text):
        return int(text)
    return _MONTHS.index(text) + 1 if place == _RANGES.index((1, 12)) else _DAYS.index(text)
