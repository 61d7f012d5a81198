from decimal import Decimal

from sloproof import BurnPolicy, BurnTier

tiers = (BurnTier(name="fast", budget_share=Decimal("0.02"), long="1h", short="5m", severity="page"),)
one = BurnPolicy(tiers=tiers)
other = BurnPolicy(tiers=tiers)
