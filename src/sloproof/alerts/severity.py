"""How soon somebody has to look: two words, and two that other teams use for the same."""

from collections.abc import Mapping
from typing import Literal

from sloproof import names

Severity = Literal["page", "ticket", "critical", "warning"]
"""`page` and `critical` wake somebody; `ticket` and `warning` wait for the morning."""

SEVERITIES: tuple[Severity, ...] = (names.PAGE, names.CRITICAL, names.TICKET, names.WARNING)
LIKE: Mapping[Severity, Severity] = {names.CRITICAL: names.PAGE, names.WARNING: names.TICKET}
"""Where a severity without a route of its own goes."""
URGENT: frozenset[Severity] = frozenset({names.PAGE, names.CRITICAL})
