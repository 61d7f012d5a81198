"""Finds and loads the definitions of a workspace, all of them, and says everything that is wrong at once."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sloproof.alerts import (
    DEFAULT_POLICY,
    AbsenceAlerts,
    BudgetAlerts,
    BurnPolicy,
    CauseAlert,
    Routing,
    policy_for,
)
from sloproof.chaos.experiment import Experiment
from sloproof.chaos.kubernetes import KillPods
from sloproof.chaos.schedule import Schedule
from sloproof.dashboards.breakdown_definition import Breakdown, Capacity
from sloproof.dashboards.custom import CustomPanels
from sloproof.definition import Definition
from sloproof.errors import DefinitionError, UsageError
from sloproof.gate.definition import Gate
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, Service
from sloproof.workspace.contradictions import Located, contradictions
from sloproof.workspace.settings import STATE_FOLDER, Settings, find_root, read_settings
from sloproof.workspace.statements import IMPORTED_AS, DefinitionFinder

FOLDERS = ("slo", "alerts", "dashboards", "loadtests", "chaos")
KINDS: tuple[type[Definition], ...] = (
    SLO,
    BurnPolicy,
    BudgetAlerts,
    AbsenceAlerts,
    CauseAlert,
    Routing,
    LoadProfile,
    Experiment,
    KillPods,
    Schedule,
    Gate,
    CustomPanels,
    Breakdown,
    Capacity,
)

Kind = TypeVar("Kind", bound=Definition)


@dataclass(frozen=True)
class Workspace:
    """Everything that a workspace defines."""

    root: Path
    settings: Settings
    definitions: tuple[Located, ...]

    @property
    def state(self) -> Path:
        """The tool's own folder, ignored by git."""
        return self.root / STATE_FOLDER

    @property
    def slos(self) -> tuple[SLO, ...]:
        """The objectives, in the order of files and lines."""
        return self.all_of(SLO)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The services that have objectives."""
        return tuple({slo.service.name: slo.service for slo in self.slos}.values())

    def slos_of(self, service: str) -> tuple[SLO, ...]:
        """The objectives of a service, by its name."""
        return tuple(self._by_service.get(service, ()))

    def causes_of(self, service: str) -> tuple[CauseAlert, ...]:
        """The cause alerts of a service, by its name."""
        return tuple(self._causes_by_service.get(service, ()))

    def policy(self, slo: SLO) -> BurnPolicy:
        """The burn policy of an objective."""
        return policy_for(slo, self.all_of(BurnPolicy))

    @cached_property
    def policies(self) -> tuple[BurnPolicy, ...]:
        """Every policy in use."""
        found = {id(policy): policy for policy in map(self.policy, self.slos)}
        return tuple({policy.tiers: policy for policy in found.values()}.values()) or (DEFAULT_POLICY,)

    def only(self, system: str) -> "Workspace":
        """The workspace without the objectives, causes and panels of other services.

        Args:
            system: the service's name, which a system of the lab shares with it.
        """
        kept = tuple(one for one in self.definitions if _service_of(one.definition) in (None, system))
        return replace(self, definitions=kept)

    def all_of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """All definitions of a kind."""
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(one.definition for one in self.definitions if isinstance(one.definition, kind))
        return self._by_kind[kind]

    @cached_property
    def _by_kind(self) -> dict[type[Definition], tuple[Any, ...]]:
        return {}

    @cached_property
    def _by_service(self) -> dict[str, list[SLO]]:
        found: dict[str, list[SLO]] = {}
        for slo in self.slos:
            found.setdefault(slo.service.name, []).append(slo)
        return found

    @cached_property
    def _causes_by_service(self) -> dict[str, list[CauseAlert]]:
        found: dict[str, list[CauseAlert]] = {}
        for cause in self.all_of(CauseAlert):
            found.setdefault(cause.service.name, []).append(cause)
        return found

    def named(self, kind: type[Kind], name: str) -> Kind:
        """The definition of a kind that bears a name.

        Raises:
            UsageError: there is none; the hint lists those that exist.
        """
        known = {definition.name: definition for definition in self.all_of(kind)}  # type: ignore[attr-defined]
        if name in known:
            return known[name]
        listed = ", ".join(f"`{known_name}`" for known_name in sorted(known)) or "none"
        close = get_close_matches(name, known, 1)
        meant = f"did you mean `{close[0]}`? " if close else ""
        raise UsageError(f"there is no {_words(kind)} `{name}`", hint=f"{meant}defined are: {listed}")

    def location(self, definition: Definition) -> Located | None:
        """Where a definition stands; None when it was not bound to a name of a definition file."""
        return next((located for located in self.definitions if located.definition is definition), None)


def load_workspace(start: Path | None = None) -> Workspace:
    """Load the workspace around a folder.

    Args:
        start: where to look from; the working directory by default.

    Raises:
        UsageError: there is no workspace.
        DefinitionError: with every problem of every file.
    """
    root = find_root(start or Path.cwd())
    settings = read_settings(root)
    finder = DefinitionFinder(root, FOLDERS)
    with _importing(finder):
        modules = [module for folder in FOLDERS for module in _modules(root, folder)]
    located = tuple(_located(root, modules))
    problems = [*finder.problems, *contradictions(located)]
    if problems:
        raise DefinitionError(sorted(problems, key=lambda problem: (problem.path, problem.line)))
    return Workspace(root, settings, located)


@contextmanager
def _importing(finder: DefinitionFinder) -> Iterator[None]:
    """Put the finder first, and afterwards leave the interpreter's modules as they were."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in FOLDERS}
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split(".")[0] in FOLDERS]:
            del sys.modules[name]
        sys.modules.update(kept)


def _modules(root: Path, folder: str) -> Iterator[ModuleType]:
    for file in sorted((root / folder).glob("*.py")):
        if "." in file.stem:
            raise UsageError(f"`{folder}/{file.name}` cannot be loaded", hint="take the dot out of its name")
        if file.is_file() and file.stem != "__init__":
            yield importlib.import_module(f"{folder}.{file.stem}")


def _located(root: Path, modules: list[ModuleType]) -> Iterator[Located]:
    seen: set[int] = set()
    for module in modules:
        path = Path(str(module.__file__)).relative_to(root).as_posix()
        for variable, line in sorted(module.__dict__[IMPORTED_AS].items(), key=lambda item: item[1]):
            for name, definition in _flat(variable, module.__dict__.get(variable)):
                if id(definition) not in seen:
                    seen.add(id(definition))
                    yield Located(definition, path, line, name)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Definition]]:
    """Every definition in a value, with how it is reached: `objectives[1]`."""
    if isinstance(value, KINDS):
        yield name, value
    elif isinstance(value, list | tuple | dict):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(f"{name}[{key!r}]", item)


def _service_of(definition: Definition) -> str | None:
    """The service that a definition belongs to; None for what belongs to the whole workspace."""
    service = getattr(definition, "service", None)
    return service.name if isinstance(service, Service) else None


def _words(kind: type[Definition]) -> str:
    return _WORDS.get(kind.__name__, kind.__name__)


_WORDS = {
    "LoadProfile": "load profile",
    "Experiment": "experiment",
    "KillPods": "Kubernetes experiment",
    "Schedule": "schedule",
    "Gate": "gate",
    "SLO": "objective",
    "CauseAlert": "cause alert",
}
