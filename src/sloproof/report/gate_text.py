"""A gate's decision for people who read text: in colour, in plain lines, and as Markdown."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from sloproof.foreign_text import visible
from sloproof.report import wording
from sloproof.report.markdown import escaped
from sloproof.report.tables import Table
from sloproof.report.terminal import LEAST_WIDTH, STYLES, SYMBOLS, drawn_table, wrapped
from sloproof.verdict.gate_decision import GateDecision, GateFinding

_CUT = "\n\nMore findings were left out: GitHub takes no more of a summary.\n"


def render_terminal(decision: GateDecision) -> RenderableType:
    """The findings as a table, then the verdict, for a terminal with colour.

    Args:
        decision: what the gate decided.
    """
    verdict = decision.verdict.value
    stamp = Text.assemble((f"{SYMBOLS[verdict]} {verdict}", STYLES[verdict]), " ", (_title(decision), "bold"))
    return Group(drawn_table(_findings(decision)), Text(""), stamp, Text(visible(decision.headline)))


def render_plain(decision: GateDecision, width: int = 80) -> str:
    """The same in plain lines: no colour, no frame, for logs and screen readers.

    Args:
        decision: what the gate decided.
        width: columns to stay within; at least 40.

    Returns:
        One entry a finding, the verdict in words first; the gate's own verdict is the last entry.
    """
    columns = max(width, LEAST_WIDTH)
    entries = [line for finding in decision.findings for line in _entry(finding, columns)]
    last = wrapped(decision.verdict.value, f"{_title(decision)}: {decision.headline}", columns)
    return "\n".join([*entries, *last]) + "\n"


def render_markdown(decision: GateDecision) -> str:
    """The decision as GitHub-flavoured Markdown; names can make no link, mention, image or tag in it.

    Args:
        decision: what the gate decided.
    """
    table = _findings(decision)
    lines = [table.columns, ("---",) * len(table.columns)]
    lines += [tuple(escaped(cell) for cell in row) for row in table.rows]
    facts = f"{_about(decision)}; exit code {decision.exit_code}"
    parts = [
        f"# {decision.verdict.value}: {escaped(_title(decision))}",
        escaped(decision.headline),
        *([escaped(decision.description)] if decision.description else []),
        escaped(facts),
        "\n".join(f"| {' | '.join(line)} |" for line in lines),
        *_hints(decision),
    ]
    return "\n\n".join(parts) + "\n"


def shortened(markdown: str, most: int) -> str:
    """Markdown of at most so many bytes, cut after a whole line and saying so.

    Args:
        markdown: the whole text.
        most: bytes of UTF-8.
    """
    if len(markdown.encode()) <= most:
        return markdown
    kept = markdown.encode()[: most - len(_CUT.encode())].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + _CUT


def _findings(decision: GateDecision) -> Table:
    rows = [
        (one.verdict.value, one.requirement, one.expected, _observed(one), _whole_evidence(one))
        for one in decision.findings
    ]
    columns = ("Verdict", "Requirement", "Expected", "Observed", "Evidence")
    return Table("Required and found", columns, rows, "Nothing was found.")


def _observed(finding: GateFinding) -> str:
    return finding.observed + (f" (exit code {finding.code})" if finding.code else "")


def _whole_evidence(finding: GateFinding) -> str:
    return "; ".join(part for part in (finding.evidence, f"hint: {finding.hint}" if finding.hint else "") if part)


def _entry(finding: GateFinding, width: int) -> list[str]:
    told = [f"required: {finding.expected}", f"observed: {_observed(finding)}"]
    told += [f"evidence: {finding.evidence}"] if finding.evidence else []
    told += [f"hint: {finding.hint}"] if finding.hint else []
    first = wrapped(finding.verdict.value, finding.requirement, width)
    return first + [line for text in told for line in wrapped("", text, width)]


def _hints(decision: GateDecision) -> Iterator[str]:
    hints = dict.fromkeys(finding.hint for finding in decision.findings if finding.hint)
    if hints:
        yield "\n".join(f"- hint: {escaped(hint)}" for hint in hints)


def _title(decision: GateDecision) -> str:
    return visible(f"Gate {decision.gate} of {decision.system}")


def _about(decision: GateDecision) -> str:
    started = f"started {wording.day(decision.started_at)} {wording.clock(decision.started_at)} UTC"
    took = f"took {wording.elapsed(decision.ended_at - decision.started_at)}"
    release = f"release {decision.release}" if decision.release else "release unknown"
    return ", ".join((release, started, took))
