"""Pydantic's errors as problems that a reader can act on."""

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from pydantic import StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from sloproof.definition import Definition, Name
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
        Problems in pydantic's order, each once.
    """
    details = error.errors(include_url=False)
    told = (_problem(detail, error.title, path, lines, name) for detail in details if not _follows(detail, details))
    return list(dict.fromkeys(told))


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether something is too short only because parts of it were refused, of which there is word already."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(one["loc"]) > len(place) and one["loc"][: len(place)] == place for one in details
    )


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
    found = _of_parts(detail, field, title) or _of_kind(detail, field, title)
    return found.replace("``", "empty text", 1) if detail["input"] == "" else found


def _of_parts(detail: ErrorDetails, field: str, title: str) -> str:
    """What is wrong with how an indicator's parts are put together; empty where it is something else."""
    if field != "parts" or title not in _PARTS:
        return ""
    if detail["type"] == "union_tag_invalid":
        return (
            f"`{type(detail['input']).__name__}` cannot be a part of another indicator; "
            f"every part of `{title}` is an indicator without parts of its own"
        )
    return _PARTS[title] if detail["type"] in _WRONG_SHAPES and len(detail["loc"]) > 1 else ""


_PARTS = {
    "Composite": "each part is a pair of an indicator and its weight; write `parts=((ErrorRatio(...), 1), ...)`",
    "AllOf": "each part is an indicator, without a weight; write `parts=(ErrorRatio(...), LatencyBelow(...))`",
}
_WRONG_SHAPES = frozenset({"tuple_type", "too_long", "missing", "model_attributes_type", "decimal_type"})


def _of_kind(detail: ErrorDetails, field: str, title: str) -> str:
    kind, shown = detail["type"], f"`{_shown(detail['input'])}`"
    if kind in _SENTENCES:
        example, instead = _EXAMPLES.get(field, "0.1"), _INSTEAD.get(field, "")
        context = {"shown": shown, "field": field, "title": title, "example": example, "instead": instead}
        given = detail.get("ctx", {})
        count = f"holds {given['actual_length']}" if given.get("actual_length") else "is empty"
        return _SENTENCES[kind].format(**context, count=count, **given)
    if kind == "string_pattern_mismatch" and detail["ctx"]["pattern"] != _NAME:
        return f"{shown} does not match `{detail['ctx']['pattern']}`"
    if kind == "string_pattern_mismatch":
        return f"{shown} is not a name; use small letters, digits and single dashes, such as `slow-backend`"
    if kind == "tuple_type":
        written = f'"{detail["input"]}"' if isinstance(detail["input"], str) else _shown(detail["input"])
        assigned = f"{field}=" if len(detail["loc"]) == 1 else ""
        return f"`{written}` stands alone where a tuple must; write `{assigned}({written},)`, with the comma"
    message = detail["msg"].removeprefix("Value error, ")
    return message if kind == "value_error" else f"{shown}: {message[:1].lower()}{message[1:]}"


_NOT_A_NUMBER = '{shown} is not a number; write it in digits, as text, such as `"{example}"`'
_EXAMPLES = {"objective": "99.9", "slice_objective": "99.9"}
_INSTEAD = {"requires": "; wrap it, such as `Load(steady)` or `Survives(lose_one_instance)`"}
_SENTENCES = {
    "missing": "`{field}` is missing; every `{title}` needs it",
    "extra_forbidden": "`{field}` is no field of `{title}`; take it out, or mend its spelling",
    "too_short": "{count}; give at least {min_length}",
    "string_too_short": "must not be empty",
    "decimal_parsing": _NOT_A_NUMBER,
    "decimal_type": _NOT_A_NUMBER,
    "model_type": "{shown} is no `{class_name}`; give the definition itself",
    "union_tag_not_found": "{shown} cannot stand in `{field}`{instead}",
    "model_attributes_type": "{shown} is no definition; give one, such as `ErrorRatio(...)` for an indicator",
}


def _shown(value: object) -> str:
    """A value as its author wrote it, without what stands inside of definitions."""
    if isinstance(value, Definition):
        return f"{type(value).__name__}(...)"
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))}{',' if len(value) == 1 else ''})"
    return str(value)
