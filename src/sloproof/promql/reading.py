"""How an expression reads its series: over which window, and by which function."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser

from sloproof.promql.expression import Selector
from sloproof.promql.parsing import selector_of, tree_of


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


def summed_up(text: str) -> str | None:
    """What an expression adds up into a single series; None where it is no such sum.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse.
    """
    node = tree_of(text)
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    alone = isinstance(node, promql_parser.AggregateExpr) and str(node.op) == "sum" and node.modifier is None
    return str(node.expr.prettify()) if alone else None
