"""What to do: one Markdown page for each alert, part generated and part written by hand."""

from sloproof.runbooks.blocks import DamagedPage
from sloproof.runbooks.budget import absence_page, budget_page
from sloproof.runbooks.cause import cause_page
from sloproof.runbooks.evidence import Evidence, SeenAlert
from sloproof.runbooks.page import runbook_page, unwritten_sections, written_lines

__all__ = [
    "DamagedPage",
    "Evidence",
    "SeenAlert",
    "absence_page",
    "budget_page",
    "cause_page",
    "runbook_page",
    "unwritten_sections",
    "written_lines",
]
