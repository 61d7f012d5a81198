"""What the generator process found wrong before it sent anything, told to the process that started it."""

import traceback
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from sloproof.errors import DefinitionError, Problem, Refused, SloproofError, UsageError


class ChildProblem(BaseModel):
    """An error on its way from one process to another.

    Args:
        kind: which error it becomes.
        message: what happened.
        hint: what to do about it.
        check: id of the check, for a definition.
        path: the file, for a definition.
        line: the line in it, 0 when unknown.
    """

    kind: Literal["usage", "refused", "definition"]
    message: str
    hint: str
    check: str = ""
    path: str = ""
    line: int = 0

    def error(self) -> SloproofError:
        """The error that the user is told."""
        if self.kind == "definition":
            problem = Problem(
                path=self.path, line=self.line, name="", what=self.message, check=self.check, hint=self.hint
            )
            return DefinitionError([problem])
        return (Refused if self.kind == "refused" else UsageError)(self.message, hint=self.hint)


def of_error(error: SloproofError) -> ChildProblem:
    """An error of ours, on its way."""
    kind: Literal["refused", "usage"] = "refused" if isinstance(error, Refused) else "usage"
    return ChildProblem(kind=kind, message=error.message, hint=error.hint)


def of_locustfile(error: Exception, locustfile: str) -> ChildProblem:
    """Why a locustfile does not load.

    Args:
        error: what importing it raised.
        locustfile: its path.

    Returns:
        The problem, with the last line of the locustfile that was reached.
    """
    if isinstance(error, SyntaxError) and error.filename == locustfile:
        line, check = error.lineno or 0, "definition/syntax"
    else:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == locustfile]
        line = (lines[-1] or 0) if lines else 0
        check = "definition/import" if isinstance(error, ImportError) else "definition/raised"
    shown = _shown(locustfile)
    return ChildProblem(
        kind="definition",
        message=f"the locustfile does not load: {type(error).__name__}: {error}",
        hint=f"run it alone: `locust --headless -f {shown}`",
        check=check,
        path=shown,
        line=line,
    )


def _shown(locustfile: str) -> str:
    path = Path(locustfile)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else locustfile
