"""A fast page for every objective, with a gate for some, and a cause of each shape."""

from slo.every import every, kinds, sliced, split
from sloproof import BudgetAlerts, BurnPolicy, BurnTier, CauseAlert

FAST = BurnTier(name="fast", budget_share="0.02", long="1h", short="5m", severity="page")
MEDIUM = BurnTier(name="medium", budget_share="0.05", long="6h", short="30m", severity="page", hold="1m")
GATED = FAST.model_copy(update={"minimum_budget_share": MEDIUM.budget_share / 4})

fast = BurnPolicy(tiers=[FAST])
sliced_policy = BurnPolicy(tiers=[MEDIUM], applies_to=sliced)
gated = BurnPolicy(tiers=[GATED], applies_to=[*split, kinds[1]])
budget = BudgetAlerts(exhausted_within=None, review_share=None)
CAUSES = {
    "high-cpu": ("sum by (instance) (rate(cpu_seconds_total[1m]))", "0.85", None),
    "slow-answers": ("histogram_quantile(0.95, sum by (le) (rate(took_seconds_bucket[5m])))", "0.7", None),
    "cold-cache": (
        "sum(rate(hits_total[5m])) / (sum(rate(hits_total[5m])) + sum(rate(misses_total[5m])))",
        None,
        "0.8",
    ),
    "connections": ("sum(db_connections)", "80", None),
}
causes = [
    CauseAlert(
        service=every,
        name=name,
        expression=expression,
        above=above,
        below=below,
        hold="3m",
        severity="warning",
        summary="it is beyond its limit",
        first_step="open the dashboard",
    )
    for name, (expression, above, below) in CAUSES.items()
]
