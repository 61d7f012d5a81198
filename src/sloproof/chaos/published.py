"""Experiments that others wrote for the Chaos Toolkit: read, checked, and judged by their own journal."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sloproof.chaos.toolkit_journal import failed_activities
from sloproof.errors import Refused, UsageError
from sloproof.targets import check_target
from sloproof.verdict.judge import Verdict

SUFFIXES = (".json", ".yaml", ".yml")
SYSTEM = "published"
"""What such an experiment breaks, for the run lock and the ledger: nobody knows more of it."""
_REFERENCE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Published:
    """An experiment as its author wrote it.

    Args:
        path: the file; the Chaos Toolkit reads it itself, unchanged.
        document: what it says.
    """

    path: Path
    document: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What its author calls it."""
        return str(self.document.get("title", self.path.stem))

    @property
    def rollbacks(self) -> list[Any]:
        """How it is put back; empty when its author did not say."""
        return list(self.document.get("rollbacks") or [])

    def only_rollbacks(self) -> dict[str, Any]:
        """An experiment that does nothing but put this one back."""
        kept = {key: self.document[key] for key in ("configuration", "secrets") if key in self.document}
        title = f"put back: {self.title}"
        named = {one["name"]: one for one in self._referable() if one.get("name")}
        method = [named.get(one.get("ref"), one) for one in self.rollbacks]
        return {"title": title, "description": title, **kept, "method": method, "rollbacks": []}

    def _referable(self) -> list[Any]:
        """The activities that a `ref` may name, later ones before earlier ones of the same name."""
        hypothesis = self.document.get("steady-state-hypothesis") or {}
        return [*self.document["method"], *(hypothesis.get("probes") or [])]


def is_published(name: str) -> bool:
    """Whether an argument names a file and not an experiment of the workspace."""
    return name.endswith(SUFFIXES)


def read_published(path: Path) -> Published:
    """Read a file.

    Args:
        path: JSON or YAML.

    Raises:
        UsageError: it does not exist, or is no Chaos Toolkit experiment.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    except FileNotFoundError:
        raise UsageError(f"`{path}` does not exist", hint="give a file, or the name of an experiment") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"`{path}` cannot be read: {error}", hint="mend the file") from None
    if not isinstance(document, dict) or not isinstance(document.get("method"), list):
        raise UsageError(f"`{path}` is no Chaos Toolkit experiment: it has no `method`", hint="mend the file")
    if ill := next(_ill_formed(document), ""):
        raise UsageError(f"`{path}` is no Chaos Toolkit experiment: {ill}", hint="mend the file")
    if any(one.get("name") == "sloproof" for one in document.get("extensions") or [] if isinstance(one, dict)):
        raise UsageError(
            f"`{path}` was generated from `{document.get('title')}`",
            hint=f"run the experiment itself: `sloproof chaos run {document.get('title')}`",
        )
    return Published(path.resolve(), document)


def _ill_formed(document: Mapping[str, Any]) -> Iterator[str]:
    """What is not of the kind that the Chaos Toolkit's format says."""
    for name in ("configuration", "secrets", "steady-state-hypothesis"):
        if not isinstance(document.get(name) or {}, dict):
            yield f"its `{name}` is no object"
            return
    hypothesis = document.get("steady-state-hypothesis") or {}
    lists = {"method": document["method"], "probes": hypothesis.get("probes"), "rollbacks": document.get("rollbacks")}
    for name, found in {**lists, "extensions": document.get("extensions")}.items():
        if not isinstance(found or [], list) or not all(isinstance(one, dict) for one in found or []):
            yield f"its `{name}` is no list of objects"


def check_targets(experiment: Published, allowed: Sequence[str]) -> None:
    """Refuse HTTP targets that the workspace does not list; where processes and functions aim, nobody can tell.

    Args:
        experiment: what was read.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        Refused: a target is not allowed, or is only known when it runs; nothing was sent.
    """
    values = dict(_plain_values(experiment.document.get("configuration") or {}))
    for url in _urls(experiment.document):
        filled = _REFERENCE.sub(lambda found: values.get(found[1], found[0]), url)
        if "${" in filled.partition("://")[2].partition("/")[0]:
            raise Refused(f"the target of `{url}` is only known when it runs", hint="give its host in `configuration`")
        check_target(filled, allowed)


def _plain_values(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in configuration.items():
        if isinstance(value, dict) and value.get("type") == "env":
            found = os.environ.get(str(value.get("key")), value.get("default"))
            if found is not None:
                yield name, str(found)
        elif not isinstance(value, dict | list):
            yield name, str(value)


def _urls(part: Any) -> Iterator[str]:
    """The URL of every HTTP provider, wherever it stands."""
    if isinstance(part, dict):
        if part.get("type") == "http" and isinstance(part.get("url"), str):
            yield part["url"]
        for value in part.values():
            yield from _urls(value)
    elif isinstance(part, list):
        for value in part:
            yield from _urls(value)


def rollbacks_done(journal: Mapping[str, Any], planned: int) -> bool:
    """Whether every rollback was played and did what it should."""
    runs = journal.get("rollbacks") or []
    return len(runs) == planned and not failed_activities(runs)


def judge_journal(
    journal: Mapping[str, Any] | None, missed: Sequence[str], unclear: Sequence[str] = ()
) -> tuple[Verdict, str]:
    """The verdict of a run, from the Chaos Toolkit's journal and not from its exit code.

    Args:
        journal: None when it left none.
        missed: probes of the method whose tolerance was not met, which the Chaos Toolkit passes over.
        unclear: those whose tolerance could not be asked, with the reason.

    Returns:
        The verdict and why.
    """
    if journal is None:
        return Verdict.UNDECIDED, "the Chaos Toolkit left no journal"
    states = journal.get("steady_states") or {}
    before, after = states.get("before") or {}, states.get("after") or {}
    during = states.get("during") or []
    if before.get("steady_state_met") is False:
        return Verdict.UNDECIDED, "the steady state did not hold before the method, so nothing was tried"
    failed = failed_activities(journal.get("run") or [])
    for verdict, found, why in (
        (Verdict.FAIL, after.get("steady_state_met") is False, "the steady state did not hold after the method"),
        (Verdict.FAIL, any(one.get("steady_state_met") is False for one in during), "the steady state broke meanwhile"),
        (Verdict.FAIL, bool(missed), f"not within its tolerance: {'; '.join(missed)}"),
        (Verdict.UNDECIDED, bool(unclear), f"a tolerance could not be asked: {'; '.join(unclear)}"),
        (Verdict.UNDECIDED, bool(failed), f"an activity failed: {'; '.join(failed)}"),
        (Verdict.UNDECIDED, journal.get("status") != "completed", f"it was {journal.get('status', 'ended')}"),
        (Verdict.UNDECIDED, not journal.get("run"), "its method did nothing"),
        (Verdict.UNDECIDED, not after.get("probes"), "it has no steady-state hypothesis, so nothing was expected"),
    ):
        if found:
            return verdict, why
    return Verdict.PASS, "the steady state held before and after the method"
