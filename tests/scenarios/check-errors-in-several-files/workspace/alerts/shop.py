from sloproof import Routing, Webhook

routing = Routing(receivers=[Webhook(name="on-call", url="ftp://127.0.0.1:9099/alerts")])
