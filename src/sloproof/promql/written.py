"""An expression in its author's own words, read once so that it can be trusted inside a larger one."""

from dataclasses import dataclass
from typing import Any

import promql_parser

from sloproof.promql.expression import Expression
from sloproof.promql.parsing import check_expression

_COMPARISONS = {"==", "!=", ">", ">=", "<", "<="}


@dataclass(frozen=True)
class Written(Expression):
    """PromQL that was parsed and yields series with one value each.

    Args:
        text: the expression, brackets around it where an operator stands on top.
    """

    text: str

    def __str__(self) -> str:
        return self.text


def parse_written(text: str) -> Written:
    """Read an expression that an operator or an aggregation may be put around.

    Args:
        text: any PromQL that yields an instant vector, not a comparison that filters.

    Returns:
        The same expression; one line with its author's spelling, or several as Prometheus formats them.

    Raises:
        ValueError: it does not parse, yields a scalar, a string or a range, or compares already.
    """
    check_expression(text)
    parsed = promql_parser.parse(text)
    if is_filter(parsed):
        raise ValueError(f"`{text}` compares already; give only what is measured, and the threshold on its own")
    try:
        promql_parser.parse(f"sum(\n{text}\n)")  # aggregations take only instant vectors
    except ValueError:
        raise ValueError(f"`{text}` yields no series with one value each; it is a number, a text or a range") from None
    # A comment or a line break would swallow or split what is put around the expression.
    plain = text.strip() if not {"\n", "\r", "#"} & set(text) else str(parsed.prettify())
    return Written(f"({plain})" if isinstance(parsed, promql_parser.BinaryExpr) else plain)


def is_filter(parsed: Any) -> bool:
    """Whether a parsed expression is a comparison that drops series, bracketed or not."""
    while isinstance(parsed, promql_parser.ParenExpr):
        parsed = parsed.expr
    if not isinstance(parsed, promql_parser.BinaryExpr) or str(parsed.op) not in _COMPARISONS:
        return False
    return parsed.modifier is None or not parsed.modifier.return_bool
