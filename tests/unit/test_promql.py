from datetime import timedelta
from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.promql import Matcher, Number, Selector, check_expression, equals, parse_selector, rate

MINUTES = timedelta(minutes=5)


def test_a_selector_reads_back_as_written() -> None:
    text = 'http_requests_total{job="api",code=~"5.."}'
    assert str(parse_selector(text)) == text


@given(st.text(min_size=1))
def test_any_label_value_stays_one_value(value: str) -> None:
    text = str(Selector("up", (equals("job", value),)))
    parsed: Any = promql_parser.parse(text)
    assert [(m.name, m.value) for m in parsed.matchers.matchers] == [("job", value)]


def test_a_metric_with_dots_is_matched_by_its_name_label() -> None:
    assert str(Selector("http.server.duration", (equals("job", "a"),))) == '{__name__="http.server.duration",job="a"}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http_requests_total{job=", "is not PromQL"),
        ("rate(http_requests_total[5m])", "more than a selector"),
        ("http_requests_total[5m]", "more than a selector"),
        ("http_requests_total offset 5m", "offset"),
        ('{job="api"}', "names no metric"),
        ("", "is not PromQL"),
    ],
)
def test_what_is_no_selector_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_selector(text)


def test_binary_operands_keep_their_order_by_brackets() -> None:
    total = rate(Selector("a"), MINUTES).sum()
    expression = total.otherwise(Number(0) * total) / total.above(0)
    assert str(expression) == "(sum(rate(a[5m])) or (0 * sum(rate(a[5m])))) / (sum(rate(a[5m])) > 0)"
    check_expression(str(expression))


def test_matching_replaces_an_equality_on_the_same_label() -> None:
    selector = Selector("a", (equals("le", "1"), equals("job", "x"))).matching(equals("le", "2"))
    assert str(selector) == 'a{job="x",le="2"}'


def test_a_label_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a label name"):
        Matcher("a-b", "=", "c")
