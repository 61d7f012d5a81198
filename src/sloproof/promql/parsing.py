"""Reading PromQL that somebody else wrote: selectors of definitions, and our own text parsed back."""

import re
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
    plain = _PLAIN_SELECTOR.fullmatch(text)
    if plain is not None and _is_metric(plain["metric"]):
        try:
            return Selector(plain["metric"], matchers_of(plain["braces"]))
        except ValueError:
            pass  # the whole text says more about what is wrong
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
        raise ValueError(f"`{text}` names no metric; write its name before the braces, as `http_requests_total{{...}}`")
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


def tree_of(text: str) -> Any:
    """What promql-parser makes of an expression, for those who walk through it.

    Raises:
        ValueError: it does not parse, or its types do not fit; the message says why.
    """
    return _parse(text)


def check_expression(text: str) -> None:
    """Raise ValueError when Prometheus could not read this expression.

    Args:
        text: any PromQL expression.

    Raises:
        ValueError: it does not parse, or its types do not fit; the message says why.
    """
    _parse(text)


_MATCHER = r'''[a-zA-Z_][a-zA-Z0-9_]* *(?:=~|!~|!=|=) *"[^"\\]*(?:\\.[^"\\]*)*"'''
_MATCHERS = re.compile(_MATCHER, re.DOTALL)
_PLAIN_BRACES = re.compile(rf"\{{{_MATCHER}(?:, *{_MATCHER})*\}}", re.DOTALL)
_PLAIN_SELECTOR = re.compile(rf"(?P<metric>[a-zA-Z_:][a-zA-Z0-9_:]*)(?P<braces>{_PLAIN_BRACES.pattern})", re.DOTALL)


@lru_cache(maxsize=4096)
def matchers_of(braces: str) -> tuple[Matcher, ...]:
    """The label matchers of a selector that names a metric.

    The parser compiles each regular expression, which takes twenty times as long as the rest. Objectives differ in
    their jobs and share patterns such as `5..`, so each matcher is parsed by itself, once.

    Args:
        braces: the matchers with their braces, as `{job="api",code=~"5.."}`.

    Raises:
        ValueError: they do not parse, or name a metric.
    """
    if _PLAIN_BRACES.fullmatch(braces):
        return tuple([_matcher(one) for one in _MATCHERS.findall(braces)])
    return selector_of(_parse(f"x{braces}")).matchers


@lru_cache(maxsize=1024)
def _is_metric(name: str) -> bool:
    """Whether a name is no word of the language, such as `sum` or `on`."""
    try:
        parsed = promql_parser.parse(f'{name}{{x="y"}}')
    except ValueError:
        return False
    return isinstance(parsed, promql_parser.VectorSelector) and parsed.name == name


@lru_cache(maxsize=4096)
def _matcher(text: str) -> Matcher:
    (found,) = selector_of(_parse(f"x{{{text}}}")).matchers
    return found


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
    try:
        if not parses(frame):
            _parse(text)
        for one in braces:
            matchers_of(one)
    except ValueError:
        _parse(text)
    return text


_HINTS = {
    "end of input inside braces": "close the labels with `}`",
    "unterminated quoted string": "close the value of the label with another quote",
    "no expression found": "name a metric, as `http_requests_total`",
}
"""What to do about what the parser says."""


def _parse(text: str) -> Any:
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        hint = next((f"; {hint}" for said, hint in _HINTS.items() if said in str(error)), "")
        raise ValueError(f"`{text}` is not PromQL: {error}{hint}") from None
