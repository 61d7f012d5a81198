"""Typed PromQL: the only place that writes or reads an expression."""

from sloproof.promql.expression import (
    Aggregation,
    Binary,
    Call,
    Expression,
    Matcher,
    Number,
    Range,
    Selector,
    call,
    equals,
    quote,
    rate,
)
from sloproof.promql.parsing import check_expression, parse_selector

__all__ = [
    "Aggregation",
    "Binary",
    "Call",
    "Expression",
    "Matcher",
    "Number",
    "Range",
    "Selector",
    "call",
    "check_expression",
    "equals",
    "parse_selector",
    "quote",
    "rate",
]
