"""When to look at the monolith: it has no spare, no queue and no health check, so these come before the outage."""

from slo.monolith import REQUESTS_PER_SECOND_IT_HOLDS, api, memory
from sloproof import BudgetAlerts, BurnPolicy, BurnTier, CauseAlert

# Memory wakes nobody: it is a reason to plan, and users notice a process that was killed by their errors.
saturation = BurnPolicy(
    tiers=(BurnTier(name="trickle", budget_share="0.10", long="3d", short="6h", severity="ticket", hold="2m"),),
    applies_to=(memory,),
)
no_budget_of_memory = BudgetAlerts(below=None, exhausted_within=None, review_share=None, applies_to=(memory,))

at_capacity = CauseAlert(
    service=api,
    name="at-capacity",
    expression='sum(rate(http_requests_total{job="monolith"}[5m]))',
    above=REQUESTS_PER_SECOND_IT_HOLDS,
    hold="5m",
    severity="warning",
    summary="more requests arrive than the one process is known to hold",
    first_step="look at the latency panel; when it rises too, ask the largest client to send less",
    measures="the rate of arriving requests",
    unit="requests a second",
    consequence="requests wait for each other in the one process there is, until clients give up",
)

locked_writes = CauseAlert(
    service=api,
    name="locked-writes",
    expression='sum(increase(sqlite_busy_total{job="monolith"}[5m]))',
    above=0,
    hold="1m",
    severity="warning",
    summary="writes fail because another one holds the SQLite file",
    first_step="look for a long write, such as a backup or an import, and let it run at night",
    measures="the number of writes that found the file locked in 5 minutes",
    consequence="these writes fail, and what somebody entered with them is lost",
)
