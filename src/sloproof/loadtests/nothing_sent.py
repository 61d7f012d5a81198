"""Why a generator sent nothing, from its own log: mostly it is the locustfile, which is then named with its line."""

import re
from pathlib import PurePath
from typing import NamedTuple

from sloproof.errors import DefinitionError, PartFailed, Problem, SloproofError
from sloproof.loadtests.outcome import NOT_SENT
from sloproof.loadtests.result import LoadResult

_FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+)')
_BEGINNING = "Traceback (most recent call last):"
_INTERRUPTED = "KeyboardInterrupt"


class Raised(NamedTuple):
    """An exception that a log tells of.

    Args:
        error: its type and message.
        line: the last line of the locustfile that was reached, 0 when none was.
    """

    error: str
    line: int


def last_raised(log: str, locustfile: str) -> Raised | None:
    """The last exception of a log that a traceback leads to; None without one.

    Args:
        log: of the generator.
        locustfile: its path, or the end of it.
    """
    found, line, inside, name = None, 0, False, PurePath(locustfile).name
    for text in log.splitlines():
        if text.startswith(_BEGINNING):
            line, inside = 0, True
        elif inside and (frame := _FRAME.match(text)):
            line = int(frame["line"]) if PurePath(frame["file"]).name == name else line
        elif inside and text and not text.startswith(" "):
            found, inside = Raised(text, line), False
    return found


def did_not_begin(locustfile: str, log: str, patience: float, reason: str) -> SloproofError:
    """What ends a run whose generator never came to its first second.

    Args:
        locustfile: as the user knows it.
        log: of the generator.
        patience: seconds that it was given.
        reason: how the generator ended, in words.

    Returns:
        An error of the definition where the log names a line or an exception of the locustfile.
    """
    raised = last_raised(log, locustfile)
    if raised is not None and (raised.line or raised.error != _INTERRUPTED):
        why = "it spins or waits here" if raised.error == _INTERRUPTED else raised.error
        return _at(locustfile, raised.line, f"the locustfile did not begin within {patience:g} s: {why}")
    return PartFailed(
        f"`{locustfile}` did not begin within {patience:g} s, and {reason}",
        hint="see whether it spins or waits while it is imported, or when its users start",
    )


def raised_at_once(result: LoadResult, locustfile: str, log: str) -> SloproofError | None:
    """What ends a run whose users raised before they sent anything; None where something was sent, or nothing raised.

    Args:
        result: of the run.
        locustfile: as the user knows it.
        log: of the generator.
    """
    sent = result.completed or any(request.name != NOT_SENT for request in result.censored)
    nothing = not sent and result.started <= len(result.censored)
    if not nothing or not result.exceptions:
        return None
    error = next(iter(result.exceptions))
    raised = last_raised(log, locustfile)
    return _at(locustfile, raised.line if raised else 0, f"the users raised before they sent anything: {error}")


def _at(locustfile: str, line: int, what: str) -> DefinitionError:
    hint = f"run it alone: `locust --headless -f {locustfile}`"
    return DefinitionError(
        [Problem(path=locustfile, line=line, name="", what=what, check="definition/raised", hint=hint)]
    )
