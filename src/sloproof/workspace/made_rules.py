"""The rules of a workspace, made and checked service by service; side by side where there are many."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from sloproof.alerts import AlertRule, RecordingRule, Timing
from sloproof.checks import GeneratedGroup, GeneratedRule, Place, Subject, run_on_rules
from sloproof.errors import Problem
from sloproof.slo import SLO
from sloproof.workspace.files import Artifact
from sloproof.workspace.loading import Workspace
from sloproof.workspace.places import cause_places, objective_places
from sloproof.workspace.rule_files import RuleFile, files_of, services_with_rules

_WORTH_A_PROCESS = 200
"""Objectives below which another process takes longer to begin than it saves."""
_CHUNK = 10
"""Services that are made at a time; what a process hands over is as large as its rules."""


@dataclass(frozen=True)
class MadeRules:
    """The rules of some services.

    Args:
        artifacts: their files as they are written; each expression was parsed back.
        groups: the same, as the checks see them.
        problems: what the checks of rules found in them; None where they were not asked, or could not tell because the
            rules read what another service records.
    """

    artifacts: tuple[Artifact, ...]
    groups: tuple[GeneratedGroup, ...] = ()
    problems: tuple[Problem, ...] | None = None


def made_rules(
    workspace: Workspace, timing: Timing, *, checked: bool = True, processes: int | None = None
) -> Iterator[MadeRules]:
    """The rules of every service, in the order of the services.

    Args:
        workspace: the definitions.
        timing: real windows, or windows divided by a factor.
        checked: whether the checks look at the rules too.
        processes: how many to use; by default one for each processor where there are objectives enough.

    Raises:
        ValueError: an expression is not PromQL.
    """
    services = services_with_rules(workspace)
    chunks = [services[start : start + _CHUNK] for start in range(0, len(services), _CHUNK)]
    make = partial(_made, workspace, timing, _Places.of(workspace) if checked else None)
    used = _processes(workspace) if processes is None else processes
    yield from _side_by_side(make, chunks, used) if used > 1 else map(make, chunks)


def _processes(workspace: Workspace) -> int:
    # Elsewhere a process starts anew, and imports everything before it makes anything.
    return _processors() if sys.platform == "linux" and len(workspace.slos) >= _WORTH_A_PROCESS else 1


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Places:
    """Where the objectives of each service and the causes stand."""

    objectives: Mapping[str, Sequence[tuple[SLO, Place]]]
    causes: Mapping[str, Place]

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        by_service: dict[str, list[tuple[SLO, Place]]] = {}
        for slo, place in objective_places(workspace):
            by_service.setdefault(slo.service.name, []).append((slo, place))
        return cls(by_service, dict(reversed(cause_places(workspace))))


def _made(workspace: Workspace, timing: Timing, places: _Places | None, services: Sequence[str]) -> MadeRules:
    files = [file for service in services for file in files_of(workspace, service, timing)]
    artifacts = tuple(file.artifact() for file in files)
    if places is None:
        return MadeRules(artifacts)
    groups = tuple(_groups(files))
    slos = [pair for service in services for pair in places.objectives.get(service, ())]
    part = Subject(slos=slos, policies={}, groups=groups, causes=places.causes, timing=timing)
    found = tuple(run_on_rules(part))
    return MadeRules(artifacts, groups, found if part.recorded.complete else None)


def _groups(files: Sequence[RuleFile]) -> Iterator[GeneratedGroup]:
    for file in files:
        for group in file.groups:
            yield GeneratedGroup(file.path, group.name, group.interval, tuple(map(_rule, group.rules)))


def _rule(rule: AlertRule | RecordingRule) -> GeneratedRule:
    if isinstance(rule, AlertRule):
        return GeneratedRule(rule.alert, True, rule.text, rule.labels)
    return GeneratedRule(rule.record, False, rule.text, rule.labels)


_Make = Callable[[Sequence[str]], MadeRules]
_given: list[_Make] = []
"""In a process of its own: how it makes rules."""


def _side_by_side(make: _Make, chunks: Sequence[Sequence[str]], processes: int) -> Iterator[MadeRules]:
    """Each process has the definitions from its birth, and hands over what it makes of a chunk."""
    with multiprocessing.get_context("fork").Pool(processes, _begin, (make,)) as pool:
        for chunk, made in zip(chunks, pool.imap(_make_there, chunks), strict=True):
            # An error is told where it can be told as it is.
            yield make(chunk) if made is None else made


def _begin(make: _Make) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked ends this process
    _given.append(make)


def _make_there(chunk: Sequence[str]) -> MadeRules | None:
    try:
        return _given[-1](chunk)
    except Exception:  # made again by who asked
        return None
