"""A run as GitHub-flavoured Markdown, for pull requests and chat; foreign text stays text."""

import re
from collections.abc import Iterable

from sloproof.foreign_text import visible
from sloproof.report import wording
from sloproof.report.model import RunReport
from sloproof.report.tables import Table, all_tables

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "|": "&#124;"}
_MARKUP = re.compile(r"([\\`*_\[\]#~!$])")
_BACKTICKS = re.compile(r"`+")


def render_markdown(report: RunReport) -> str:
    """Write a run as Markdown: the verdict, then every table of the report.

    Args:
        report: the run.

    Returns:
        GitHub-flavoured Markdown; names and labels can make no link, mention, image or tag in it.
    """
    parts = [f"# {report.verdict}: {escaped(report.title)}", escaped(report.headline), escaped(_facts(report))]
    parts += [part for table in all_tables(report) for part in _section(table)]
    if report.notes:
        parts += ["## Notes", "\n".join(f"- {escaped(note)}" for note in report.notes)]
    if report.repeat or report.command:
        parts += ["## Repeat it", code(report.repeat or report.command)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line.

    Args:
        text: anything.
    """
    shown = _MARKUP.sub(r"\\\1", visible(text))
    for character, entity in _ENTITIES.items():
        shown = shown.replace(character, entity)
    # GitHub makes links of bare addresses; an entity in their middle keeps them text.
    return shown.replace("://", "&#58;//").replace("www.", "www&#46;")


def code(text: str) -> str:
    """A command as inline code that no backtick in it can end."""
    shown = visible(text)
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(shown)), default=0) + 1)
    space = " " if shown[:1] == "`" or shown[-1:] == "`" else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _facts(report: RunReport) -> str:
    started = f"{wording.day(report.started_at)} {wording.clock(report.started_at)} UTC"
    took = wording.elapsed(report.ended_at - report.started_at)
    facts = [report.system, f"started {started}", f"took {took}", wording.windows(report.scale)]
    return ", ".join(fact for fact in facts if fact)


def _section(table: Table) -> Iterable[str]:
    yield f"## {escaped(table.title)}"
    if not table.rows:
        yield escaped(table.empty)
        return
    lines = [
        table.columns,
        ("---",) * len(table.columns),
        *(tuple(escaped(cell) for cell in row) for row in table.rows),
    ]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
