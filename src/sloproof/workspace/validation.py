"""Pydantic's errors as problems that a reader can act on."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sloproof.errors import Problem


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
    # Unions put the branch's tag and our own constructors put `_selector` into the place; authors write neither.
    place = [str(part) for part in detail["loc"] if part not in ("error-ratio", "latency-below")]
    field = place[0].removesuffix("_selector") if place else ""
    what, _, hint = _sentence(detail, field, title).partition("; ")
    return Problem(
        path=path,
        line=lines.get(field, lines.get("", 0)),
        name=name,
        what=f"`{field}`: {what}" if field and f"`{field}`" not in what else what,
        check=_CHECKS.get(detail["type"], "definition/invalid"),
        hint=hint,
    )


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
    if detail["type"] == "string_pattern_mismatch":
        return f"`{detail['input']}` is not a name; use small letters, digits and single dashes, such as `slow-backend`"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return message
    return f"`{detail['input']}`: {message[:1].lower()}{message[1:]}"
