"""Parts of an expression, replaced by others."""

from dataclasses import is_dataclass, replace
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
    """The part with what was asked for; the same object where nothing in it changes."""
    if type(part) is type(old) and part == old:
        return new
    if isinstance(part, tuple):
        found = tuple(_replaced(one, old, new) for one in part)
        return part if all(one is other for one, other in zip(found, part, strict=True)) else found
    if not isinstance(part, Expression) or not is_dataclass(part):
        return part
    inside = {name: value for name in part.__dataclass_fields__ if _may_hold(value := getattr(part, name))}
    changes = {name: one for name, value in inside.items() if (one := _replaced(value, old, new)) is not value}
    return replace(part, **changes) if changes else part


def _may_hold(value: Any) -> bool:
    return isinstance(value, Expression | tuple)
