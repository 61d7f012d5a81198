"""One whole dashboard, byte for byte; `REGENERATE_GOLDEN=1 pytest tests/unit` writes it anew."""

import os
from pathlib import Path

from sloproof.dashboards import Panel, service_dashboard, to_json
from sloproof.slo import SLO, LatencyBelow, Service

GOLDEN = Path(__file__).parents[1] / "golden" / "dashboards" / "shop.json"


def test_the_dashboard_of_one_slo() -> None:
    shop = Service(name="shop", owner="checkout team", job="shop", description="people pay with it")
    latency = SLO(
        service=shop,
        name="latency",
        objective="95",
        sli=LatencyBelow("500ms", histogram='http_request_duration_seconds{job="shop"}'),
    )
    own = Panel(
        title="Requests by instance",
        description="Fair is one half each.",
        expression='sum by (instance) (rate(http_requests_total{job="shop"}[$__rate_interval]))',
        unit="reqps",
        legend="{{instance}}",
    )
    text = to_json(service_dashboard(shop, [latency], {}, extra=[own]))
    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8"), "run with REGENERATE_GOLDEN=1 and read the diff"
