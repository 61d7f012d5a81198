"""How an expression reads its series: over which window, and by which function."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser

from sloproof.promql.expression import Selector
from sloproof.promql.parsing import selector_of, tree_of

_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_BREAK = re.compile(r"\s*\n\s*")
_BREAK_IN_BRACKETS = re.compile(r"(?<=\()\s*\n\s*|\s*\n\s*(?=\))")
_PICKING = ("topk", "bottomk", "count_values", "limitk", "limit_ratio")
"""Aggregations whose series are not told apart by their modifier."""


@dataclass(frozen=True)
class Reading:
    """One place at which an expression reads series.

    Args:
        selector: which.
        window: of the samples; None for the last one.
        function: that the window is given to, such as `rate`; empty without a window.
    """

    selector: Selector
    window: timedelta | None = None
    function: str = ""


def readings(text: str) -> list[Reading]:
    """Every place at which an expression reads series, in the order written.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse.
    """
    found: list[Reading] = []
    function, inside = "", False

    def look(node: Any) -> None:  # the walk goes from the outside in, so a window's call was the last one
        nonlocal function, inside
        if isinstance(node, promql_parser.Call):
            function = node.func.name
        elif isinstance(node, promql_parser.MatrixSelector):
            inside = True
            found.append(Reading(selector_of(node.vector_selector), node.range, function))
        elif isinstance(node, promql_parser.VectorSelector):
            if not inside:
                found.append(Reading(selector_of(node)))
            inside = False

    promql_parser.walk(tree_of(text), look)
    return found


def reach(text: str) -> timedelta:
    """How far back an expression looks for samples, its subqueries included; offsets are not counted.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse.
    """
    return _reach(tree_of(text))


def _reach(node: Any) -> timedelta:
    own = node.range if isinstance(node, promql_parser.MatrixSelector | promql_parser.SubqueryExpr) else None
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr")] + list(getattr(node, "args", None) or ())
    inside = max((_reach(one) for one in below if one is not None), default=timedelta())
    return inside + (own or timedelta())


def unfiltered(text: str) -> str:
    """What an expression measures before its outermost filters (`and`, `unless`, comparisons) drop any of it.

    Args:
        text: any PromQL expression.

    Returns:
        The expression that is filtered; itself, as written, where nothing filters it.

    Raises:
        ValueError: it does not parse.
    """
    found = node = _bare(tree_of(text))
    while (inner := _filtered_by(found)) is not None:
        found = _bare(inner)
    return text if found is node else _in_a_line(found)


def grouped_by(text: str) -> tuple[str, ...] | None:
    """The labels that tell an expression's series apart, where its aggregations say so; empty for a single series.

    Args:
        text: any PromQL expression.

    Returns:
        None where only the data say it.

    Raises:
        ValueError: it does not parse.
    """
    return _grouped_by(tree_of(unfiltered(text)))


def _grouped_by(node: Any) -> tuple[str, ...] | None:
    node = _bare(node)
    if isinstance(node, promql_parser.AggregateExpr):
        return _modified(node)
    if isinstance(node, promql_parser.Call):
        return _of_call(node)
    if isinstance(node, promql_parser.SubqueryExpr):
        return _grouped_by(node.expr)
    if isinstance(node, promql_parser.BinaryExpr):
        sides = [_grouped_by(side) for side in (node.lhs, node.rhs) if not _is_scalar(side)]
        return sides[0] if sides and all(side == sides[0] for side in sides) else None
    return None


def _modified(node: Any) -> tuple[str, ...] | None:
    if str(node.op) in _PICKING:
        return None
    if node.modifier is None:
        return ()
    by = node.modifier.type == promql_parser.AggModifierType.By
    return tuple(node.modifier.labels) if by else None


def _of_call(node: Any) -> tuple[str, ...] | None:
    inner = [arg for arg in node.args if not _is_scalar(arg)]
    found = _grouped_by(inner[0]) if len(inner) == 1 else None
    if node.func.name == "histogram_quantile" and found is not None:
        return tuple(label for label in found if label != "le")
    return found


def _is_scalar(node: Any) -> bool:
    node = _bare(node)
    if isinstance(node, promql_parser.Call):
        return node.func.name in ("time", "scalar", "vector", "pi")
    return isinstance(node, promql_parser.NumberLiteral)


def _filtered_by(node: Any) -> Any | None:
    """The operand of which a filter keeps a part; None for what is no filter."""
    if not isinstance(node, promql_parser.BinaryExpr):
        return None
    if str(node.op) in ("and", "unless"):
        return node.lhs
    compares = str(node.op) in _COMPARISONS and not (node.modifier is not None and node.modifier.return_bool)
    return (node.rhs if _is_scalar(node.lhs) else node.lhs) if compares else None


def _bare(node: Any) -> Any:
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def _in_a_line(node: Any) -> str:
    """A tree as text; where its printer breaks lines there is never a string, for these are written with escapes."""
    return _BREAK.sub(" ", _BREAK_IN_BRACKETS.sub("", str(node.prettify()))).strip()


def summed_up(text: str) -> str | None:
    """What an expression adds up into a single series, above the line where it is a share; None where it is no sum.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse.
    """
    node = _bare(tree_of(text))
    if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "/":
        node = _bare(node.lhs)
    alone = isinstance(node, promql_parser.AggregateExpr) and str(node.op) == "sum" and node.modifier is None
    return _in_a_line(node.expr) if alone else None
