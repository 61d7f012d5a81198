"""Reading PromQL that somebody else wrote: selectors of definitions, and our own text parsed back."""

from typing import Any

import promql_parser

from sloproof.promql.expression import Matcher, MatchOperator, Selector

_OPERATORS: dict[str, MatchOperator] = {
    str(promql_parser.MatchOp.Equal): "=",
    str(promql_parser.MatchOp.NotEqual): "!=",
    str(promql_parser.MatchOp.Re): "=~",
    str(promql_parser.MatchOp.NotRe): "!~",
}


def parse_selector(text: str) -> Selector:
    """Read a plain selector such as `http_requests_total{job="api",code=~"5.."}`.

    Args:
        text: PromQL that is one instant selector, without a function, window, offset or `@`.

    Returns:
        The selector, with its matchers in the order written.

    Raises:
        ValueError: the text does not parse, or is more than a selector.
    """
    parsed = _parse(text)
    if not isinstance(parsed, promql_parser.VectorSelector):
        raise ValueError(
            f"`{text}` is more than a selector; give only the metric and its labels: the rate and the window are added"
        )
    if parsed.offset is not None or parsed.at is not None or parsed.matchers.or_matchers:
        raise ValueError(
            f"`{text}` has an offset, an `@` or an `or` between matchers; give only the metric and its labels"
        )
    matchers = [Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in parsed.matchers.matchers]
    named = [m.value for m in matchers if m.label == "__name__" and m.operator == "="]
    metric = parsed.name or (named[0] if named else "")
    if not metric:
        raise ValueError(f"`{text}` names no metric")
    return Selector(metric, tuple(m for m in matchers if m.label != "__name__"))


def check_expression(text: str) -> None:
    """Raise ValueError when Prometheus could not read this expression.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse, or its types do not fit; the message says why.
    """
    _parse(text)


def _parse(text: str) -> Any:
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"`{text}` is not PromQL: {error}") from None
