"""Our YAML is PyYAML's and our JSON is Python's, byte for byte; what is parsed apart says what the whole says."""

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sloproof.alerts.yaml_text import to_yaml
from sloproof.dashboards import to_json
from sloproof.promql import Matcher, Selector, call, equals, parse_selector
from sloproof.promql.parsing import check_rendered

ODD = ("yes", "Null", "30s", "1", "1.0", "a: b", "a #b", "a:", "a ", "- a", "2001-01-01", "=", "<<", "~", "", "1:30")
TEXTS = (
    st.text() | st.text(alphabet=st.sampled_from("aZ0 :#-,[]{}\"'\n/(~%@`!&*|>?=_"), max_size=12) | st.sampled_from(ODD)
)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXTS, inside, max_size=4),
    max_leaves=12,
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)  # JSON knows no other


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_the_bytes_are_those_of_pyyaml(document: dict[str, Any]) -> None:
    expected = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10**6)
    assert to_yaml(document) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_label_value_is_checked_and_kept(value: str) -> None:
    selector = Selector("up", (Matcher("job", "=", value),))
    assert check_rendered(call("abs", selector)) == f"abs({selector})"


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(TEXTS, VALUES | FINITE, max_size=5))
def test_a_dashboards_bytes_are_those_of_pythons_encoder(document: dict[str, Any]) -> None:
    assert to_json(document) == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.sampled_from(["5..", "a|b", '\\d{2}"', "{}"]))
def test_a_selector_is_read_as_it_is_written(value: str, pattern: str) -> None:
    written = Selector("up", (equals("job", value), Matcher("code", "=~", pattern)))
    assert parse_selector(str(written)) == written
