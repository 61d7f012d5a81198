"""Queries and dashboards as a page names them: links where the address is known, text to be copied where it is not."""

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import quote

from sloproof import names
from sloproof.definition import format_duration
from sloproof.promql import Expression, Selector, equals
from sloproof.promql.expression import Matcher
from sloproof.promql.reading import readings

PASTE = "Paste the queries into Prometheus."
"""How queries are asked that have no link."""
LINKED = "Follow the links, or paste the queries into Prometheus."
_ADDRESSES = ("http://", "https://")
_INDENT = "\n   "


def paste(prometheus: str) -> str:
    """How the queries below are asked.

    Args:
        prometheus: its address as people reach it; empty where none is known.
    """
    return LINKED if prometheus else PASTE


def question(number: int, words: str, *asked: Expression, prometheus: str = "", shown: timedelta | None = None) -> str:
    """A numbered question with its queries, ready to be copied, and a link to their graph where there is an address.

    Args:
        number: of the question.
        words: what is asked, without a mark at the end.
        asked: its queries, at least one.
        prometheus: its address as people reach it; empty where none is known.
        shown: how far back the graph looks; None for as far as Prometheus shows by itself.
    """
    link = f": [graph]({graph_link(prometheus, map(str, asked), shown)})" if prometheus else ""
    pasted = [f"   ```promql{_INDENT}{str(one).replace(chr(10), _INDENT)}{_INDENT}```" for one in asked]
    return "\n\n".join([f"{number}. {words}{link}", *pasted])


def graph_link(prometheus: str, queries: Iterable[str], shown: timedelta | None = None) -> str:
    """The address of Prometheus's own graph page with each query in a panel of its own.

    Args:
        prometheus: its address, with or without a slash at the end.
        queries: PromQL.
        shown: how far back the graphs look; None for as far as Prometheus shows by itself.
    """
    back = "" if shown is None else f"&g{{index}}.range_input={format_duration(shown)}"
    panels = (
        f"g{index}.expr={quote(one, safe='')}&g{index}.tab=0{back.format(index=index)}"
        for index, one in enumerate(queries)
    )
    return f"{prometheus.rstrip('/')}/graph?" + "&".join(panels)


def dashboard(title: str, url: str) -> str:
    """A dashboard as a link; as its place in Grafana where only that is known, for such a link would lead nowhere.

    Args:
        title: of the link.
        url: as the alert's annotation has it.
    """
    return f"[{title}]({url})" if url.startswith(_ADDRESSES) else f"{title} (`{url}` in Grafana)"


def jobs_read(expressions: Iterable[str]) -> tuple[str, ...]:
    """The jobs that expressions name, in the order written; series without one name are passed over.

    Args:
        expressions: PromQL.
    """
    matchers = (matcher for text in expressions for reading in readings(text) for matcher in reading.selector.matchers)
    return tuple(dict.fromkeys(one.value for one in matchers if one.label == "job" and one.operator == "="))


def targets(jobs: tuple[str, ...]) -> Selector:
    """Prometheus's own series on the targets of some jobs: 1 where it was scraped.

    Args:
        jobs: at least one.
    """
    if len(jobs) == 1:
        return Selector(names.UP, (equals("job", jobs[0]),))
    return Selector(names.UP, (Matcher("job", "=~", "|".join(map(_literal, jobs))),))


def _literal(job: str) -> str:
    """A job's name in a regular expression of Prometheus (RE2), which knows no escaped letters, digits or `-`."""
    return "".join("\\" + letter if letter in r"\.+*?()|[]{}^$" else letter for letter in job)
