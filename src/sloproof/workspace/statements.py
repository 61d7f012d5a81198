"""Runs a definition file statement by statement, so that one bad definition does not hide the others.

A statement that fails becomes a problem with its file and line; what only fails because of it
(a later line, or another file, that uses the missing name) is left out.
"""

import ast
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from pydantic import ValidationError

from sloproof.errors import Problem
from sloproof.workspace.raised import problem_of
from sloproof.workspace.validation import problems_of

IMPORTED_AS = "__sloproof_assigned__"


class Consequence(Exception):
    """A name is missing only because its own definition failed."""


@dataclass
class DefinitionFinder(MetaPathFinder):
    """Finds the workspace's folders as packages, before anything installed under the same names."""

    root: Path
    folders: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of one of the workspace's folders or files, None for everything else."""
        parts = fullname.split(".")
        if parts[0] not in self.folders:
            return None
        place = self.root.joinpath(*parts)
        if place.is_dir():
            spec = ModuleSpec(fullname, loader=None, is_package=True)
            spec.submodule_search_locations = [str(place)]
            return spec
        file = place.with_suffix(".py")
        if not file.is_file():
            return None
        return ModuleSpec(
            fullname, StatementLoader(file, file.relative_to(self.root).as_posix(), self.problems), origin=str(file)
        )


@dataclass
class StatementLoader(Loader):
    """Executes one file and collects what is wrong with it."""

    file: Path
    path: str
    problems: list[Problem]

    def exec_module(self, module: ModuleType) -> None:
        """Run every statement; failures become problems."""
        module.__file__ = str(self.file)
        failed: set[str] = set()
        assigned: dict[str, int] = {}
        module.__dict__[IMPORTED_AS] = assigned
        module.__dict__["__getattr__"] = lambda name: _missing(module.__name__, name, failed)
        statements = self._statements()
        if statements is None:
            module.__dict__["__getattr__"] = _unknown
            return
        for statement in statements:
            names = list(_targets(statement))
            try:
                exec(_compiled(statement, str(self.file)), module.__dict__)
            except Consequence:
                failed.update(names)
            except (Exception, SystemExit) as error:
                if not (isinstance(error, NameError) and error.name in failed):
                    self.problems.extend(self._explained(error, statement, names))
                failed.update(names)
            else:
                assigned.update(dict(_targets_with_lines(statement)))

    def _statements(self) -> list[ast.stmt] | None:
        """The file's statements; None, and a problem, where it cannot be read."""
        try:
            return ast.parse(decode_source(self.file.read_bytes()), filename=str(self.file)).body
        except UnicodeDecodeError as error:
            what = f"not UTF-8 text: {error.reason}"
            self.problems.append(_problem(self.path, 0, "", what, "definition/unreadable", "mend the file"))
        except SyntaxError as error:
            line = (error.text or "").strip()
            what = f"`{line}` is not Python: {error.msg}" if line else f"not Python: {error.msg}"
            self.problems.append(_problem(self.path, error.lineno or 0, "", what, "definition/syntax", "mend the line"))
        except (OSError, ValueError) as error:
            self.problems.append(_problem(self.path, 0, "", f"cannot be read: {error}", "definition/unreadable", ""))
        return None

    def _explained(self, error: BaseException, statement: ast.stmt, names: list[str]) -> list[Problem]:
        name = names[0] if names and not isinstance(statement, ast.Import | ast.ImportFrom) else ""
        if isinstance(error, ValidationError):
            return problems_of(error, self.path, _field_lines(statement, self._line_of(error, statement)), name)
        return [problem_of(error, self.path, self._line_of(error, statement), name)]

    def _line_of(self, error: BaseException, statement: ast.stmt) -> int:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.file)
        ]
        return (lines[-1] if lines else None) or statement.lineno


def _unknown(name: str) -> Any:
    raise Consequence(name)


def _missing(module: str, name: str, failed: set[str]) -> Any:
    if name in failed:
        raise Consequence(name)
    raise AttributeError(f"module `{module}` has no attribute `{name}`")


def _compiled(statement: ast.stmt, filename: str) -> CodeType:
    return compile(ast.Module([statement], type_ignores=[]), filename, "exec", dont_inherit=True)


def _targets(statement: ast.stmt) -> Iterator[str]:
    for name, _ in _targets_with_lines(statement):
        yield name
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield (alias.asname or alias.name).split(".")[0]


def _targets_with_lines(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    """The names a statement binds to values of this file, and where."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, statement.lineno
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name, statement.lineno


def _field_lines(statement: ast.stmt, line: int) -> dict[str, int]:
    """Where each keyword of the failing call stands; the empty key is the call's own line."""
    calls = [
        node
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or line)
    ]
    innermost = max(calls, key=lambda call: call.lineno, default=None)
    lines = {keyword.arg: keyword.value.lineno for keyword in innermost.keywords if keyword.arg} if innermost else {}
    return {"": line, **lines}


def _problem(path: str, line: int, name: str, what: str, check: str, hint: str) -> Problem:
    return Problem(path=path, line=line, name=name, what=what, check=check, hint=hint)
