"""Two whole dashboards, byte for byte; `REGENERATE_GOLDEN=1 pytest tests/unit` writes them anew."""

import os
from pathlib import Path

from sloproof.alerts import DEFAULT_POLICY
from sloproof.dashboards import Panel, service_dashboard, slo_dashboard, to_json
from sloproof.slo import SLO, LatencyBelow, Service

GOLDEN = Path(__file__).parents[1] / "golden" / "dashboards"


def test_the_dashboards_of_one_slo() -> None:
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
    pages = {
        "shop.json": service_dashboard(shop, [latency], {}, extra=[own]),
        "shop.slo.latency.json": slo_dashboard(latency, DEFAULT_POLICY),
    }
    for name, page in pages.items():
        text = to_json(page)
        if os.environ.get("REGENERATE_GOLDEN"):
            GOLDEN.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / name).read_text(encoding="utf-8"), "run with REGENERATE_GOLDEN=1 and read the diff"
