"""An expression and its label matchers, taken apart, so that each is parsed once.

A workspace has thousands of expressions that differ only in the matchers of their selectors, and parsing one takes
longer than everything else that is done with it. A selector without its matchers is a selector too.
"""

import re
from functools import lru_cache

import promql_parser

NUMBER = "n"
"""The label that stands for a selector's matchers in a frame."""

_LITERAL_OR_BRACES = re.compile(
    # Each alternative starts with a character of its own, so that the search skips all others quickly.
    r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|`[^`]*`"""
    r"""|\{[^"'`{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"'`{}]*)*\}""",
    re.DOTALL,
)


@lru_cache(maxsize=16384)  # what was checked when it was rendered is checked again with its neighbours
def framed(text: str) -> tuple[str, tuple[str, ...]]:
    """An expression without its label matchers, and these.

    Args:
        text: any PromQL.

    Returns:
        The expression with `{n="0"}`, `{n="1"}`, ... where its matchers stand, and the matchers of each number with
        their braces. Matchers that are written alike bear one number.
    """
    braces: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        inside = found[0]
        return inside if inside[0] != "{" else braces.setdefault(inside, f'{{{NUMBER}="{len(braces)}"}}')

    return _LITERAL_OR_BRACES.sub(numbered, text), tuple(braces)


_MATCHER = re.compile(r"""[^,"'`{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|`[^`]*`)""", re.DOTALL)


def with_sorted_matchers(text: str) -> str:
    """An expression whose selectors have their matchers in one order, to tell whether two mean the same.

    Args:
        text: any PromQL.
    """

    def in_order(found: re.Match[str]) -> str:
        inside = found[0]
        return inside if inside[0] != "{" else "{" + ",".join(sorted(_MATCHER.findall(inside))) + "}"

    return _LITERAL_OR_BRACES.sub(in_order, text)


@lru_cache(maxsize=16384)
def parses(text: str) -> bool:
    """Whether Prometheus could read it."""
    try:
        promql_parser.parse(text)
    except ValueError:
        return False
    return True
