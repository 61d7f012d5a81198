"""What a statement of a definition file raised, in words that its author can act on."""

import re
from difflib import get_close_matches

import sloproof
from sloproof.errors import Problem

_NO_SUCH_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_MISSING = re.compile(r"(\w+)\.__init__\(\) missing \d+ required .*arguments?: (.+)")
_POSITIONAL = re.compile(r"__init__\(\) takes \d+ positional arguments? but \d+ were given")


def problem_of(error: BaseException, path: str, line: int, name: str) -> Problem:
    """The problem behind an exception.

    Args:
        error: what the statement raised.
        path: the file, relative to the workspace.
        line: where it was raised.
        name: what the statement would have defined; empty when nothing.
    """
    what, check, hint = _told(error)
    return Problem(path=path, line=line, name=name, what=what, check=check, hint=hint)


def _told(error: BaseException) -> tuple[str, str, str]:
    if isinstance(error, ImportError):
        return _import_sentence(error), "definition/import", _import_hint(error)
    if type(error) is NameError and error.name:
        return f"`{error.name}` is not defined", "definition/unknown-name", _name_hint(error.name)
    if isinstance(error, SystemExit):
        return "the file ends the program", "definition/raised", "a definition file only defines; take the exit out"
    if isinstance(error, TypeError) and (found := _MISSING.search(str(error))):
        missing = found[2].replace("'", "`")
        return f"{missing} is missing", "definition/missing-field", f"every `{found[1]}` needs it"
    if isinstance(error, TypeError) and _POSITIONAL.search(str(error)):
        return "its fields are given by name only", "definition/positional", "write each as `field=value`"
    return f"{type(error).__name__}: {error}", "definition/raised", "the line raised this while it was loaded"


def _name_hint(name: str) -> str:
    near = _nearest(name)
    if near == name:
        return f"import it: `from sloproof import {name}`"
    if near:
        return f"did you mean `{near}`, from `sloproof`"
    return "define it or import it, or mend its spelling"


def _import_hint(error: ImportError) -> str:
    found = _NO_SUCH_NAME.search(str(error))
    near = _nearest(found[1]) if found and found[2] == sloproof.__name__ else ""
    return f"did you mean `{near}`" if near else "mend the name, or install what is missing"


def _nearest(name: str) -> str:
    """The public name that is spelt most alike; empty where none is."""
    return next(iter(get_close_matches(name, sloproof.__all__, n=1)), "")


def _import_sentence(error: ImportError) -> str:
    found = _NO_SUCH_NAME.search(str(error))
    if found:
        return f"`{found[2]}` has no `{found[1]}`"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"there is no module `{error.name}`"
    return f"{type(error).__name__}: {error}"
