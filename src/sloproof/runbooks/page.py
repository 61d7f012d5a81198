"""A whole page: generated blocks under fixed headings, and sections that are written by hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from sloproof.alerts import REAL, AlertRule, BurnPolicy, BurnTier, Timing
from sloproof.runbooks import generated, starting_text
from sloproof.runbooks.blocks import DamagedPage, blocks_of, replaced, wrapped
from sloproof.runbooks.evidence import Evidence, seen_block, untried_block
from sloproof.runbooks.incident import Incident
from sloproof.slo import SLO, Service


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it on a new page.

    Args:
        heading: without the hashes; empty for the top of the page.
        block: name of the generated block; empty where somebody writes by hand.
    """

    heading: str
    block: str = ""


SECTIONS = (
    Section("", "summary"),
    Section("Meaning", "meaning"),
    Section("Impact", "impact"),
    Section("Diagnosis", "diagnosis"),
    Section("Mitigation"),
    Section("When it is over", "over"),
    Section("Seen before", "seen"),
    Section("Not proven yet", "untried"),
    Section("Escalation"),
    Section("Rollback"),
)


def runbook_page(
    alert: AlertRule,
    slo: SLO,
    tier: BurnTier,
    policy: BurnPolicy,
    timing: Timing = REAL,
    existing: str | None = None,
    seen: str = "",
    evidence: Evidence | None = None,
    prometheus: str = "",
) -> str:
    """The page of one burn alert.

    Args:
        alert: the rule; its name is the title.
        slo: the objective it guards.
        tier: its pair of windows.
        policy: all tiers of the objective.
        timing: intervals and scale of the rules.
        existing: the page as it is now, read without translating line ends; None for a new one.
        seen: what a drill showed of it last, as a sentence without a full stop; empty for nothing.
        evidence: what is known of it from live systems; None for nothing.
        prometheus: the server's address as people reach it, for links; empty where none is known.

    Returns:
        Markdown. Of an existing page only the generated blocks change; blocks that it lacks are
        added, everything else stays byte for byte.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    incident = Incident(alert, slo, tier, policy, timing, prometheus)
    texts = {
        "summary": generated.summary(incident),
        "meaning": generated.meaning(incident),
        "impact": generated.impact(incident),
        "diagnosis": generated.diagnosis(incident),
        "over": generated.over(incident, seen),
    }
    return assembled(alert.alert, texts, slo.service, existing, evidence)


def assembled(
    title: str, facts: Mapping[str, str], service: Service, existing: str | None, evidence: Evidence | None = None
) -> str:
    """A page of generated blocks, with the hand-written sections that are there already.

    Args:
        title: the alert's name.
        facts: text of each generated block that follows from the definitions.
        service: whose page it is.
        existing: the page as it is now; None for a new one.
        evidence: what is known of the alert from live systems; None for nothing.

    Raises:
        DamagedPage: the existing page's markers do not pair up, or name a block that is not generated.
    """
    known = evidence or Evidence(service.name)
    texts = {**facts, "seen": seen_block(known), "untried": untried_block(known)}
    if existing is None or not existing.strip():
        return _new_page(title, texts, starting_text.written(service))
    _refuse_unknown(existing, texts)
    return _with_missing(replaced(existing, texts), texts)


def unwritten_sections(page: str) -> tuple[str, ...]:
    """The hand-written sections that are missing, empty, or still as they were made.

    Args:
        page: a runbook page.

    Returns:
        Headings, in the page's order; none when somebody has written them all.
    """
    lines = page.split("\n")
    return tuple(
        section.heading for section in SECTIONS if not section.block and _is_unwritten(_below(lines, section.heading))
    )


def written_lines(page: str) -> list[tuple[int, str]]:
    """The lines that somebody wrote: all but those of generated blocks.

    Args:
        page: a runbook page; one whose markers are damaged has none that can be told apart.

    Returns:
        Each with its number, from 1.
    """
    try:
        blocks = blocks_of(page).values()
    except DamagedPage:
        return []
    made = {index for block in blocks for index in range(block.first, block.last + 1)}
    return [(index + 1, line) for index, line in enumerate(page.split("\n")) if index not in made]


def _new_page(title: str, texts: Mapping[str, str], written: Mapping[str, str]) -> str:
    parts = [f"# {title}\n"]
    for section in SECTIONS:
        heading = f"## {section.heading}\n\n" if section.heading else ""
        body = wrapped(section.block, texts[section.block]) if section.block else written[section.heading] + "\n"
        parts.append(heading + body)
    return "\n".join(parts)


def _refuse_unknown(existing: str, texts: Mapping[str, str]) -> None:
    for name, block in blocks_of(existing).items():
        if name not in texts:
            known = ", ".join(f"`{known}`" for known in texts)
            raise DamagedPage(
                f"line {block.first + 1} of the page begins a generated block `{name}`, and there is none of that name",
                hint=f"the blocks are {known}; remove both marker lines to keep the text as your own",
            )


def _with_missing(page: str, texts: Mapping[str, str]) -> str:
    """The page with each block that it lacks put below its heading, or after the block before it."""
    newline = "\r\n" if "\r\n" in page else "\n"
    for index, section in enumerate(SECTIONS):
        if section.block and section.block not in blocks_of(page):
            page = _with_block(page, index, texts[section.block], newline)
    return page


def _with_block(page: str, index: int, text: str, newline: str) -> str:
    section = SECTIONS[index]
    lines = page.split("\n")
    block = wrapped(section.block, text, newline)
    place = _line_of(lines, section.heading)
    if place is None:
        earlier = [blocks_of(page)[one.block].last for one in SECTIONS[:index] if one.block in blocks_of(page)]
        place = max(earlier, default=_line_of(lines, ""))
        block = f"## {section.heading}{newline}{newline}{block}" if section.heading else block
    at = 0 if place is None else place + 1
    before, after = "\n".join(lines[:at]), "\n".join(lines[at:])
    lead = before + ("\n" if at else "") + (newline if at else "")
    return lead + block + (newline if after.strip() and not after.startswith(("\n", "\r\n")) else "") + after


def _line_of(lines: list[str], heading: str) -> int | None:
    """Where a heading stands; for the top of the page, where its title stands."""
    for index, line in enumerate(lines):
        if line.rstrip() == f"## {heading}" if heading else line.startswith("# "):
            return index
    return None


def _below(lines: list[str], heading: str) -> str:
    start = _line_of(lines, heading)
    if start is None:
        return ""
    rest = lines[start + 1 :]
    ends = (index for index, line in enumerate(rest) if line.startswith(("## ", "<!-- generated:")))
    return "\n".join(rest[: next(ends, len(rest))])


def _is_unwritten(body: str) -> bool:
    return not body.strip() or starting_text.TO_DO in body
