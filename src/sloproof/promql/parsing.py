"""Reading PromQL that somebody else wrote: selectors of definitions, and our own text parsed back."""

from functools import lru_cache
from typing import Any

import promql_parser

from sloproof.promql.expression import Expression, Matcher, MatchOperator, Selector
from sloproof.promql.frame import framed, parses

_OPERATORS: dict[str, MatchOperator] = {
    str(promql_parser.MatchOp.Equal): "=",
    str(promql_parser.MatchOp.NotEqual): "!=",
    str(promql_parser.MatchOp.Re): "=~",
    str(promql_parser.MatchOp.NotRe): "!~",
}


@lru_cache(maxsize=4096)  # an indicator reads its selectors again for each window
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
    found = selector_of(parsed)
    if not found.metric:
        raise ValueError(f"`{text}` names no metric")
    return found


@lru_cache(maxsize=4096)
def selectors_in(text: str) -> tuple[Selector, ...]:
    """Every named series that an expression reads, without windows and offsets.

    Args:
        text: any PromQL expression.

    Returns:
        Each selector once, in the order written; those that name no metric, or choose between matchers with `or`, are
        left out.

    Raises:
        ValueError: it does not parse.
    """
    found: list[Selector] = []

    def look(node: Any) -> None:
        inner = getattr(node, "vector_selector", node)
        if isinstance(inner, promql_parser.VectorSelector) and not inner.matchers.or_matchers:
            found.append(selector_of(inner))

    promql_parser.walk(_parse(text), look)
    return tuple(dict.fromkeys(selector for selector in found if selector.metric))


def selector_of(parsed: Any) -> Selector:
    """The selector that promql-parser read; its metric is empty where it names none."""
    matchers = [Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in parsed.matchers.matchers]
    named = [m.value for m in matchers if m.label == "__name__" and m.operator == "="]
    metric = parsed.name or (named[0] if named else "")
    return Selector(metric, tuple(m for m in matchers if m.label != "__name__"))


def check_expression(text: str) -> None:
    """Raise ValueError when Prometheus could not read this expression.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse, or its types do not fit; the message says why.
    """
    _parse(text)


def check_rendered(expression: Expression) -> str:
    """The text of an expression that was built from parts, once Prometheus could read it.

    A workspace renders thousands of expressions that differ only in their label matchers. The matchers of each
    selector and the text around them are parsed apart, each once: a selector without its matchers is a selector too.

    Args:
        expression: built with this room's classes.

    Returns:
        Its text.

    Raises:
        ValueError: it does not parse, or its types do not fit; the message says why.
    """
    text = str(expression)
    frame, braces = framed(text)
    if not (parses(frame) and all(parses(f"x{one}") for one in braces)):
        _parse(text)
    return text


def _parse(text: str) -> Any:
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"`{text}` is not PromQL: {error}") from None
