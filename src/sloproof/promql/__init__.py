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
    Subquery,
    call,
    equals,
    quote,
    rate,
    rate_from_birth,
)
from sloproof.promql.parsing import check_expression, check_rendered, parse_selector, selectors_in
from sloproof.promql.reading import Reading, readings
from sloproof.promql.scaled import parse_scaled
from sloproof.promql.substitution import replaced
from sloproof.promql.windowed import Windowed, parse_windowed
from sloproof.promql.written import Written, parse_written

__all__ = [
    "Aggregation",
    "Binary",
    "Call",
    "Expression",
    "Matcher",
    "Number",
    "Range",
    "Reading",
    "Selector",
    "Subquery",
    "Windowed",
    "Written",
    "call",
    "check_expression",
    "check_rendered",
    "equals",
    "parse_scaled",
    "parse_selector",
    "parse_windowed",
    "parse_written",
    "quote",
    "rate",
    "rate_from_birth",
    "readings",
    "replaced",
    "selectors_in",
]
