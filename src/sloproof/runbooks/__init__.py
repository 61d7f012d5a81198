"""What to do: one Markdown page for each alert, part generated and part written by hand."""

from sloproof.runbooks.blocks import DamagedPage
from sloproof.runbooks.page import runbook_page, unwritten_sections

__all__ = ["DamagedPage", "runbook_page", "unwritten_sections"]
