from datetime import timedelta
from typing import Any

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.promql import (
    Matcher,
    Number,
    Selector,
    check_expression,
    equals,
    parse_scaled,
    parse_selector,
    parse_written,
    rate,
    selectors_in,
)

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


LENGTHS = st.sampled_from(["5m", "1h30m", "90s", "1d", "2w", "1y", "500ms", "1h"])
SCALABLE = st.recursive(
    st.builds("rate(x{{a=\"[5m] offset 1h\",b=~'[1h:5m]'}}[{}])".format, LENGTHS)
    | st.builds("rate(offset[{}] offset -{})".format, LENGTHS, LENGTHS)
    | st.builds("m5m offset {}".format, LENGTHS)
    | st.just("up"),
    lambda inside: (
        st.builds("sum by (a5m) ({} # [5m]\n)".format, inside)
        | st.builds("({}) / ({})".format, inside, inside)
        | st.builds("max_over_time(({})[{}:{}])".format, inside, LENGTHS, LENGTHS)
        | st.builds("max_over_time(({})[ {} : ] offset {})".format, inside, LENGTHS, LENGTHS)
    ),
    max_leaves=5,
)


def ranges(text: str) -> list[timedelta]:
    found: list[timedelta] = []

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.range)

    promql_parser.walk(promql_parser.parse(text), look)
    return found


@given(SCALABLE)
def test_every_length_of_an_expression_is_divided_and_nothing_else(text: str) -> None:
    """`parse_scaled` compares the trees itself; what must be seen here is that it never has to refuse."""
    plain, scaled = str(parse_written(text)), str(parse_scaled(text, 60, timedelta(seconds=1)))
    assert str(parse_scaled(text, 1, timedelta(seconds=1))) == plain
    assert [str(selector) for selector in selectors_in(scaled)] == [str(selector) for selector in selectors_in(plain)]
    second = timedelta(seconds=1)
    assert ranges(scaled) == [max(one / 60, min(one, second)) for one in ranges(plain)]


def test_a_window_is_divided_down_to_the_fewest_scrapes_and_never_made_longer() -> None:
    assert str(parse_scaled("rate(x[1m])", 120, timedelta(seconds=2))) == "rate(x[2s])"
    assert str(parse_scaled("rate(x[1s])", 120, timedelta(seconds=2))) == "rate(x[1s])"
    assert str(parse_scaled("rate(x[10m])", 120, timedelta(seconds=2))) == "rate(x[5s])"
