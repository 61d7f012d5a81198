"""A page with what its queries answer now, to be read while it burns."""

import re
from collections.abc import Mapping, Sequence

from sloproof import names
from sloproof.runbooks.asking import LINKED, PASTE, graph_link

MOST_ROWS = 5
"""Series of an answer that a page shows; the largest."""
_FENCE = re.compile(r"^(?P<indent> *)```promql\n(?P<query>.*?)\n *```[ \t]*$", re.DOTALL | re.MULTILINE)
_MARKER = re.compile(r"^<!-- /?generated:[a-z-]+ -->[ \t]*\n?", re.MULTILINE)
_LINK = re.compile(r": \[graph\]\([^)]*\)$", re.MULTILINE)
_HOW = re.compile(rf"^{re.escape(LINKED)}", re.MULTILINE)
_GRAPH = "**Graph:**"
_ADDRESS = re.compile(re.escape(_GRAPH) + r" <([^>\n]*)>")
_ANCHOR = re.compile(r"\[([^\]]+)\]\(#[^)]*\)")
_DIAGNOSIS = "\n## Diagnosis\n"
_NEXT = "\n## "

_OF_THE_PAGE = ("__name__", names.SERVICE, names.SLO, names.SCALE)
"""Labels that every series of the page has."""

Row = tuple[Mapping[str, str], float]
"""The labels and the value of a series."""


def readable(page: str) -> str:
    """A page without its markers and without links that only a browser could follow.

    Args:
        page: a runbook page.
    """
    text = _LINK.sub("", _HOW.sub(PASTE, _MARKER.sub("", page.replace("\r\n", "\n"))))
    return re.sub(r"\n{3,}", "\n\n", _ANCHOR.sub(r"\1", text)).strip("\n") + "\n"


def queries_of(page: str) -> list[str]:
    """The queries of the page's diagnosis, in order.

    Args:
        page: a runbook page.
    """
    return [_unindented(found) for found in _FENCE.finditer(_parts(page)[1])]


def with_answers(page: str, answers: Mapping[str, str], prometheus: str = "") -> str:
    """The page with a line below each query of its diagnosis.

    Args:
        page: a runbook page.
        answers: by query; one that is missing gets no such line.
        prometheus: the address of the server that was asked, for a link to each query's graph; empty for none.
    """
    before, diagnosis, after = _parts(page)

    def answered(found: re.Match[str]) -> str:
        query, indent = _unindented(found), found["indent"]
        said = [f"**Now:** {answers[query]}"] if query in answers else []
        graph = [f"{_GRAPH} <{graph_link(prometheus, [query])}>"] if prometheus else []
        return "".join([found[0], *(f"\n\n{indent}{line}" for line in (*said, *graph))])

    return before + _FENCE.sub(answered, diagnosis) + after


def links_apart(page: str) -> tuple[str, tuple[str, ...]]:
    """The page with a number in place of each link to a graph, and the links: a long one breaks where it is drawn.

    Args:
        page: as `with_answers` makes it.

    Returns:
        The page, and the links in the order of their numbers, from 1.
    """
    links = tuple(_ADDRESS.findall(page))
    numbers = iter(range(1, len(links) + 1))
    return _ADDRESS.sub(lambda _: f"{_GRAPH} link {next(numbers)}, at the end", page), links


def with_heading(page: str, now: Sequence[str]) -> str:
    """The page with what is known at this moment right below its title.

    Args:
        page: a runbook page.
        now: sentences, each an item of a list.
    """
    title, _, rest = page.partition("\n")
    items = "\n".join(f"- {one}" for one in now)
    return f"{title}\n\n## Now\n\n{items}\n{rest}"


def answer(rows: Sequence[Row]) -> str:
    """What a query answered, in one line.

    Args:
        rows: every series that is a number.
    """
    if not rows:
        return "no result"
    ordered = sorted(rows, key=lambda row: -row[1])
    told = ", ".join(_row(labels, value) for labels, value in ordered[:MOST_ROWS])
    more = len(rows) - MOST_ROWS
    return told + (f", and {more} more" if more > 0 else "")


def _row(labels: Mapping[str, str], value: float) -> str:
    shown = [f"{name}={text}" for name, text in sorted(labels.items()) if name not in _OF_THE_PAGE]
    return f"{value:.4g}" + (f" `{{{', '.join(shown)}}}`" if shown else "")


def _parts(page: str) -> tuple[str, str, str]:
    """What comes before the diagnosis, the diagnosis, and what follows it."""
    start = page.find(_DIAGNOSIS)
    if start < 0:
        return page, "", ""
    end = page.find(_NEXT, start + len(_DIAGNOSIS))
    end = len(page) if end < 0 else end
    return page[:start], page[start:end], page[end:]


def _unindented(found: re.Match[str]) -> str:
    indent = found["indent"]
    return "\n".join(line.removeprefix(indent) for line in found["query"].split("\n")).strip()
