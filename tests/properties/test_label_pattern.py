"""Patterns of label matchers: an example is found, and is one; `tests/integration` asks Prometheus too."""

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloproof.alerts.label_pattern import example, matches
from sloproof.alerts.sample_labels import concrete, selects
from sloproof.promql import Matcher, Selector, parse_selector

ODD = (
    *("[[:digit:]]+", r"\pN", r"\p{Lu}x", r"\PL", r"\p{^N}b", "[[:^alpha:][:digit:]]", "[]a]", "[^]a]", r"[\d\-x]"),
    *(
        "[a-]",
        "[-a]",
        "[a||b]",
        "[a&&b]",
        "[+--b]",
        "[a~~b]",
        "[[a]",
        r"\Qa.b\E+",
        r"\Q[\E",
        "a{,3}",
        "a{2}",
        "(?i)straße",
    ),
    *(
        "(?i:[a-f])x",
        "(?s).",
        "(?P<x>a|b){2,3}",
        "(a|)b",
        "|",
        "",
        ".*",
        "(?U)a+?",
        r"\x{1F600}",
        r"\x41",
        r"\101",
        r"\b0\b",
    ),
    *(
        "^a$",
        "(?m)^a$",
        "5..",
        "GET|POST",
        "[^a-z]",
        r"\.",
        "/api/v[0-9]+/.*",
        r"[\w.]+@[\w]+",
        "!~",
        "(?i)É",
        "x*?y+?",
    ),
)
PIECES = st.sampled_from(
    [
        *"abz05_-./:é",
        ".",
        r"\d",
        r"\w",
        r"\S",
        r"\W",
        r"\.",
        r"\pL",
        "[a-c]",
        "[^a]",
        "[[:upper:]0]",
        r"[\s-]",
        "(?i:q)",
    ]
)
PATTERNS = st.recursive(
    PIECES,
    lambda inside: st.one_of(
        st.builds("".join, st.lists(inside, min_size=1, max_size=4)),
        st.builds("({}|{})".format, inside, inside),
        st.builds("(?:{}){}".format, inside, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "+?"])),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(PATTERNS | st.sampled_from(ODD))
def test_an_example_is_found_without_a_warning(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert matches(pattern, example(pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        r"\p{Greek}",
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        r"(a)\1",
        "(",
        "[a",
        "a)",
        "*a",
        "a{1001}",
        "a{3,2}",
        "\\",
        r"\y",
        r"\Qa",
    ],
)
def test_what_cannot_be_read_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(ValueError, match="is beyond what can be read here"):
        example(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(pattern: str) -> None:
    try:
        found = example(pattern)
    except ValueError:
        return
    assert matches(pattern, found)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, st.sampled_from(["=~", "!~"]))
def test_a_concrete_series_is_one_that_its_selector_reads(pattern: str, operator: str) -> None:
    selector = Selector("x", (Matcher("l", operator, pattern), Matcher("m", "!=", "")))  # type: ignore[arg-type]
    try:
        series = concrete(selector)
    except ValueError:
        assert operator == "!~"  # nothing was found that such a pattern leaves out
        return
    assert selects(selector, series)
    assert parse_selector(str(series)) == series
