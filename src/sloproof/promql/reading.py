"""Which series an expression reads: for rules that are taken out of a file together with what they need."""

from functools import lru_cache
from typing import Any

import promql_parser

from sloproof.promql.expression import Matcher, MatchOperator, Selector
from sloproof.promql.parsing import check_expression

_OPERATORS: dict[str, MatchOperator] = {
    str(promql_parser.MatchOp.Equal): "=",
    str(promql_parser.MatchOp.NotEqual): "!=",
    str(promql_parser.MatchOp.Re): "=~",
    str(promql_parser.MatchOp.NotRe): "!~",
}


@lru_cache(maxsize=4096)
def selectors_read(text: str) -> tuple[Selector, ...]:
    """Every selector of an expression, without windows and offsets.

    Args:
        text: any PromQL expression.

    Returns:
        The selectors in the order they stand; those that name no metric, or choose between matchers with `or`,
        are left out.

    Raises:
        ValueError: the text is not PromQL.
    """
    check_expression(text)
    found: list[Selector] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.extend(_selector(node))
        return True

    promql_parser.walk(promql_parser.parse(text), visit)
    return tuple(found)


def _selector(node: Any) -> list[Selector]:
    matchers = [Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers]
    named = [m.value for m in matchers if m.label == "__name__" and m.operator == "="]
    metric = node.name or (named[0] if named else "")
    if not metric or node.matchers.or_matchers:
        return []
    return [Selector(metric, tuple(m for m in matchers if m.label != "__name__"))]
