"""Pydantic's errors as problems that a reader can act on."""

import re
from collections.abc import Mapping
from typing import get_args

from pydantic import StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from sloproof.definition import Name
from sloproof.errors import Problem
from sloproof.slo import indicator_kinds


def problems_of(error: ValidationError, path: str, lines: Mapping[str, int], name: str) -> list[Problem]:
    """One problem for each thing that a model refuses.

    Args:
        error: what pydantic raised.
        path: the file, relative to the workspace.
        lines: the line of each field; the empty key is the definition's own.
        name: the definition's name.

    Returns:
        Problems in pydantic's order.
    """
    return [_problem(detail, error.title, path, lines, name) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, title: str, path: str, lines: Mapping[str, int], name: str) -> Problem:
    # Unions put the branch's tag and our own constructors put a suffix into the place; authors write neither.
    place = [str(part) for part in detail["loc"] if part not in indicator_kinds()]
    field = place[0].removesuffix("_selector").removesuffix("_promql") if place else ""
    what, hint = parted(_sentence(detail, field, title))
    return Problem(
        path=path,
        line=lines.get(field, lines.get("", 0)),
        name=name,
        what=f"`{field}`: {what}" if field and f"`{field}`" not in what else what,
        check=_CHECKS.get(detail["type"], "definition/invalid"),
        hint=hint,
    )


def parted(sentence: str) -> tuple[str, str]:
    """What is wrong, and what to do about it: the first `; ` outside of a quoted literal stands between them."""
    for found in re.finditer("; ", sentence):
        if sentence.count("`", 0, found.start()) % 2 == 0:
            return sentence[: found.start()], sentence[found.end() :]
    return sentence, ""


_NAME = next(part.pattern for part in get_args(Name) if isinstance(part, StringConstraints))
_CHECKS = {
    "missing": "definition/missing-field",
    "extra_forbidden": "definition/unknown-field",
    "frozen_instance": "definition/frozen",
}


def _sentence(detail: ErrorDetails, field: str, title: str) -> str:
    if detail["type"] == "missing":
        return f"`{field}` is missing; every `{title}` needs it"
    if detail["type"] == "extra_forbidden":
        return f"`{field}` is no field of `{title}`; take it out, or mend its spelling"
    if detail["type"] == "string_pattern_mismatch" and detail.get("ctx", {}).get("pattern") != _NAME:
        return f"`{detail['input']}` does not match `{detail['ctx']['pattern']}`"
    if detail["type"] == "string_pattern_mismatch":
        return f"`{detail['input']}` is not a name; use small letters, digits and single dashes, such as `slow-backend`"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return message
    return f"`{detail['input']}`: {message[:1].lower()}{message[1:]}"
