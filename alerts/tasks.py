"""Who hears of the task service's alerts.

Burn-rate tiers come from the default policy: 1h/5m and 6h/30m page, 1d/2h and 3d/6h open a ticket.
"""

from sloproof import Routing, Webhook

routing = Routing(
    receivers=(Webhook(name="on-call", url="http://127.0.0.1:9099/alerts"),),
    routes={"page": "on-call", "ticket": "on-call"},
)
