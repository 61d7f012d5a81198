"""How an error is told, and which exit code it ends with."""

import os
import re
import traceback

import typer
from typer import Abort, Exit

from sloproof.cli import console
from sloproof.errors import DefinitionError, PartFailed, SloproofError, UsageError

_OTHER_WORDS = {
    "Input should be a valid integer, unable to parse string as an integer": "a whole number is wanted",
    "Input should be a valid number, unable to parse string as a number": "a number is wanted",
}
"""What the option parser says of a value, and what a reader is told."""
_NO_SUCH = re.compile(r"No such command '([^']+)'")
_HINT = "`--help` after the command lists what it takes"


def explain(error: Exception) -> int:
    """Tell an error to the user.

    Args:
        error: what ended the command.

    Returns:
        The exit code.
    """
    if isinstance(error, Exit):
        return error.exit_code
    if isinstance(error, Abort):
        typer.echo("stopped", err=True)
        return 130
    told = _translated(error)
    if isinstance(told, DefinitionError):
        console.problems(told.problems)
        return told.exit_code
    if isinstance(told, SloproofError):
        console.failure(told.message, told.hint)
        return told.exit_code
    return _unexpected(error)


def _translated(error: Exception) -> Exception:
    """What this machine lacks or forbids is no bug."""
    if os.environ.get("SLOPROOF_DEBUG"):
        return error
    if isinstance(error, ModuleNotFoundError) and (error.name or "sloproof").partition(".")[0] != "sloproof":
        return PartFailed(f"`{error.name}` is not installed", hint='run `pip install "sloproof[all]"`')
    if isinstance(error, OSError) and error.filename:
        return PartFailed(
            f"`{error.filename}` cannot be used: {error.strerror}",
            hint="mend its place or its permissions, then run it again",
        )
    return error


def _unexpected(error: Exception) -> int:
    show = getattr(error, "format_message", None)  # usage errors of the option parser
    if show is not None:
        return _misused(type(error).__name__, str(show()), elsewhere=_elsewhere(error))
    if os.environ.get("SLOPROOF_DEBUG"):
        traceback.print_exception(error)
    else:
        console.failure(
            f"{type(error).__name__}: {error}",
            "this is a bug in sloproof; set SLOPROOF_DEBUG=1 to see where it happened",
        )
    return 6


def _elsewhere(error: Exception) -> str:
    """Where a command is that was looked for in the wrong group; empty when there is none of this name."""
    wanted, place = _NO_SUCH.search(str(error)), getattr(error, "ctx", None)
    if wanted is None or place is None:
        return ""
    groups = place.find_root().command.commands.items()
    found = [f"`sloproof {name} {wanted[1]}`" for name, group in groups if wanted[1] in getattr(group, "commands", ())]
    return f"it is {' or '.join(found)}" if found else ""


def _misused(kind: str, message: str, *, elsewhere: str = "") -> int:
    if kind == "NoArgsIsHelpError":
        console.talk().print(message, markup=False)
    else:
        for own, told in _OTHER_WORDS.items():
            message = message.replace(own, told)
        what, _, guess = message.partition(". ")
        hint = guess.removesuffix(".").replace("'", "`").replace("Did you", "did you", 1)
        console.failure(what.removesuffix(".").replace("'", "`"), elsewhere or hint or _HINT)
    return UsageError.exit_code
