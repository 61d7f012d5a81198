"""Who hears of which alerts."""

from sloproof import Routing, Webhook

routing = Routing(
    receivers=(Webhook(name="on-call", url="http://127.0.0.1:9099/alerts"),),
    routes={"page": "on-call", "ticket": "on-call"},
)
