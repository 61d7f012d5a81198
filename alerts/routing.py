"""Who hears of which alerts. A workspace has one routing; owners with channels of their own have a route in it.

The secrets are files on Alertmanager's machine; their paths are here, their contents nowhere.
"""

from slo.commission import engine
from sloproof import Email, OwnerRoute, Routing, Slack, Webhook

routing = Routing(
    receivers=(
        Webhook(name="on-call", url="http://127.0.0.1:9099/alerts"),
        Slack(
            name="commission-slack",
            channel="#commission-alerts",
            api_url_file="/etc/alertmanager/secrets/commission-slack-url",
        ),
        Email(
            name="commission-mail",
            to="commission-alerts@example.org",
            from_="alertmanager@example.org",
            smarthost="mail.example.org:587",
            username="alertmanager@example.org",
            password_file="/etc/alertmanager/secrets/mail-password",
        ),
    ),
    routes={"page": "on-call", "ticket": "on-call"},
    owners=(OwnerRoute(owner=engine.owner, routes={"page": "commission-slack", "ticket": "commission-mail"}),),
)
