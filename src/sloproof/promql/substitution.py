"""Parts of an expression, replaced by others."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from sloproof.promql.expression import Expression


def replaced(expression: Expression, old: Expression, new: Expression) -> Expression:
    """The expression with every part that equals `old` replaced by `new`.

    Args:
        expression: built with this room's classes.
        old: compared as a value, not as text.
        new: must yield series with the labels of `old`.

    Returns:
        The same expression where `old` is no part of it.
    """
    found: Expression = _replaced(expression, old, new)
    return found


def _replaced(part: Any, old: Expression, new: Expression) -> Any:
    if part == old:
        return new
    if isinstance(part, tuple):
        return tuple(_replaced(one, old, new) for one in part)
    if not isinstance(part, Expression) or not is_dataclass(part):
        return part
    changes = {field.name: _replaced(getattr(part, field.name), old, new) for field in fields(part)}
    return replace(part, **changes)
